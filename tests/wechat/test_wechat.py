"""WeChat's callbacks, by an implementation that shares nothing with ours (PyPI's `wechatpy`).

    test_wechat.py --crypto EXAMPLE [--seed N]

1. What the other encrypts and signs ours takes and reads, at all lengths around blocks, with Chinese and without; and the other opens the
   same. What was changed anywhere (signature, time, nonce, ciphertext, app) is refused, by its name.
2. Plain callbacks and the check of the address: signatures that the other checks are those that ours takes.
3. Brought again something has the same key; something else has another.

Closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException
from wechatpy.utils import WeChatSigner, check_signature

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from crash import Tally  # noqa: E402

TOKEN, KEY, APPID = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7"
NOW = 1_764_000_000


class Lines:
    """A program that answers a JSON object a line."""

    def __init__(self, program: Path) -> None:
        pipe = subprocess.PIPE
        self.program = subprocess.Popen([program], stdin=pipe, stdout=pipe, text=True, encoding="utf-8")

    def ask(self, **asked: object) -> dict:
        self.program.stdin.write(json.dumps({"token": TOKEN, "aes_key": KEY, "appid": APPID, "now": NOW, **asked}) + "\n")
        self.program.stdin.flush()
        return json.loads(self.program.stdout.readline())

    def end(self) -> None:
        self.program.stdin.close()
        self.program.wait()


def signed(*parts: str) -> str:
    signer = WeChatSigner()
    signer.add_data(*parts)
    return signer.signature


def said(text: str, number: int, openid: str = "oA-1") -> str:
    return (
        f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[{openid}]]></FromUserName>"
        f"<CreateTime>{NOW}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content>"
        f"<MsgId>{number}</MsgId></xml>"
    )


def event(name: str, more: str = "", at: int = NOW) -> str:
    return (
        f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oA-1]]></FromUserName><CreateTime>{at}</CreateTime>"
        f"<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{name}]]></Event>{more}</xml>"
    )


def sealed(crypto: WeChatCrypto, text: str, nonce: str, at: int = NOW) -> tuple[dict, str]:
    """What the platform would post: the address' words, and the body."""
    reply = crypto.encrypt_message(text, nonce, str(at))
    between = lambda name: reply.split(f"<{name}><![CDATA[")[1].split("]]>")[0]  # noqa: E731
    body = f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{between('Encrypt')}]]></Encrypt></xml>"
    query = {"timestamp": str(at), "nonce": nonce, "encrypt_type": "aes", "msg_signature": between("MsgSignature")}
    return {**query, "signature": signed(TOKEN, str(at), nonce)}, body


def encrypted(ours: Lines, chance: random.Random, tally: Tally) -> None:
    theirs, other = WeChatCrypto(TOKEN, KEY, APPID), WeChatCrypto(TOKEN, KEY, "wx0000000000000000")
    wrong: list[str] = []
    for round_, length in enumerate([*range(0, 70), 255, 256, 590]):
        text = "".join(chance.choice("abc会员<>&") for _ in range(length))
        nonce = "".join(chance.choice("0123456789") for _ in range(9))
        query, body = sealed(theirs, said(text, round_), nonce)
        opened = theirs.decrypt_message(body, query["msg_signature"], query["timestamp"], nonce)
        got = ours.ask(query=query, body=body)
        read = parse_message(opened)
        if (got.get("kind"), (got.get("body") or {}).get("text"), (got.get("body") or {}).get("id")) != (
            "said", read.content or "", read.source,
        ):
            wrong.append(f"{length}: {got}")
        place = body.index("<Encrypt><![CDATA[") + 18 + chance.randrange(40)
        changed = body[:place] + ("A" if body[place] != "A" else "B") + body[place + 1:]
        for what, asked, name in [
            ("another ciphertext", {"query": query, "body": changed}, "signature_wrong"),
            ("another time", {"query": {**query, "timestamp": str(NOW + 1)}, "body": body}, "signature_wrong"),
            ("another nonce", {"query": {**query, "nonce": nonce + "1"}, "body": body}, "signature_wrong"),
            ("no signature", {"query": {"timestamp": str(NOW), "nonce": nonce}, "body": body}, "address_incomplete"),
            ("too late", {"query": query, "body": body, "now": NOW + 601}, "stale"),
            ("what is not encrypted", {"query": query, "body": said("", 1)}, "envelope_wrong"),
            ("what is cut off", {"query": query, "body": body[:-9]}, "xml_truncated"),
            ("another token", {"query": query, "body": body, "token": "other"}, "signature_wrong"),
        ]:
            if ours.ask(**asked).get("problem") != name:
                wrong.append(f"{length}, {what}: {ours.ask(**asked)}")
        of_other = sealed(other, said(text, round_), nonce)
        if ours.ask(query=of_other[0], body=of_other[1]).get("problem") != "receiver_wrong":
            wrong.append(f"{length}: another app's was taken")
    tally.check("ours takes what the other encrypts and signs, and refuses what was changed, by name", not wrong, "; ".join(wrong[:3]))


