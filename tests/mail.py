"""E-mail from a served home to a mail server that shares nothing with ours: Python's own asyncio speaks SMTP, its own `email` reads what
comes, and its own HTTP client presses the button.

    mail.py --binary ZHIYIN --work FOLDER [--seed N]

1. Orders set messages off; some are refused for now, some for good, of some the server hangs up when it has them. Each member gets theirs
   once at most, whoever was refused for good reads it in the app, and what the server may have had is `unknown` and stays so.
2. The server is killed (`kill -9`) while it hands messages over, and started anew: nobody gets one twice.
3. What came can be read: text and HTML, in the member's language, escaped; one click wants no more of it; a bounce and a complaint are
   taken and do what they say.

Closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import email
import email.policy
import json
import random
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from coupons import ADDRESS, PATIENCE_S, Home
from crash import Tally

MEMBERS = 40
KILLS = 4
PLAYBOOK = """playbook: brand
extends: variety-store
consent:
  purposes:
    marketing: { channels: [inbox, email] }
messages:
  thanks:
    subject: { zh: '谢谢 {{ member.name }}', en: 'Thank you {{ member.name }}' }
    text: { zh: "您好 {{ member.name }}\\n订单 {{ key }}", en: "Hello {{ member.name }}\\norder {{ key }}" }
campaigns:
  thanks:
    purpose: marketing
    on: event Order Completed
    again: per order_id
    holdout: 0%
    steps: [{ send: thanks, by: [email, inbox] }]
"""


class MailServer:
    """An SMTP server that answers by whom a message is for."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, bytes]] = []
        # For whom: what RCPT is answered (once each), and for whom the line goes dead when the text is there.
        self.recipients: dict[str, list[str]] = {}
        self.hang_up: set[str] = set()
        self.port = 0
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()
        self.ready.wait(PATIENCE_S)

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.talk, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(line.encode() + b"\r\n")
            await writer.drain()

        try:
            await say("220 mail.test ESMTP")
            sender = recipient = ""
            while line := await reader.readline():
                verb, rest = line[:4].upper(), line.decode()
                if verb == b"EHLO":
                    await say("250-mail.test\r\n250 8BITMIME")
                elif verb == b"MAIL":
                    sender = rest[rest.index("<") + 1 : rest.index(">")]
                    await say("250 2.1.0 well")
                elif verb == b"RCPT":
                    recipient = rest[rest.index("<") + 1 : rest.index(">")]
                    answers = self.recipients.get(recipient, [])
                    await say(answers.pop(0) if answers else "250 2.1.5 well")
                elif verb == b"DATA":
                    await say("354 go on")
                    text = await reader.readuntil(b"\r\n.\r\n")
                    self.got.append((sender, recipient, text[:-5].replace(b"\r\n..", b"\r\n.")))
                    if recipient in self.hang_up:
                        self.hang_up.discard(recipient)
                        return
                    await say(f"250 2.0.0 queued as {len(self.got)}")
                elif verb == b"QUIT":
                    await say("221 2.0.0 bye")
                    return
                else:
                    await say("250 2.0.0 well")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class MailHome(Home):
    """A home whose server hands e-mail over."""

    channels: Path

    def serve(self) -> subprocess.Popen:
        command = [str(self.binary), "serve", "--listen", "127.0.0.1:0", "--open", "--channels", str(self.channels), *self.place]
        with self.log.open("a", encoding="utf-8") as out:
            server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=out, text=True)
        self.address = ADDRESS.search(server.stdout.readline()).group()
        return server

    def must(self, path: str, body: dict | None = None, once: str = "") -> dict:
        status, answer = self.ask(path, body, once)
        if status not in (200, 201, 202):
            raise SystemExit(f"{path}: {status} {answer}")
        return answer

    def sends(self) -> list[dict]:
        """All that left the home."""
        found, before = [], ""
        while True:
            page = self.must(f"/v1/sends?limit=200{before}")["items"]
            found += page
            if len(page) < 200:
                return found
            before = f"&before={page[-1]['send']}"


def name(n: int) -> str:
    return f"<b>N{n}</b>&"


def until(what, tally: Tally, says: str) -> None:
    """Waits until something is so."""
    ends = time.monotonic() + PATIENCE_S
    while not (found := what()) and time.monotonic() < ends:
        threading.Event().wait(0.1)
    tally.check(says, bool(found))


