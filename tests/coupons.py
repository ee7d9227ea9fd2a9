"""Coupons over HTTP while many ask at once, and while servers are killed: never one too many, and every account exact.

1. A crowd: 1,000 clients ask at the same moment for a coupon of which there are 100, one a member, two clients for each of 500
   members. Exactly 100 are told that they have one, 100 members have one, and nobody has two.
2. A storm: clients issue and take back, an issue goes to everybody, coupons of the days before expire, and the server is killed
   (`kill -9`) again and again; each life begins a day later. After each kill the doctor must find nothing. In the end everything
   that was acknowledged is there, everybody has the issue's coupon once, and the stock is what is out.

The moments are drawn from a seed that is printed. Closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from crash import Tally

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
MEMBERS = 500
CLIENTS = 1_000
STOCK = 100
KILLS = 8
# Kills fall within so long of the start of a server.
WITHIN_S = 4.0
STORM_CLIENTS = 12
# Nothing that is asked for takes longer, whatever the machine.
PATIENCE_S = 120
DAY_US = 86_400_000_000
PLAYBOOK = f"""playbook: brand
extends: variety-store
offers:
  scarce: {{ name: {{ zh: 限量券, en: Scarce }}, lane: coupon, off: 5, coupon: {{ valid: 7d }}, limit: 1 per member, stock: {STOCK} }}
  daily: {{ name: {{ zh: 当日券, en: Daily }}, lane: coupon, off: 5, coupon: {{ valid: 1d }}, stock: 600 }}
  all: {{ name: {{ zh: 人人券, en: All }}, lane: coupon, off: 5, coupon: {{ valid: 2d, remind: 1d }}, stock: 100000 }}
