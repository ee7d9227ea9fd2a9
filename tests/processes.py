"""Several processes on one PostgreSQL: they share the work, and may be killed at any moment.

1. The demo's year, imported by one process while two others decide beside it, all three killed
   (`kill -9`) again and again and started anew: one digest, that of an undisturbed import into SQLite.
   So does a home on four shards.
2. A live home with three workers: one is killed, one is stopped (SIGSTOP) in the middle of its work.
   What waits in their shares is taken over within five seconds, and what the stopped one still
   wanted to write when it comes back is refused: nothing is lost, nothing doubled.

The moments are drawn from a seed that is printed. Closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

DIGEST = re.compile(r"[0-9a-f]{64}")
# What an operator is promised.
STALL_S_MAX = 5.0
# Nothing here takes longer, whatever the machine.
PATIENCE_S = 300


class Tally:
    """Counts what passed and what failed, and says so."""

    def __init__(self) -> None:
        self.n_passed = 0
        self.n_failed = 0

    def check(self, what: str, right: bool, detail: str = "") -> None:
        """One test."""
        if right:
            self.n_passed += 1
        else:
            self.n_failed += 1
        print(f"test {what} ... {'ok' if right else 'FAILED'}", flush=True)
        if not right and detail:
            print("  " + detail.strip().replace("\n", "\n  "), flush=True)


class Engine:
    """The binary on one home."""

    def __init__(self, binary: Path, database: str, log: Path) -> None:
        self.binary = binary
        self.database = database
        self.log = log

    def words(self, *words: str) -> list[str]:
        """The command."""
        return [str(self.binary), *words, "--database", self.database]

    def run(self, *words: str) -> subprocess.CompletedProcess:
        """Runs a command to its end."""
        return subprocess.run(self.words(*words), capture_output=True, text=True, check=False, timeout=PATIENCE_S)

    def start(self, *words: str) -> subprocess.Popen:
        """Starts a process; its output is added to the log."""
        with self.log.open("a", encoding="utf-8") as out:
            return subprocess.Popen(self.words(*words), stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def digest(self) -> str:
        """The state's hash, or the sentence that came instead."""
        done = self.run("digest")
        text = done.stdout.strip()
        return text if done.returncode == 0 and DIGEST.fullmatch(text) else f"no digest: {text} {done.stderr}"

    def well(self) -> tuple[bool, str]:
        """Whether the doctor finds nothing, and what it says."""
        done = self.run("doctor")
        return done.returncode == 0, done.stdout[-1500:] + done.stderr[-500:]


def ended(process: subprocess.Popen) -> None:
    """Ends a process of ours, whatever it does."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.kill()
    process.wait()


def at(server: str, home: str, **options: int) -> str:
    """The address of a home on the server."""
    joint = "&" if "?" in server else "?"
    return server + joint + "&".join([f"home={home}", *(f"{key}={value}" for key, value in options.items())])


def imported_with_kills(
    engine: Engine, what: list[str], wanted: int, pause_s: tuple[float, float], chance: random.Random
) -> tuple[int, int]:
    """Imports with two workers beside, killing any of the three, each kill after a pause; kills and the import's status."""
    commands = [["import", *what], ["work"], ["work"]]
    running: list[subprocess.Popen | None] = [engine.start(*commands[0]), None, None]
    n_kills = 0
    began = time.monotonic()
    try:
        while time.monotonic() - began < PATIENCE_S:
            try:
                status = running[0].wait(timeout=chance.uniform(*pause_s))
            except subprocess.TimeoutExpired:
                status = None
            if status == 0:
                return n_kills, status
            # A worker that finds no home yet ends by itself; so does an import whose place somebody took.
            if n_kills < wanted:
                victim = chance.randrange(3)
                if running[victim] is not None and running[victim].poll() is None:
                    running[victim].kill()
                    running[victim].wait()
                    n_kills += 1
            for i, command in enumerate(commands):
                if running[i] is None or running[i].poll() is not None:
                    running[i] = engine.start(*command)
        return n_kills, -1
    finally:
        for process in running[1:]:
            if process is not None:
                process.terminate()
        for process in running:
            if process is not None:
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    ended(process)


def orders(first: int, n: int) -> str:
    """Items of a JSON Lines file."""
    lines = []
    for i in range(first, first + n):
        item = {
            "type": "track",
            "event": "Order Completed",
            "userId": f"m{i % 500}",
            "messageId": f"o{i}",
            "timestamp": f"2026-03-{1 + i % 28:02}T{i % 24:02}:{i % 60:02}:00Z",
            "properties": {"order_id": f"o{i}", "total": f"{10 + i % 90}.50", "currency": "CNY"},
        }
        lines.append(json.dumps(item))
    return "\n".join(lines) + "\n"


def ask(engine: Engine, sql: str) -> str:
    """Asks the engine's server."""
    server = re.sub(r"[?&](home|slots|shards)=[^&]*", "", engine.database)
    psql = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", server, "--command", sql]
    return subprocess.run(psql, capture_output=True, text=True, check=True, timeout=PATIENCE_S).stdout.strip()


def waits(engine: Engine) -> int:
    """How many rows of the inbox wait."""
    home = re.search(r"home=(\w+)", engine.database).group(1)
    sql = (
        f"SELECT COUNT(*) FROM {home}.event e JOIN {home}.slot s ON s.slot = e.slot "
        "WHERE e.derived = 0 AND e.seq > s.cursor"
    )
    return int(ask(engine, sql))


