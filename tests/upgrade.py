"""The release before this one and this one share a home, in either order, and at the same time.

1. PostgreSQL: the demo's year is begun by the previous release; this one joins while it is at work,
   brings the schema up to date under it, and takes over; then back, and forth again, with kills. The
   state has the digest of an undisturbed import by this release, and both doctors find nothing.
2. SQLite: the same, one after the other.

The moments are drawn from a seed that is printed. Closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

from processes import DIGEST, Engine, Tally, at, ended


def passed_on(engines: list[Engine], data: Path, chance: random.Random) -> list[str]:
    """Imports the year, each engine a part of it, killed in the middle; what went wrong."""
    for engine in engines[:-1]:
        process = engine.start("import", "completejourney", str(data))
        try:
            status = process.wait(timeout=chance.uniform(1.0, 2.5))
            return [f"it ended with {status}: {engine.log.read_text()[-800:]}"]
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    last = engines[-1].run("import", "completejourney", str(data))
    return [] if last.returncode == 0 else [last.stdout[-500:] + last.stderr[-800:]]


def main() -> None:
    """The whole test; exits 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--binary", type=Path, required=True, help="this engine")
    parser.add_argument("--previous", type=Path, required=True, help="the engine of the release before")
    parser.add_argument("--baseline", type=Path, required=True, help="a home filled by an undisturbed import")
    parser.add_argument("--work", type=Path, required=True, help="folder for homes and logs; emptied first")
    parser.add_argument("--seed", type=int, default=20180101)
    args = parser.parse_args()
    server = os.environ.get("ZHIYIN_TEST_POSTGRES")
    if not server:
        sys.exit("ZHIYIN_TEST_POSTGRES names no server: `./run test upgrade` starts one")
    print(f"seed {args.seed}")
    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    chance, tally = random.Random(args.seed), Tally()
    baseline = Engine(args.binary, f"sqlite:{args.baseline / 'zhiyin.db'}", args.work / "baseline.log")
    expected = baseline.digest()
    tally.check("the baseline has a digest", DIGEST.fullmatch(expected) is not None, expected)
    versions = [subprocess.run([str(binary), "--version"], capture_output=True, text=True, check=True).stdout.strip()
                for binary in (args.previous, args.binary)]
    tally.check(f"two releases: {versions[0]}, {versions[1]}", versions[0] != versions[1])

    for where, database in [
        ("PostgreSQL", at(server, f"upgrade_{os.getpid()}", shards=2)),
        ("SQLite", f"sqlite:{args.work / 'home' / 'zhiyin.db'}"),
    ]:
        (args.work / "home").mkdir(exist_ok=True)
        log = args.work / f"{where}.log"
        previous, now = Engine(args.previous, database, log), Engine(args.binary, database, log)
        beside: list[subprocess.Popen] = []
        try:
            problems = []
            first = previous.start("import", "completejourney", str(args.data))
            try:
                status = first.wait(timeout=chance.uniform(1.0, 2.5))
                problems.append(f"the first ended with {status}: {log.read_text()[-800:]}")
            except subprocess.TimeoutExpired:
                pass
            if where == "PostgreSQL":
                # This release comes while the one before is at work.
                beside = [now.start("work"), previous.start("work")]
                try:
                    status = first.wait(timeout=chance.uniform(1.0, 2.5))
                    problems.append(f"the first ended with {status}: {log.read_text()[-800:]}")
                except subprocess.TimeoutExpired:
                    pass
            ended(first)
            problems += passed_on([now, previous, now], args.data, chance)
            tally.check(f"{where}: the year, passed on and back", not problems, "\n".join(problems))
            alive = [process.poll() for process in beside]
            tally.check(f"{where}: those beside are still at work", not any(alive), f"{alive} {log.read_text()[-800:]}")
        finally:
            for process in beside:
                process.terminate()
            for process in beside:
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    ended(process)
        settled = now.run("work", "--drain")
        tally.check(f"{where}: what was left is decided", settled.returncode == 0, settled.stderr[-500:])
        found = now.digest()
        tally.check(f"{where}: the digest of an undisturbed import", found == expected, found)
        for engine, which in [(now, "this release"), (previous, "the one before")]:
            well, said = engine.well()
            tally.check(f"{where}: the doctor of {which} finds nothing", well, said)
    print(f"{tally.n_passed} passed, {tally.n_failed} failed")
    sys.exit(1 if tally.n_failed else 0)


if __name__ == "__main__":
    main()