"""


class Home:
    """A home, and what is asked of it."""

    def __init__(self, binary: Path, place: list[str], log: Path) -> None:
        self.binary, self.place, self.log = binary, place, log
        self.key = self.address = ""

    def run(self, *words: str) -> str:
        """Runs a command to its end; gives what it printed."""
        command = [str(self.binary), *words, *self.place]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        if done.returncode != 0:
            raise SystemExit(f"zhiyin {' '.join(words)}: exit {done.returncode}\n{done.stdout[-900:]}{done.stderr.strip()}")
        return done.stdout

    def well(self) -> tuple[bool, str]:
        """Whether the doctor finds nothing, and what it says."""
        command = [str(self.binary), "doctor", *self.place]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        return done.returncode == 0, done.stdout[-1500:] + done.stderr[-500:]

    def serve(self) -> subprocess.Popen:
        """Starts a server."""
        command = [str(self.binary), "serve", "--listen", "127.0.0.1:0", "--open", *self.place]
        with self.log.open("a", encoding="utf-8") as out:
            server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=out, text=True)
        self.address = ADDRESS.search(server.stdout.readline()).group()
        return server

    def ask(self, path: str, body: dict | None = None, once: str = "") -> tuple[int, dict]:
        """The status and what the server answers; 0 where nobody does."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        if once:
            headers["Idempotency-Key"] = once
        try:
            with urllib.request.urlopen(urllib.request.Request(self.address + path, data, headers), timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            try:
                return error.code, json.load(error)
            except (OSError, ValueError):
                return 0, {}
        except (OSError, ValueError):
            return 0, {}

    def issue(self, member: int, offer: str, once: str) -> tuple[int, dict]:
        """Asks for a coupon for a member, until somebody answers for good."""
        who = {"namespace": "user", "value": f"u{member}"}
        body = {"member": who, "offer": offer, "reason": "tests"}
        ends = time.monotonic() + PATIENCE_S
        while True:
            status, answer = self.ask("/v1/commands/coupons/issue", body, once)
            if status in (200, 409) or time.monotonic() > ends:
                return status, answer
            if status == 0 and not self.address:
                return status, answer
            threading.Event().wait(0.05)

    def coupons(self, member: str) -> list[dict]:
        """A member's coupons, by the member's id."""
        status, answer = self.ask(f"/v1/members/{member}/coupons")
        if status != 200:
            raise SystemExit(f"coupons of {member}: {status} {answer}")
        return answer["items"]

    def a_day_later(self) -> None:
        """Moves business on by a day, while nobody serves."""
        sql = f"UPDATE home SET offset_us = offset_us + {DAY_US}"
        if self.place[0] == "--home":
            with sqlite3.connect(Path(self.place[1]) / "zhiyin.db") as database:
                database.execute(sql)
            return
        self.psql(sql.replace("home SET", f"{self.schema()}.home SET"))

    def schema(self) -> str:
        """What the home is called on the server."""
        return re.search(r"home=(\w+)", self.place[1]).group(1)

    def psql(self, sql: str) -> None:
        """Says something to the server, past the engine."""
        server = re.sub(r"[?&]home=\w+", "", self.place[1])
        known = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/psql")), Path("psql")]
        words = [shutil.which("psql") or str(known[0]), "-qX", "-v", "ON_ERROR_STOP=1", "-c", sql, server]
        subprocess.run(words, check=True, timeout=PATIENCE_S, stderr=subprocess.DEVNULL)


def at_once(jobs: list) -> list:
    """What each of these gives, all begun at the same moment."""
    gate, given = threading.Barrier(len(jobs)), [None] * len(jobs)

    def one(place: int) -> None:
        gate.wait()
        given[place] = jobs[place]()

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given


def crowd(home: Home, name: str, tally: Tally) -> dict[int, str]:
    """The crowd; the members' ids, as far as they got one."""
    server = home.serve()
    try:
        began = time.monotonic()
        jobs = [lambda n=n: home.issue(n // 2, "scarce", f"crowd-{n}") for n in range(CLIENTS)]
        answers = at_once(jobs)
        took = time.monotonic() - began
        told = [n // 2 for n, (status, _) in enumerate(answers) if status == 200]
        codes = collections.Counter(answer.get("code") for status, answer in answers if status != 200)
        known = {n // 2: answer["member"] for n, (status, answer) in enumerate(answers) if status == 200}
        right = len(told) == STOCK == len(set(told)) and set(codes) <= {"out_of_stock", "limit_reached"}
        what = f"{name}: {CLIENTS} clients at once ({took:.1f} s), exactly {STOCK} of {STOCK}, one a member"
        tally.check(what, right, f"{len(told)} told, of {len(set(told))} members; {codes}")
        held = [home.coupons(member) for member in known.values()]
        tally.check(f"{name}: who was told has it, and no more", all(len(one) == 1 for one in held), str(held)[:600])
        # Asked again they hear the same.
        again = [home.issue(n // 2, "scarce", f"crowd-{n}") for n in range(0, CLIENTS, 50)]
        same = all(status == answers[n * 50][0] for n, (status, _) in enumerate(again))
        tally.check(f"{name}: asked again, each is told the same", same)
    finally:
        server.terminate()
        server.wait()
    tally.check(f"{name}: the doctor after the crowd", *home.well())
    return known


def life(home: Home, chance: random.Random, number: int, done: list, withdrawn: list) -> float:
    """A server that is killed while clients issue and take back; how long it lived."""
    server, over = home.serve(), threading.Event()
    seeds = [chance.random() for _ in range(STORM_CLIENTS)]

    def client(which: int) -> None:
        mine = random.Random(seeds[which])
        for step in range(10_000):
            if over.is_set():
                return
            once = f"storm-{number}-{which}-{step}"
            who = {"namespace": "user", "value": f"u{mine.randrange(MEMBERS)}"}
            body = {"member": who, "offer": "daily", "reason": "tests"}
            status, answer = home.ask("/v1/commands/coupons/issue", body, once)
            if status != 200:
                continue
            done.append((once, body, answer["member"]))
            if mine.random() < 0.6:
                try:
                    open_ones = [c for c in home.coupons(answer["member"]) if c["state"] == "active" and c["offer"] == "daily"]
                except SystemExit:
                    return
                if open_ones:
                    body = {"coupon": mine.choice(open_ones)["code"], "reason": "tests"}
                    status, _ = home.ask("/v1/commands/coupons/withdraw", body, f"{once}-back")
                    if status == 200:
                        withdrawn.append(body["coupon"])

    threads = [threading.Thread(target=client, args=(which,)) for which in range(STORM_CLIENTS)]
    for thread in threads:
        thread.start()
    home.ask("/v1/coupon-issues", {"batch": f"batch-{number // 3}", "offer": "all", "audience": "true"})
    lived = chance.uniform(0.2, WITHIN_S)
    over.wait(lived)
    server.kill()
    server.wait()
    over.set()
    for thread in threads:
        thread.join()
    return lived


def storm(home: Home, name: str, chance: random.Random, kills: int, tally: Tally) -> None:
    """The storm."""
    done: list = []
    withdrawn: list = []
    for number in range(kills):
        lived = life(home, chance, number, done, withdrawn)
        right, said = home.well()
        tally.check(f"{name}: the doctor after kill {number + 1} at {lived:.2f} s ({len(done)} issued)", right, said)
        home.a_day_later()
    server = home.serve()
    try:
        batches = (kills - 1) // 3 + 1
        ends, views = time.monotonic() + PATIENCE_S, []
        while time.monotonic() < ends:
            views = home.ask("/v1/coupon-issues")[1].get("items", [])
            if views and all(view["state"] == "done" for view in views):
                break
            threading.Event().wait(0.2)
        whole = len(views) == batches and all(view["issued"] == MEMBERS for view in views)
        tally.check(f"{name}: {batches} issues to everybody were brought to their end", whole, json.dumps(views)[:900])
        # What was acknowledged is answered as done, from the record.
        again = [home.ask("/v1/commands/coupons/issue", body, once) for once, body, _ in chance.sample(done, min(len(done), 60))]
        right = all(status == 200 and answer["again"] for status, answer in again)
        tally.check(f"{name}: what was acknowledged is not done again", right, str(again)[:600])
        page, members = None, []
        while True:
            path = "/v1/members?limit=100" + (f"&cursor={page}" if page else "")
            status, answer = home.ask(path)
            if status != 200:
                raise SystemExit(f"{path}: {status} {answer}")
            members += [one["id"] for one in answer["items"]]
            page = answer.get("next")
            if not page:
                break
        held = {member: home.coupons(member) for member in members}
        of_all = [sum(c["offer"] == "all" for c in coupons) for coupons in held.values()]
        right = len(of_all) == MEMBERS and set(of_all) == {batches}
        tally.check(f"{name}: each of {MEMBERS} members has one of each issue", right, str(collections.Counter(of_all)))
        states = collections.Counter(c["state"] for coupons in held.values() for c in coupons if c["offer"] == "daily")
        issued = sum(states.values())
        right = len(done) <= issued and states["withdrawn"] >= len(set(withdrawn)) and states["expired"] > 0
        tally.check(f"{name}: {issued} of the day's coupons, all that was acknowledged among them: {dict(states)}", right, str(len(done)))
        codes = [c["code"] for coupons in held.values() for c in coupons]
        tally.check(f"{name}: no code twice among {len(codes)}", len(codes) == len(set(codes)))
    finally:
        server.terminate()
        server.wait()
    tally.check(f"{name}: the doctor at the end", *home.well())


def asked(words: str, kills: int) -> argparse.Namespace:
    """What the command line says; the folder for homes and logs is emptied."""
    parser = argparse.ArgumentParser(description=words.splitlines()[0])
    parser.add_argument("--binary", type=Path, required=True, help="the engine")
    parser.add_argument("--work", type=Path, required=True, help="folder for homes and logs; emptied first")
    parser.add_argument("--postgres", help="postgres://USER@HOST/DATABASE to do the same on")
    parser.add_argument("--kills", type=int, default=kills)
    parser.add_argument("--seed", type=int, default=20180101)
    args = parser.parse_args()
    print(f"seed {args.seed}")
    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    return args


def homes(args: argparse.Namespace, what: str, text: str, members: int, total: int) -> Iterator[tuple[str, Home]]:
    """On each database a home under a playbook, with so many members who bought once; it is gone from the server afterwards."""
    playbook, history = args.work / "brand.yaml", args.work / "history.jsonl"
    playbook.write_text(text)
    order = {"type": "track", "event": "Order Completed", "timestamp": "2024-04-01T04:00:00Z"}
    lines = [
        order | {"messageId": f"o{n}", "userId": f"u{n}", "properties": {"order_id": f"o{n}", "total": str(total)}}
        for n in range(members)
    ]
    history.write_text("".join(json.dumps(line) + "\n" for line in lines))
    places = {"sqlite": ["--home", str(args.work / "home")]}
    if args.postgres:
        joint = "&" if "?" in args.postgres else "?"
        places["pg"] = ["--database", f"{args.postgres}{joint}home={what}_{time.time_ns() // 1_000_000}"]
    for name, place in places.items():
        home = Home(args.binary, place, args.work / f"{name}.log")
        home.run("apply", str(playbook))
        home.key = home.run("key", "new", "--role", "owner", "--name", "tests").strip()
        home.run("import", str(history))
        yield name, home
        if name == "pg":
            home.psql(f"DROP SCHEMA {home.schema()} CASCADE")


def main() -> None:
    """The whole test; exits 1 if anything failed."""
    args, tally = asked(__doc__, KILLS), Tally()
    for name, home in homes(args, "coupons", PLAYBOOK, MEMBERS, 10):
        crowd(home, name, tally)
        storm(home, name, random.Random(args.seed), args.kills, tally)
    print(f"{tally.n_passed} passed, {tally.n_failed} failed")
    sys.exit(1 if tally.n_failed else 0)


if __name__ == "__main__":
    main()
