"""Who is whom, on both databases and under fire.

A made-up history of 600 people: purchases, refunds, spending; identifiers that meet, so that members
are merged, and partings of those who were merged wrongly. It is imported into SQLite undisturbed, then
into PostgreSQL by one process while two others decide beside it, all three killed again and again:
one digest, and so after a backup and a restore on the other database. Each person's points at the end
are summed up here, by nothing but who bought, returned and spent what.

The history and the moments are drawn from a seed that is printed. Closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from processes import DIGEST, Engine, Tally, at, imported_with_kills

PEOPLE = 600
EVENTS = 12_000
# So many are one person at most, as in life: a family, or one person's names in four places.
TOGETHER_MAX = 4
# Between two kills.
PAUSE_S = (0.1, 0.9)
PLAYBOOK = "playbook: brand\nextends: variety-store\npoints: { earn: [1 per 1 paid] }\n"


def history(chance: random.Random) -> tuple[list[dict], dict[str, int], int]:
    """Items in their order, what each person has at the end, and how often somebody is merged or parted."""
    items: list[dict] = []
    has: dict[str, int] = {}
    orders: list[list] = []
    one: dict[str, int] = {}
    # Since yesterday: nothing falls due in between, whoever happens to look when.
    time = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=20)
    n_said = 0

    def say(who: list[str], event: str, **properties: object) -> None:
        ids = [{"id": name, "type": "card"} for name in who]
        items.append({
            "type": "track", "event": event, "messageId": f"e{len(items)}", "timestamp": time.isoformat(),
            "context": {"externalIds": ids}, "properties": properties,
        })

    while len(items) < EVENTS:
        time += timedelta(seconds=chance.randrange(1, 9))
        who, what = f"p{chance.randrange(PEOPLE)}", chance.random()
        if what < 0.6 or who not in has:
            amount = chance.randrange(1, 300)
            number = f"o{len(items)}"
            say([who], "Order Completed", order_id=number, total=str(amount), currency="CNY")
            orders.append([who, number, amount])
            has[who] = has.get(who, 0) + amount
            one.setdefault(who, len(items))
        elif what < 0.7:
            order = chance.choice(orders)
            back = order[2] // 2
            if back and has[order[0]] >= back:
                say([order[0]], "Order Refunded", order_id=order[1], total=str(back), currency="CNY")
                order[2] -= back
                has[order[0]] -= back
        elif what < 0.8:
            amount = has[who] // 2
            if amount:
                say([who], "Points Spent", amount=amount)
                has[who] -= amount
        elif what < 0.92:
            other = chance.choice(list(one))
            people = sum(now in (one[who], one[other]) for now in one.values())
            if one[other] != one[who] and people <= TOGETHER_MAX:
                say([who, other], "Members Merge Asked")
                was = one[other]
                one.update({name: one[who] for name, now in one.items() if now == was})
                n_said += 1
        elif sum(now == one[who] for now in one.values()) > 1:
            say([who], "Members Unmerged")
            one[who] = -len(items)
            n_said += 1
    for who in list(one):
        if sum(now == one[who] for now in one.values()) > 1:
            say([who], "Members Unmerged")
            one[who] = -len(items)
            n_said += 1
    return items, has, n_said


def points(engine: Engine) -> dict[str, int]:
    """Everybody's points, by their first identifier."""
    said = engine.run("report", "members", "--format", "csv").stdout.splitlines()
    columns = said[0].split(",")
    shown = columns.index("points")
    found = {}
    for line in said[1:]:
        row = line.split(",")
        found[row[0].split(":")[-1]] = int(row[shown])
    return found


def main() -> None:
    """The whole test; exits 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, required=True, help="the engine")
    parser.add_argument("--work", type=Path, required=True, help="folder for homes and logs; emptied first")
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=20180101)
    args = parser.parse_args()
    server = os.environ.get("ZHIYIN_TEST_POSTGRES")
    if not server:
        sys.exit("ZHIYIN_TEST_POSTGRES names no server: `./run test persons` starts one")
    print(f"seed {args.seed}")
    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    chance, tally = random.Random(args.seed), Tally()
    items, has, n_said = history(chance)
    file, playbook = args.work / "history.jsonl", args.work / "playbook.yaml"
    file.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    playbook.write_text(PLAYBOOK, encoding="utf-8")
    print(f"{len(items)} items, {n_said} times somebody is merged or parted")
    what = [str(file), "--source", "desk", "--desk"]

    (args.work / "home").mkdir()
    sqlite = Engine(args.binary, f"sqlite:{args.work / 'home' / 'zhiyin.db'}", args.work / "sqlite.log")
    applied = sqlite.run("apply", str(playbook))
    done = sqlite.run("import", *what)
    tally.check("SQLite: imported", applied.returncode == 0 and done.returncode == 0, applied.stderr + done.stderr)
    well, said = sqlite.well()
    tally.check("SQLite: the doctor finds nothing", well, said)
    expected = sqlite.digest()
    tally.check("SQLite: a digest", DIGEST.fullmatch(expected) is not None, expected)
    found = points(sqlite)
    wrong = {who: (found.get(who), amount) for who, amount in has.items() if found.get(who) != amount}
    tally.check(f"everybody of {len(has)} has what they bought, returned and spent", not wrong, str(list(wrong.items())[:5]))

    for shards in (1, 4):
        name = f"persons_{os.getpid()}_{shards}"
        engine = Engine(args.binary, at(server, name, shards=shards), args.work / f"pg{shards}.log")
        applied = engine.run("apply", str(playbook))
        kills, status = imported_with_kills(engine, what, args.kills, PAUSE_S, chance)
        settled = engine.run("work", "--drain")
        right = applied.returncode == 0 and status == 0 and settled.returncode == 0 and engine.digest() == expected
        tally.check(f"PostgreSQL, {shards} schemas, {kills} kills: the same digest", right, f"{engine.digest()} {engine.log.read_text()[-800:]}")
        well, said = engine.well()
        tally.check(f"PostgreSQL, {shards} schemas: the doctor finds nothing", well, said)
        backup = args.work / f"pg{shards}.backup"
        saved = engine.run("backup", str(backup))
        back = Engine(args.binary, f"sqlite:{args.work / f'back{shards}' / 'zhiyin.db'}", args.work / "back.log")
        (args.work / f"back{shards}").mkdir()
        restored = back.run("restore", str(backup))
        right = saved.returncode == 0 and restored.returncode == 0 and back.digest() == expected
        tally.check("restored on SQLite: the same digest", right, saved.stderr + restored.stderr + back.digest())
        well, said = back.well()
        tally.check("restored on SQLite: the doctor finds nothing", well, said)
    print(f"{tally.n_passed} passed, {tally.n_failed} failed")
    sys.exit(1 if tally.n_failed else 0)


if __name__ == "__main__":
    main()