def plain(ours: Lines, chance: random.Random, tally: Tally) -> None:
    wrong: list[str] = []
    for round_ in range(50):
        stamp, nonce = str(NOW + chance.randrange(-600, 601)), str(chance.randrange(10**10))
        query = {"timestamp": stamp, "nonce": nonce, "signature": signed(TOKEN, stamp, nonce)}
        check_signature(TOKEN, query["signature"], stamp, nonce)
        for aes_key in ("", KEY):
            got = ours.ask(do="echo", aes_key=aes_key, query={**query, "echostr": f"word{round_}"})
            if got != {"echo": f"word{round_}"}:
                wrong.append(f"echo: {got}")
        got = ours.ask(aes_key="", query=query, body=said("你好", round_))
        if (got.get("kind"), (got.get("body") or {}).get("text")) != ("said", "你好"):
            wrong.append(f"plain: {got}")
        forged = {**query, "signature": signed(TOKEN + "x", stamp, nonce)}
        try:
            check_signature(TOKEN, forged["signature"], stamp, nonce)
            wrong.append("the other takes a forged one")
        except InvalidSignatureException:
            pass
        if ours.ask(aes_key="", query=forged, body=said("", 1)).get("problem") != "signature_wrong":
            wrong.append("a forged one was taken")
    tally.check("plain callbacks and the check of the address", not wrong, "; ".join(wrong[:3]))
    # The platform's own example (developers.weixin.qq.com, message push).
    example = {"timestamp": "1714036504", "nonce": "1514711492", "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696", "echostr": "4375120948345356249"}
    got = ours.ask(do="echo", token="AAAAA", aes_key="", query=example, now=1_714_036_504)
    tally.check("the platform's own example", got == {"echo": "4375120948345356249"}, str(got))


def keys(ours: Lines, tally: Tally) -> None:
    theirs = WeChatCrypto(TOKEN, KEY, APPID)
    key = lambda text, nonce: ours.ask(**dict(zip(("query", "body"), sealed(theirs, text, nonce), strict=True))).get("key")  # noqa: E731
    popup = lambda said: (  # noqa: E731
        "<SubscribeMsgPopupEvent><List><TemplateId>T</TemplateId><SubscribeStatusString>"
        f"{said}</SubscribeStatusString></List></SubscribeMsgPopupEvent>"
    )
    same = [said("a", 7), event("subscribe"), event("subscribe_msg_popup_event", popup("accept"))]
    tally.check("brought again it has the same key", all(key(text, "1") == key(text, "2") for text in same))
    texts = [
        said("a", 7), said("a", 8), event("subscribe"), event("subscribe", at=NOW + 1), event("unsubscribe"),
        event("subscribe_msg_popup_event", popup("accept")), event("subscribe_msg_popup_event", popup("reject")),
        event("SCAN", "<EventKey>door</EventKey>"), event("SCAN", "<EventKey>till</EventKey>"),
    ]
    found = {key(text, "1") for text in texts}
    tally.check("something else has another", len(found) == len(texts) and None not in found, str(len(found)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crypto", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20261128)
    args = parser.parse_args()
    print(f"seed {args.seed}")
    chance, tally, ours = random.Random(args.seed), Tally(), Lines(args.crypto.resolve())
    encrypted(ours, chance, tally)
    plain(ours, chance, tally)
    keys(ours, tally)
    ours.end()
    print(f"{tally.n_passed} passed, {tally.n_failed} failed")
    sys.exit(1 if tally.n_failed else 0)


if __name__ == "__main__":
    main()
