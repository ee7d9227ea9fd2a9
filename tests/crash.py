"""Kills the engine at random moments of the demo's import and asks whether anything was lost.

A home whose import was killed (`kill -9`) many times and begun again each time must come to the
same digest as one that was left in peace, and so must homes that were filled with other batch
sizes. After every kill `zhiyin doctor` must find the home in order, half-filled as it is.

The moments are drawn from a seed that is printed, so that a failure can be tried again. Closes
with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

DIGEST = re.compile(r"[0-9a-f]{64}")
KILLS = int(os.environ.get("ZHIYIN_KILLS", "12"))
BATCH_SIZES = [64, 500, 4096]
# One kill in so many falls into the first moments, where the database is made.
EARLY_EVERY = 4
EARLY_S_MAX = 0.3


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
    """The binary and the data it is fed with."""

    def __init__(self, binary: Path, data: Path) -> None:
        self.binary = binary
        self.data = data

    def run(self, *words: str, home: Path) -> subprocess.CompletedProcess:
        """Runs a command to its end."""
        return subprocess.run(
            [str(self.binary), *words, "--home", str(home)], capture_output=True, text=True, check=False
        )

    def importing(self, home: Path, log: Path, *options: str) -> subprocess.Popen:
        """Begins (or goes on with) the import; its output is added to a log."""
        words = [str(self.binary), "import", "completejourney", str(self.data), "--home", str(home), *options]
        with log.open("a", encoding="utf-8") as out:
            return subprocess.Popen(words, stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def digest(self, home: Path) -> str:
        """The state's hash, or the sentence that came instead."""
        done = self.run("digest", home=home)
        text = done.stdout.strip()
        return text if done.returncode == 0 and DIGEST.fullmatch(text) else f"no digest: {text} {done.stderr}"


def kill_and_resume(
    engine: Engine, home: Path, seconds: float, wanted: int, chance: random.Random, tally: Tally
) -> int:
    """Fills a home while killing the import up to `wanted` times; gives how often it was killed."""
    log = home.with_suffix(".log")
    n_kills = 0
    while True:
        process = engine.importing(home, log)
        limit = EARLY_S_MAX if n_kills % EARLY_EVERY == EARLY_EVERY - 1 else seconds / 4
        # Past the wanted number of kills it may end in peace.
        delay = chance.uniform(0, limit) if n_kills < wanted else None
        began = time.monotonic()
        try:
            status = process.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            n_kills += 1
            after = time.monotonic() - began
            # Before the first moments are over there may be no home to look at.
            if any(home.glob("*")):
                done = engine.run("doctor", home=home)
                what = f"doctor after kill {n_kills} at {after:.2f} s"
                tally.check(what, done.returncode == 0, done.stdout[-800:] + done.stderr[-800:])
            continue
        tally.check(f"the import ends well after {n_kills} kills", status == 0, log.read_text()[-800:])
        return n_kills


def main() -> None:
    """The whole test; exits 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--binary", type=Path, required=True, help="the engine")
    parser.add_argument("--baseline", type=Path, help="a home filled by another, undisturbed import")
    parser.add_argument("--work", type=Path, required=True, help="folder for homes and logs; emptied first")
    parser.add_argument("--seed", type=int, default=20180101)
    args = parser.parse_args()
    print(f"seed {args.seed}")

    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    engine, chance, tally = Engine(args.binary, args.data), random.Random(args.seed), Tally()

    # What an undisturbed import comes to: that of the home that is there, or one more. Each batch size gets a home of its own, with
    # an id key of its own, which the digest must not know; they also say how long an import takes.
    expected, seconds = "", 0.0
    if args.baseline:
        expected = engine.digest(args.baseline)
        tally.check("an undisturbed import has a digest", DIGEST.fullmatch(expected) is not None, expected)
    for size in BATCH_SIZES if args.baseline else [None, *BATCH_SIZES]:
        name = "peace" if size is None else f"batch-{size}"
        home, log = args.work / name, args.work / f"{name}.log"
        began = time.monotonic()
        status = engine.importing(home, log, *([] if size is None else ["--batch-size", str(size)])).wait()
        took = time.monotonic() - began
        found = engine.digest(home)
        seconds = min(seconds or took, took)
        if size is None:
            expected = found
            right = status == 0 and DIGEST.fullmatch(found) is not None
            tally.check(f"an undisturbed import ({took:.1f} s)", right, found + log.read_text()[-800:])
            if not right:
                break
        else:
            right = status == 0 and found == expected
            tally.check(f"batch size {size} gives the same digest ({took:.1f} s)", right, found)
        if size is not None and right:
            shutil.rmtree(home)
    mib_max = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"import: {seconds:.1f} s, at most {mib_max} MiB resident; digest {expected}", flush=True)

    if DIGEST.fullmatch(expected):
        n_kills, n_lives = 0, 0
        while n_kills < KILLS:
            n_lives += 1
            home = args.work / f"killed-{n_lives}"
            killed = kill_and_resume(engine, home, seconds, KILLS - n_kills, chance, tally)
            n_kills += killed
            found = engine.digest(home)
            tally.check(f"killed {killed} times, the same digest", found == expected, found)
            if killed == 0:
                tally.check("the import lasts long enough to be killed", False)
                break
        done = engine.run("doctor", home=home)
        tally.check("doctor at the end", done.returncode == 0, done.stdout[-800:] + done.stderr[-800:])

    print(f"{tally.n_passed} passed, {tally.n_failed} failed")
    sys.exit(1 if tally.n_failed else 0)


if __name__ == "__main__":
    main()