def press(url: str, data: bytes | None) -> tuple[int, str, dict]:
    """What a page answers; with data, what it answers to the button."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=60) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), dict(error.headers)


def report(kind: str, to: str, part: str) -> str:
    return (
        f"From: mailer@mx.example\r\nTo: <{to}>\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: message/{kind}\r\n\r\n{part}\r\n--b--\r\n"
    )


def members(home: MailHome) -> dict[int, str]:
    """Members who said yes, each with an address; every third speaks English. Their ids."""
    for n in range(MEMBERS):
        traits = {"name": name(n), "language": "en" if n % 3 == 0 else "zh"}
        context = {"externalIds": [{"id": f"m{n}@example.com", "type": "email"}]}
        home.must("/v1/identify", {"messageId": f"k{n}", "userId": f"m{n}", "traits": traits, "context": context})
        agreed = {"messageId": f"c{n}", "userId": f"m{n}", "event": "Consent Given", "properties": {"purpose": "marketing"}}
        home.must("/v1/track", agreed)
    found = {}
    for n in range(MEMBERS):
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            who = {"member": {"namespace": "user", "value": f"m{n}"}}
            status, answer = home.ask("/v1/commands/members/lookup", who)
            if status == 200:
                found[n] = answer["id"]
                break
            threading.Event().wait(0.05)
    return found


def buy(home: MailHome, n: int, round_: int) -> None:
    order = {"order_id": f"o{n}-{round_}", "total": "50"}
    home.must("/v1/track", {"messageId": f"o{n}-{round_}", "userId": f"m{n}", "event": "Order Completed", "properties": order})


def settled(home: MailHome, n: int) -> bool:
    """Whether so many left the home and none of them waits or is being handed over."""
    sends = home.sends()
    return len(sends) >= n and not any(one["state"] in ("waiting", "handed") for one in sends)


def once_each(mail: MailServer, home: MailHome, ids: dict[int, str], tally: Tally) -> None:
    """Refused for now, refused for good, dead lines."""
    soon, never, dead = range(0, 5), range(5, 10), range(10, 15)
    for n in soon:
        mail.recipients[f"m{n}@example.com"] = ["450 4.2.1 later"]
    for n in never:
        mail.recipients[f"m{n}@example.com"] = ["550 5.1.1 nobody"]
    mail.hang_up |= {f"m{n}@example.com" for n in dead}
    for n in range(MEMBERS):
        buy(home, n, 0)
    until(lambda: settled(home, MEMBERS), tally, "all messages come to an end")
    got = collections.Counter(to for _, to, _ in mail.got)
    expected = {f"m{n}@example.com": 1 for n in range(MEMBERS) if n not in never}
    tally.check("everybody got theirs once, but who was refused for good", got == expected, f"{got}")
    states = {one["member"]: one["state"] for one in home.sends()}
    wrong = [n for n in range(MEMBERS) if states[ids[n]] != ("failed" if n in never else "unknown" if n in dead else "sent")]
    tally.check("sent, failed or unknown, as it went", not wrong, f"{wrong} {states}")
    inboxes = lambda: [len(home.must(f"/v1/members/{ids[n]}/inbox")["items"]) for n in range(15)]
    until(lambda: inboxes() == [0] * 5 + [1] * 5 + [0] * 5, tally, "who was refused for good reads it in the app")


def killed(mail: MailServer, home: MailHome, server: subprocess.Popen, chance: random.Random, tally: Tally) -> subprocess.Popen:
    """Kills while messages go out."""
    before = len(mail.got)
    for kill in range(KILLS):
        for n in range(15, MEMBERS):
            buy(home, n, kill + 1)
        threading.Event().wait(chance.uniform(0.05, 1.0))
        server.kill()
        server.wait()
        server = home.serve()
    # Three of them get no e-mail any more.
    number = MEMBERS + KILLS * (MEMBERS - 15 - 3)
    # What was in a dead server's hands is known to be lost only when its time is over: that is long.
    waits = lambda: len(home.sends()) >= number and not any(one["state"] == "waiting" for one in home.sends())
    until(waits, tally, "after kills all messages go on")
    words = collections.Counter(sender for sender, _, _ in mail.got[before:])
    tally.check("nobody got one twice", all(n == 1 for n in words.values()), f"{words.most_common(3)}")
    tally.check("and most went out", sum(words.values()) > KILLS * (MEMBERS - 15 - 3) * 0.8, f"{sum(words.values())}")
    return server


def read(mail: MailServer, tally: Tally) -> dict[int, tuple[str, email.message.EmailMessage]]:
    """The first message of each member, as Python reads it."""
    first: dict[int, tuple[str, email.message.EmailMessage]] = {}
    for sender, to, raw in mail.got:
        n = int(to[1 : to.index("@")])
        if n not in first:
            first[n] = (sender, email.message_from_bytes(raw, policy=email.policy.default))
    wrong = []
    for n, (sender, message) in first.items():
        english = n % 3 == 0
        text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
        html = message.get_body(("html",)).get_content()
        hello = f"Hello {name(n)}\norder o{n}-0" if english else f"您好 {name(n)}\n订单 o{n}-0"
        right = [
            text.startswith(hello + "\n"),
            f"&lt;b&gt;N{n}&lt;/b&gt;&amp;" in html and "<b>" not in html,
            message["Subject"] == (f"Thank you {name(n)}" if english else f"谢谢 {name(n)}"),
            message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click",
            message["From"].addresses[0].addr_spec == "hello@shop.example",
            sender.startswith("bounce+") and sender.endswith("@shop.example"),
            ("Unsubscribe:" if english else "退订:") in text,
        ]
        if not all(right):
            wrong.append((n, right, text, html))
    tally.check("text and HTML say what was written, escaped, in the member's language", not wrong, f"{wrong[:2]}")
    return first


def leaving(home: MailHome, first: dict, ids: dict[int, str], tally: Tally) -> None:
    """One click, a bounce, a complaint."""
    consents = lambda n: json.dumps(home.must(f"/v1/members/{ids[n]}")["consents"])
    way_out = first[20][1]["List-Unsubscribe"].strip("<>")
    url = home.address + way_out[way_out.index("/v1/") :]
    before = consents(20)
    status, page, headers = press(url, None)
    tally.check("to look shows a button", status == 200 and "<button" in page and "退订" in page, f"{status} {page}")
    tally.check("which nobody else may frame", "frame-ancestors 'none'" in headers.get("content-security-policy", ""), f"{headers}")
    tally.check("and changes nothing", consents(20) == before)
    status, page, _ = press(url, b"List-Unsubscribe=One-Click")
    tally.check("to press it withdraws", status == 200 and "已退订" in page, f"{status} {page}")
    until(lambda: consents(20) != before, tally, "consent is withdrawn")
    status, page, _ = press(url[:-1] + ("0" if url[-1] != "0" else "1"), b"")
    tally.check("a word that nobody sealed is refused", status == 404, f"{status} {page}")

    gone = "Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; x\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    bounced = home.must("/v1/channels/email/bounces", {"message": report("delivery-status", first[21][0], gone)})
    tally.check("a bounce is taken", (bounced["kind"], bounced["did"]) == ("gone", "bounced"), f"{bounced}")
    complaint = home.must("/v1/channels/email/bounces", {"message": report("feedback-report", first[22][0], "Feedback-Type: abuse\r\n")})
    tally.check("a complaint is taken", (complaint["kind"], complaint["did"]) == ("complaint", "withdrawn"), f"{complaint}")
    states = lambda n: [one["state"] for one in home.must(f"/v1/members/{ids[n]}/sends?state=bounced")["items"]]
    tally.check("the log tells of the bounce", states(21) == ["bounced"], f"{states(21)}")
    printed = home.run("send", "list", "--state", "failed", "--format", "json")
    tally.check("the command line lists dead letters", "recipient_refused" in printed, printed[:300])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder for the home and its logs; emptied first")
    parser.add_argument("--seed", type=int, default=20240501)
    args = parser.parse_args()
    print(f"seed {args.seed}")
    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    chance, tally, mail = random.Random(args.seed), Tally(), MailServer()
    playbook = args.work / "playbook.yaml"
    playbook.write_text(PLAYBOOK, encoding="utf-8")
    home = MailHome(args.binary, ["--home", str(args.work / "home")], args.work / "serve.log")
    home.channels = args.work / "channels.json"
    channels = {
        "public_url": "https://vip.shop.example",
        "email": {
            "host": "127.0.0.1", "port": mail.port, "tls": "none", "at_once": 4, "from": "好物 <hello@shop.example>",
            "bounces": "bounce@shop.example", "limits": [{"per_minute": 6000, "burst": 100}],
        },
    }
    home.channels.write_text(json.dumps(channels), encoding="utf-8")
    home.run("apply", str(playbook))
    home.key = home.run("key", "new", "--role", "owner", "--name", "mail").strip().splitlines()[-1]
    server = home.serve()
    try:
        ids = members(home)
        tally.check("everybody is known", len(ids) == MEMBERS, f"{ids}")
        once_each(mail, home, ids, tally)
        first = read(mail, tally)
        leaving(home, first, ids, tally)
        server = killed(mail, home, server, chance, tally)
    finally:
        server.kill()
        server.wait()
    well, said = home.well()
    tally.check("the doctor finds nothing", well, said)
    print(f"{tally.n_passed} passed, {tally.n_failed} failed")
    sys.exit(1 if tally.n_failed else 0)


if __name__ == "__main__":
    main()
