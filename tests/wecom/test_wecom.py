"""What WeCom tells a served home: by two implementations of its crypto that share nothing with ours, and by a server that is killed.

    test_wecom.py --binary ZHIYIN --crypto EXAMPLE --node NODE --work FOLDER [--seed N]

1. What PyPI's `wechatpy` and npm's `@wecom/crypto` encrypt and sign ours opens, and the other way round, at all lengths around blocks.
2. The address is checked; news is taken, and brought again is taken and kept once. Wrong signatures, old ones, truncated XML, bombs of
   entities, bodies that are too large or no UTF-8 are refused, each counted by its name, and told no more than that.
3. The server is killed (`kill -9`) while callbacks come: whatever was answered 200 is there, what was not is sent again and lands once,
   and in the end every customer has the contacts that they should have.

Closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from wechatpy.enterprise.crypto import WeChatCrypto

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from coupons import ADDRESS, PATIENCE_S, Home  # noqa: E402
from crash import Tally  # noqa: E402

TOKEN, KEY, CORP, AGENT = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7", 1000002
CUSTOMERS = 300
KILLS = 4
PLAYBOOK = """playbook: brand
extends: variety-store
"""


class Lines:
    """A program that answers a JSON object a line."""

    def __init__(self, command: list[str], folder: Path) -> None:
        pipe = subprocess.PIPE
        self.program = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=folder, encoding="utf-8")

    def ask(self, **asked: str) -> dict:
        self.program.stdin.write(json.dumps(asked) + "\n")
        self.program.stdin.flush()
        return json.loads(self.program.stdout.readline())

    def end(self) -> None:
        self.program.stdin.close()
        self.program.wait()


class WecomHome(Home):
    """A home that WeCom tells things."""

    channels: Path
    theirs = WeChatCrypto(TOKEN, KEY, CORP)

    def serve(self) -> subprocess.Popen:
        command = [str(self.binary), "serve", "--listen", "127.0.0.1:0", "--open", "--channels", str(self.channels), *self.place]
        environment = {**os.environ, "WECOM_TOKEN": TOKEN, "WECOM_AES_KEY": KEY}
        with self.log.open("a", encoding="utf-8") as out:
            server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=out, text=True, env=environment)
        self.address = ADDRESS.search(server.stdout.readline()).group()
        return server

    def sealed(self, text: str, at: int | None = None) -> tuple[dict, bytes]:
        """What WeCom would post: the address' words, and the body."""
        at, nonce = str(int(time.time()) if at is None else at), str(random.randrange(10**9))
        reply = self.theirs.encrypt_message(text, nonce, at)
        between = lambda name: reply.split(f"<{name}><![CDATA[")[1].split("]]>")[0]  # noqa: E731
        body = f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><Encrypt><![CDATA[{between('Encrypt')}]]></Encrypt>"
        body += f"<AgentID><![CDATA[{AGENT}]]></AgentID></xml>"
        return {"msg_signature": between("MsgSignature"), "timestamp": at, "nonce": nonce}, body.encode()

    def call(self, words: dict, body: bytes | None, account: str = "main") -> tuple[int, bytes]:
        """The status and what is answered; 0 where nobody does."""
        url = f"{self.address}/v1/callbacks/wecom/{account}?{urllib.parse.urlencode(words)}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except (OSError, ValueError):
            return 0, b""

    def tell(self, text: str) -> int:
        return self.call(*self.sealed(text))[0]

    def measured(self) -> dict[str, float]:
        """What is measured; kept for a second by the server."""
        with urllib.request.urlopen(f"{self.address}/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}

    def contacts(self, customer: str) -> list[dict]:
        asked = subprocess.run(
            [str(self.binary), "member", f"wecom_external:{customer}", "--format", "json", *self.place],
            capture_output=True, text=True, check=False, timeout=PATIENCE_S,
        )
        return json.loads(asked.stdout)["contacts"] if asked.returncode == 0 else []


def until(what: Callable[[], bool], tally: Tally, says: str) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not what() and time.monotonic() < ends:
        threading.Event().wait(0.2)
    tally.check(says, what())


def news(change: str, staff: str, customer: str, at: int, more: str = "") -> str:
    return (
        f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName><CreateTime>{at}</CreateTime>"
        f"<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_external_contact]]></Event>"
        f"<ChangeType><![CDATA[{change}]]></ChangeType><UserID><![CDATA[{staff}]]></UserID>"
        f"<ExternalUserID><![CDATA[{customer}]]></ExternalUserID>{more}</xml>"
    )


def by_others(ours: Lines, node: Lines, chance: random.Random, tally: Tally) -> None:
    """Each opens what the others encrypt."""
    theirs = WeChatCrypto(TOKEN, KEY, CORP)
    wrong = []
    for length in [*range(0, 70), 255, 256, 4000]:
        message = "".join(chance.choice("abc会员<>&") for _ in range(length))
        of = {"token": TOKEN, "aes_key": KEY, "receiver": CORP, "timestamp": "1409659589", "nonce": "n"}
        random16 = "".join(chance.choice("0123456789abcdef") for _ in range(16))
        for who, program in [("ours", ours), ("npm", node)]:
            made = program.ask(do="encrypt", message=message, random=random16, **of)
            opened = [
                ours.ask(do="open", **of, **made).get("message"),
                node.ask(do="open", **of, **made),
                # It keeps no message that is empty apart from none.
                theirs.decrypt_message({"Encrypt": made["encrypted"]}, made["signature"], "1409659589", "n"),
            ]
            if opened != [message, {"message": message, "receiver": CORP, "signed": True}, message]:
                wrong.append((who, length, opened))
        reply = theirs.encrypt_message(message, "n", "1409659589")
        made = {
            name: reply.split(f"<{tag}><![CDATA[")[1].split("]]>")[0]
            for name, tag in [("encrypted", "Encrypt"), ("signature", "MsgSignature")]
        }
        if ours.ask(do="open", **of, **made).get("message") != message:
            wrong.append(("wechatpy", length))
    tally.check("each opens what the others encrypt", not wrong, f"{wrong[:3]}")
    changed = {**of, **made, "signature": "0" * 40}
    tally.check("and nothing with another signature", ours.ask(do="open", **changed) == {"problem": "signature_wrong"})


def at_the_door(home: WecomHome, tally: Tally) -> None:
    """What is taken, and what is refused, by name."""
    now = int(time.time())
    words, body = home.sealed("1616140317555161061")
    echo = body.decode().split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    answers, times = [], []
    for _ in range(5):
        began = time.monotonic()
        answers.append(home.call({**words, "echostr": echo}, None))
        times.append(time.monotonic() - began)
    # WeCom waits a second; the median, since the machine may be at something else.
    is_ours = set(answers) == {(200, b"1616140317555161061")} and sorted(times)[2] < 1
    tally.check("the address is ours", is_ours, f"{answers} in {times}")
    tally.check("and nobody else's", home.call({**words, "msg_signature": "0" * 40, "echostr": echo}, None)[0] == 403)

    text = news("add_external_contact", "li", "wm0", now, "<State><![CDATA[wecom]]></State><WelcomeCode><![CDATA[C]]></WelcomeCode>")
    first = home.sealed(text)
    answers = [home.call(*first), home.call(*first), home.call(*home.sealed(text))]
    tally.check("what is brought again is taken again", answers == [(200, b"")] * 3, f"{answers}")

    good, whole = home.sealed(news("edit_external_contact", "li", "wm0", now))
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>'
    other = WeChatCrypto(TOKEN, KEY, "ww0000000000").encrypt_message("x", "n", str(now))
    between = lambda name: other.split(f"<{name}><![CDATA[")[1].split("]]>")[0]  # noqa: E731
    elsewhere = {"msg_signature": between("MsgSignature"), "timestamp": str(now), "nonce": "n"}
    rows = [
        ("signature_wrong", {**good, "msg_signature": "0" * 40}, whole, "main", 403),
        ("signature_wrong", {**good, "nonce": "other"}, whole, "main", 403),
        ("stale", *home.sealed(text, now - 3600), "main", 403),
        ("address_incomplete", {}, whole, "main", 403),
        ("xml_truncated", good, whole[:-9], "main", 403),
        ("xml_declares", good, bomb.encode(), "main", 403),
        ("xml_entity", *home.sealed("<xml><Event>&b;</Event></xml>"), "main", 403),
        ("xml_malformed", *home.sealed("{}<x/>"), "main", 403),
        ("envelope_wrong", good, b"<xml></xml>", "main", 403),
        ("not_utf8", good, whole[:40] + b"\xff" + whole[40:], "main", 403),
        ("too_large", good, b"<xml>" + b"x" * 70_000 + b"</xml>", "main", 413),
        ("receiver_wrong", elsewhere, f"<xml><Encrypt>{between('Encrypt')}</Encrypt></xml>".encode(), "main", 403),
        ("account_unknown", good, whole, "other", 404),
    ]
    before = home.measured()
    threading.Event().wait(1.1)
    wanted: dict[str, int] = {}
    for why, words, body, account, status in rows:
        answer = home.call(words, body, account)
        tally.check(f"{why} is refused, and no more is said", answer == (status, b""), f"{answer}")
        wanted[why] = wanted.get(why, 0) + 1
    threading.Event().wait(1.1)
    measured = home.measured()
    series = lambda why: f'zhiyin_arrivals_refused_total{{channel="wecom",why="{why}"}}'  # noqa: E731
    counted = {why: measured.get(series(why), 0) - before.get(series(why), 0) for why in wanted}
    tally.check("each is counted by its name", counted == wanted, f"{counted}")
    came = {new: measured.get(f'zhiyin_arrivals_total{{channel="wecom",kind="contact_added",new="{new}"}}') for new in ("yes", "no")}
    tally.check("what was brought three times was new once", came == {"yes": 1, "no": 2}, f"{came}")
    log = home.log.read_text(encoding="utf-8")
    tally.check("the log says why and nothing of what came", "signature_wrong" in log and "ExternalUserID" not in log and "wm0" not in log)
    until(lambda: bool(home.contacts("wm0")), tally, "a contact came of it")
    contacts = home.contacts("wm0")
    is_one = len(contacts) == 1 and contacts[0]["account"] == "li" and contacts[0]["until"] is None
    tally.check("and one only", is_one, f"{contacts}")
    shown = json.loads(home.run("member", "wecom_external:wm0", "--format", "json"))
    tally.check("where they were met is known", "wecom" in json.dumps(shown.get("touches", shown)), f"{shown}")


def lives(chance: random.Random, now: int) -> dict[str, list[tuple[str, str]]]:
    """For each customer what is told, in its order: the news, and who of the staff has it then."""
    told = {}
    for n in range(CUSTOMERS):
        customer, texts = f"wm{n:04}", []
        for step in range(chance.randrange(1, 5)):
            staff, at = chance.choice(["li", "wang"]), now - 1000 + 10 * step
            change = chance.choice(["add_external_contact", "add_half_external_contact", "del_follow_user", "del_external_contact"])
            more = chance.choice(["", "<Source><![CDATA[DELETE_BY_TRANSFER]]></Source>"]) if change == "del_external_contact" else ""
            texts.append((news(change, staff, customer, at, more), f"{staff} {change.startswith('add')}"))
        told[customer] = texts
    return told


def killed(home: WecomHome, server: subprocess.Popen, chance: random.Random, tally: Tally) -> subprocess.Popen:
    """Kills while callbacks come, some twice and none in order; whoever is not answered well sends again."""
    told = lives(chance, int(time.time()))
    calls = [text for texts in told.values() for text, _ in texts]
    calls += chance.sample(calls, len(calls) // 5)
    chance.shuffle(calls)
    lock, again, broken = threading.Lock(), 0, []

    def sender() -> None:
        nonlocal again
        while True:
            with lock:
                if not calls:
                    return
                text = calls.pop()
            status = home.tell(text)
            if status == 200:
                continue
            if status not in (0, 503, 429):
                broken.append(status)
            with lock:
                again += 1
                calls.insert(0, text)
            threading.Event().wait(0.05)

    senders = [threading.Thread(target=sender) for _ in range(12)]
    for one in senders:
        one.start()
    for _ in range(KILLS):
        threading.Event().wait(chance.uniform(0.1, 0.6))
        server.kill()
        server.wait()
        server = home.serve()
    for one in senders:
        one.join()
    tally.check("whoever was not answered well sent again, and was", not broken, f"{broken[:5]}")
    print(f"  {again} were sent again")

    def done() -> bool:
        with urllib.request.urlopen(urllib.request.Request(f"{home.address}/v1/arrivals?state=waiting&limit=200",
                                    headers={"Authorization": f"Bearer {home.key}"}), timeout=60) as answer:
            waiting = json.load(answer)["items"]
        # What an edit says only WeCom knows: it waits for somebody who asks.
        return all((one["why"] or "").startswith("needs_errand") for one in waiting)

    until(done, tally, "all of it is worked on")
    until(lambda: home.measured().get("zhiyin_inbox_waiting") == 0, tally, "and decided")
    wrong = []
    for customer in chance.sample(sorted(told), 60):
        wanted = {}
        for _, says in told[customer]:
            staff, has = says.split(" ")
            wanted[staff] = has == "True"
        has = {one["account"]: one["until"] is None for one in home.contacts(customer)}
        if has != wanted:
            wrong.append((customer, wanted, has))
    tally.check("everybody has the contacts that they should", not wrong, f"{len(wrong)}: {wrong[:2]}")
    status, failed = home.ask("/v1/arrivals?state=failed")
    tally.check("there are no dead letters", (status, failed.get("items")) == (200, []), f"{status} {failed}")
    return server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--crypto", type=Path, required=True, help="our crypto, as a program")
    parser.add_argument("--node", default="node")
    parser.add_argument("--work", type=Path, required=True, help="folder for the home and its logs; emptied first")
    parser.add_argument("--seed", type=int, default=20240501)
    args = parser.parse_args()
    print(f"seed {args.seed}")
    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    chance, tally, here = random.Random(args.seed), Tally(), Path(__file__).resolve().parent
    ours, node = Lines([str(args.crypto.resolve())], here), Lines([args.node, "other.mjs"], here)
    by_others(ours, node, chance, tally)
    ours.end()
    node.end()
    playbook = args.work / "playbook.yaml"
    playbook.write_text(PLAYBOOK, encoding="utf-8")
    home = WecomHome(args.binary, ["--home", str(args.work / "home")], args.work / "serve.log")
    home.channels = args.work / "channels.json"
    callback = {"token_env": "WECOM_TOKEN", "aes_key_env": "WECOM_AES_KEY"}
    account = {"corp_id": CORP, "agent_id": AGENT, "callback": callback}
    channels = {"public_url": "https://vip.shop.example", "wecom": {"main": account}}
    home.channels.write_text(json.dumps(channels), encoding="utf-8")
    home.run("apply", str(playbook))
    home.key = home.run("key", "new", "--role", "owner", "--name", "wecom").strip().splitlines()[-1]
    server = home.serve()
    try:
        at_the_door(home, tally)
        server = killed(home, server, chance, tally)
    finally:
        server.kill()
        server.wait()
    well, said = home.well()
    tally.check("the doctor finds nothing", well, said)
    print(f"{tally.n_passed} passed, {tally.n_failed} failed")
    sys.exit(1 if tally.n_failed else 0)


if __name__ == "__main__":
    main()