def until_nothing_waits(engine: Engine) -> float:
    """How long it takes until nothing waits."""
    began = time.monotonic()
    while waits(engine) > 0:
        if time.monotonic() - began > PATIENCE_S:
            break
        time.sleep(0.02)
    return time.monotonic() - began


def live_with_losses(engine: Engine, folder: Path, tally: Tally) -> None:
    """Part 2."""
    done = engine.run("apply", "variety-store")
    tally.check("a live home on PostgreSQL", done.returncode == 0, done.stderr)
    workers = [engine.start("work") for _ in range(3)]
    sent = 0

    def send(n: int) -> None:
        nonlocal sent
        file = folder / f"orders-{sent}.jsonl"
        file.write_text(orders(sent, n), encoding="utf-8")
        done = engine.run("import", str(file), "--source", "till", "--accept-only")
        tally.check(f"{n} orders are taken", done.returncode == 0, done.stdout + done.stderr)
        sent += n

    try:
        send(2000)
        took = until_nothing_waits(engine)
        tally.check(f"three workers decide them ({took:.2f} s)", took < 60)
        for how, number in [("killed", signal.SIGKILL), ("stopped", signal.SIGSTOP)]:
            send(3000)
            workers[0].send_signal(number)
            if number == signal.SIGKILL:
                workers[0].wait()
            began = time.monotonic()
            send(500)
            until_nothing_waits(engine)
            took = time.monotonic() - began
            # What three would have done in the meantime is done by two.
            tally.check(f"one is {how}: nobody waits longer than {STALL_S_MAX} s ({took:.2f} s)", took < STALL_S_MAX)
            if number == signal.SIGKILL:
                workers[0] = engine.start("work")
            else:
                workers[0].send_signal(signal.SIGCONT)
        # A database that starts anew, or breaks all connections: whoever is at work goes on afterwards.
        send(1000)
        ask(engine, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'zhiyin'")
        took = until_nothing_waits(engine)
        alive = [process.poll() for process in workers]
        tally.check(f"all connections break: the work goes on ({took:.2f} s)", took < 30 and alive == [None] * 3, str(alive))
        send(2000)
        took = until_nothing_waits(engine)
        tally.check(f"the one that was stopped goes on ({took:.2f} s)", took < 60 and workers[0].poll() is None)
        for process in workers:
            process.terminate()
        ends = [process.wait(timeout=30) for process in workers]
        tally.check("workers end when they are told to", ends == [0, 0, 0], str(ends))
    finally:
        for process in workers:
            ended(process)
    well, said = engine.well()
    tally.check("the doctor finds nothing", well, said)
    report = engine.run("report", "members", "--format", "csv")
    counted = sum(int(line.split(",")[1]) for line in report.stdout.splitlines()[1:])
    tally.check(f"each of {sent} orders counts once", counted == sent, f"{counted}")


def main() -> None:
    """The whole test; exits 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--binary", type=Path, required=True, help="the engine")
    parser.add_argument("--baseline", type=Path, required=True, help="a home filled by an undisturbed import")
    parser.add_argument("--work", type=Path, required=True, help="folder for logs and files; emptied first")
    parser.add_argument("--kills", type=int, default=12, help="how often processes are killed while the year comes in")
    parser.add_argument("--seed", type=int, default=20180101)
    args = parser.parse_args()
    server = os.environ.get("ZHIYIN_TEST_POSTGRES")
    if not server:
        sys.exit("ZHIYIN_TEST_POSTGRES names no server: `./run test processes` starts one")
    print(f"seed {args.seed}")
    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    chance, tally = random.Random(args.seed), Tally()
    baseline = Engine(args.binary, f"sqlite:{args.baseline / 'zhiyin.db'}", args.work / "baseline.log")
    expected = baseline.digest()
    tally.check("the baseline has a digest", DIGEST.fullmatch(expected) is not None, expected)

    home = f"year_{os.getpid()}"
    engine = Engine(args.binary, at(server, home), args.work / "year.log")
    began = time.monotonic()
    status = engine.start("import", "completejourney", str(args.data)).wait()
    seconds = time.monotonic() - began
    found = engine.digest()
    right = status == 0 and found == expected
    tally.check(f"the year on PostgreSQL gives the digest of SQLite ({seconds:.1f} s)", right, found)
    well, said = engine.well()
    tally.check("the doctor finds nothing on PostgreSQL", well, said)

    n_kills, n_homes = 0, 0
    while n_kills < args.kills and n_homes < args.kills:
        n_homes += 1
        options = {"shards": 4} if n_homes % 2 == 0 else {}
        name = f"{home}_{n_homes}"
        engine = Engine(args.binary, at(server, name, **options), args.work / f"{name}.log")
        year, pause_s = ["completejourney", str(args.data)], (0.05, seconds / 4)
        killed, status = imported_with_kills(engine, year, args.kills - n_kills, pause_s, chance)
        n_kills += killed
        settled = engine.run("work", "--drain")
        found = engine.digest()
        right = status == 0 and settled.returncode == 0 and found == expected
        where = "four shards" if options else "one shard"
        tally.check(f"three processes, {killed} kills, {where}: the same digest", right, found + engine.log.read_text()[-800:])
        well, said = engine.well()
        tally.check("the doctor finds nothing after the kills", well, said)

    live_with_losses(Engine(args.binary, at(server, f"live_{os.getpid()}"), args.work / "live.log"), args.work, tally)
    print(f"{tally.n_passed} passed, {tally.n_failed} failed")
    sys.exit(1 if tally.n_failed else 0)


if __name__ == "__main__":
    main()
