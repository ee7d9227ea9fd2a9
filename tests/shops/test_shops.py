"""What shops tell, signed by an implementation that shares nothing with ours (Python's own `hmac` and `hashlib`).

    test_shops.py --doors EXAMPLE [--seed N]

1. Webhooks of Shopify, WooCommerce, Youzan and of a format of a brand's own, of many lengths, in Chinese and with all that JSON may hold,
   are taken, and say the number, the total and the lines that were put into them.
2. Each that was changed anywhere (a byte of the body, the secret, the length, the time, the head) is refused, by its name.

Closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import random
import subprocess
import sys
import urllib.parse
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from crash import Tally  # noqa: E402

NOW = 1_764_000_000
SHOP = "brand.myshopify.com"
SETTINGS = {
    "shopify": {"shop": SHOP, "secret_env": "X"},
    "woocommerce": {"url": "https://shop.example", "secret_env": "X"},
    "youzan": {"client_id": "c0ffee", "kdt_id": "160", "client_secret_env": "X"},
    "webhook": {
        "signature": {
            "header": "X-Sign", "algorithm": "hmac-sha512", "encoding": "base64", "secret_env": "X",
            "timestamp_header": "X-At", "joint": ":",
        },
        "order": {
            "number": "o.no", "at": "o.at", "total": "o.total",
            "lines": {"list": "o.items", "product": "sku", "quantity": "n", "price": "each"},
        },
        "names": {"phone": "o.buyer[0].mobile"},
    },
}


class Lines:
    """A program that answers a JSON object a line."""

    def __init__(self, program: str) -> None:
        pipe = subprocess.PIPE
        self.program = subprocess.Popen([program], stdin=pipe, stdout=pipe, text=True, encoding="utf-8")

    def ask(self, **asked: object) -> dict:
        self.program.stdin.write(json.dumps(asked) + "\n")
        self.program.stdin.flush()
        return json.loads(self.program.stdout.readline())

    def end(self) -> None:
        self.program.stdin.close()
        self.program.wait()


def words(chance: random.Random) -> str:
    return "".join(chance.choice("ab会员<>&\"\\/é🎁 ") for _ in range(chance.randrange(60)))


def order(chance: random.Random) -> dict:
    lines = [(f"sku-{chance.randrange(99)}", chance.randrange(1, 5), Decimal(chance.randrange(1, 99_999)) / 100) for _ in range(chance.randrange(1, 40))]
    return {"number": str(chance.randrange(1, 10**9)), "lines": lines, "total": sum((n * each for _, n, each in lines), Decimal(0)), "note": words(chance)}


def body_of(platform: str, of: dict, chance: random.Random) -> str:
    plain = chance.random() < 0.5
    if platform == "shopify":
        said = {
            "id": chance.randrange(10**12), "name": f"#{of['number']}", "note": of["note"], "financial_status": "paid",
            "created_at": "2026-01-05T09:00:00+08:00", "updated_at": "2026-01-05T09:00:01+08:00", "currency": "CNY",
            "total_price": str(of["total"]), "line_items": [{"sku": sku, "quantity": n, "price": str(each)} for sku, n, each in of["lines"]],
        }
    elif platform == "woocommerce":
        said = {
            "id": chance.randrange(10**6), "number": of["number"], "customer_note": of["note"], "status": "processing",
            "date_created_gmt": "2026-01-05T01:00:00", "date_modified_gmt": "2026-01-05T01:00:01", "total": str(of["total"]),
            "line_items": [{"sku": sku, "quantity": n, "total": str(n * each)} for sku, n, each in of["lines"]],
        }
    elif platform == "youzan":
        inner = json.dumps({"full_order_info": {
            "order_info": {"tid": of["number"], "status": "TRADE_PAID", "created": "2026-01-05 09:00:00", "pay_time": "2026-01-05 09:00:01"},
            "pay_info": {"payment": str(of["total"]), "post_fee": "0.00"}, "remark_info": {"buyer_message": of["note"]}, "buyer_info": {},
            "orders": [{"outer_sku_id": sku, "num": n, "payment": str(n * each)} for sku, n, each in of["lines"]],
        }}, ensure_ascii=plain)
        quote = urllib.parse.quote_plus if chance.random() < 0.5 else urllib.parse.quote
        said = {"client_id": "c0ffee", "kdt_id": 160, "type": "trade_TradePaid", "msg": quote(inner), "test": False}
    else:
        said = {"o": {
            "no": of["number"], "at": "2026-01-05T09:00:00+08:00", "total": float(of["total"]), "note": of["note"], "buyer": [{"mobile": "13912345678"}],
            "items": [{"sku": sku, "n": n, "each": str(each)} for sku, n, each in of["lines"]],
        }}
    return json.dumps(said, ensure_ascii=plain, indent=chance.choice([None, 1]))


def heads_of(platform: str, secret: str, body: str, at: int = NOW) -> dict:
    if platform == "youzan":
        return {"Event-Sign": hashlib.md5(f"c0ffee{body}{secret}".encode()).hexdigest(), "Event-Type": "trade_TradePaid"}
    if platform == "webhook":
        signed = hmac.new(secret.encode(), f"{at}:{body}".encode(), hashlib.sha512).digest()
        return {"X-At": str(at), "X-Sign": base64.b64encode(signed).decode()}
    signed = base64.b64encode(hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()).decode()
    if platform == "shopify":
        return {"X-Shopify-Hmac-Sha256": signed, "X-Shopify-Topic": "orders/paid", "X-Shopify-Shop-Domain": SHOP}
    return {"X-WC-Webhook-Signature": signed, "X-WC-Webhook-Topic": "order.updated"}


def changed(chance: random.Random, body: str) -> str:
    at = chance.randrange(len(body))
    return body[:at] + ("0" if body[at] != "0" else "1") + body[at + 1:]


def is_read(ours: Lines, platform: str, chance: random.Random, tally: Tally) -> None:
    wrong: list[str] = []
    for _ in range(150):
        of, secret = order(chance), f"s{chance.randrange(10**9)}"
        body = body_of(platform, of, chance)
        asked = {"platform": platform, "settings": SETTINGS[platform], "secret": secret, "now": NOW}
        answer = ours.ask(**asked, body=body, heads=heads_of(platform, secret, body))
        news = next((one for one in answer.get("news", []) if one["what"] == "order"), None)
        if news is None:
            wrong.append(f"{answer} of {body[:200]}")
            continue
        lines = [(line["product"], Decimal(line["quantity"]), Decimal(line["paid"])) for line in news["lines"]]
        wanted = [(sku, Decimal(n), n * each) for sku, n, each in of["lines"]]
        if (news["number"], Decimal(news["total"]), lines) != (of["number"], of["total"], wanted):
            wrong.append(f"{news} of {of}")
    tally.check(f"150 of {platform} are taken and say what was put into them", not wrong, "; ".join(wrong[:3]))


def is_refused(ours: Lines, platform: str, chance: random.Random, tally: Tally) -> None:
    wrong: list[str] = []
    for _ in range(40):
        of, secret = order(chance), f"s{chance.randrange(10**9)}"
        body = body_of(platform, of, chance)
        heads = heads_of(platform, secret, body)
        cases = {
            "body": (changed(chance, body), heads, "signature_wrong"),
            "truncated": (body[:chance.randrange(1, len(body))], heads, "signature_wrong"),
            "secret": (body, heads_of(platform, secret + "x", body), "signature_wrong"),
            "none": (body, {}, "head_missing"),
            "no json": ("{" + body, heads_of(platform, secret, "{" + body), "no_json"),
            "large": (body + " " * 262_145, heads_of(platform, secret, body + " " * 262_145), "too_large"),
        }
        if platform == "webhook":
            cases["late"] = (body, heads_of(platform, secret, body, NOW - 301), "not_now")
            cases["early"] = (body, heads_of(platform, secret, body, NOW + 301), "not_now")
            cases["other time"] = (body, {**heads, "X-At": str(NOW - 1)}, "signature_wrong")
        if platform == "shopify":
            cases["other shop"] = (body, {**heads, "X-Shopify-Shop-Domain": "other.myshopify.com"}, "shop_other")
        for name, (said, with_, why) in cases.items():
            answer = ours.ask(platform=platform, settings=SETTINGS[platform], secret=secret, now=NOW, body=said, heads=with_)
            if answer.get("problem") != why:
                wrong.append(f"{name}: {answer}")
    tally.check(f"what is not {platform}'s is refused by name", not wrong, "; ".join(wrong[:3]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--doors", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20261128)
    args = parser.parse_args()
    print(f"seed {args.seed}")
    tally, ours = Tally(), Lines(str(args.doors.resolve()))
    for platform in SETTINGS:
        chance = random.Random(f"{platform} {args.seed}")
        is_read(ours, platform, chance, tally)
        is_refused(ours, platform, chance, tally)
    ours.end()
    print(f"{tally.n_passed} passed, {tally.n_failed} failed")
    sys.exit(1 if tally.n_failed else 0)


if __name__ == "__main__":
    main()
