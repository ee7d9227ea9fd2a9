"""Compares what the engine says of every household with what the oracle computed.

Each date is one test: the whole table of households must be equal, exactly. A household that was
not yet a member at the date may be left out of the engine's answer, or stand in it with nothing.

Prints the first differences of a failed date and closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import csv
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import oracle

# Before the first basket, the first day, each quarter's end, the day before and of the end of the term
# of whoever the first campaign enrolled, and the last whole day.
DATES = [
    "2016-12-31",
    "2017-01-01",
    "2017-01-31",
    "2017-03-31",
    "2017-05-08",
    "2017-06-30",
    "2017-09-30",
    "2017-11-13",
    "2017-11-14",
    "2017-12-31",
]
NOTHING = (0, 0, 0, 0, "regular", "introduction")
DIFFERENCES_SHOWN = 5


def engine(binary: Path, home: Path, *words: str) -> str:
    """Runs one command of the engine on the home; gives what it printed."""
    done = subprocess.run(
        [str(binary), *words, "--home", str(home)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"zhiyin {' '.join(words)}: exit {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def parse(text: str) -> dict[str, tuple]:
    """Reads the engine's `report members --format csv`; refuses another header."""
    reader = csv.reader(io.StringIO(text))
    header = next(reader, [])
    if header[: len(oracle.HEADER)] != oracle.HEADER:
        raise SystemExit(f"the report's header is {header}, expected {oracle.HEADER}")
    rows: dict[str, tuple] = {}
    for row in reader:
        household, orders, paid, points, growth, tier, lifecycle = row[: len(oracle.HEADER)]
        if household in rows:
            raise SystemExit(f"the report has household {household} twice")
        rows[household] = (int(orders), int(paid), int(points), int(growth), tier, lifecycle)
    return rows


def differences(expected: dict[str, tuple], found: dict[str, tuple]) -> list[str]:
    """A sentence for each household on which the two disagree."""
    sentences = []
    for household in sorted(expected.keys() | found.keys(), key=int):
        wanted = expected.get(household, NOTHING)
        given = found.get(household)
        if given is None:
            sentences.append(f"household {household} is missing, expected {wanted}")
        elif given != wanted:
            sentences.append(f"household {household}: expected {wanted}, found {given}")
    return sentences


def main() -> None:
    """Compares now and each date; exits 1 if any differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--binary", type=Path, required=True, help="the engine")
    parser.add_argument("--home", type=Path, help="a home with the year imported; else one is made")
    args = parser.parse_args()

    year = oracle.read(args.data)
    print(f"the year: {len(year.orders)} baskets, {year.lines} lines", flush=True)
    with tempfile.TemporaryDirectory(prefix="zhiyin-oracle-") as folder:
        home = args.home or Path(folder) / "home"
        if args.home is None:
            engine(args.binary, home, "import", "completejourney", str(args.data))
        n_failed = 0
        # One replay stops at each of them.
        untils = sorted((year.end_us if date is None else oracle.end_of(date), date or "") for date in [None, *DATES])
        standings = oracle.replays(year, [until_us for until_us, _ in untils])
        for (until_us, date), standing in zip(untils, standings):
            expected = oracle.answer(standing, until_us)
            as_of = ["--as-of", date] if date else []
            found = parse(engine(args.binary, home, "report", "members", "--format", "csv", *as_of))
            wrong = differences(expected, found)
            verdict = "FAILED" if wrong else "ok"
            print(f"test members as of {date or 'the last event'} ({len(found)} rows) ... {verdict}", flush=True)
            for sentence in wrong[:DIFFERENCES_SHOWN]:
                print(f"  {sentence}")
            if wrong:
                print(f"  {len(wrong)} households differ\n--- expected\n{oracle.summary(expected)}")
                print(f"--- found\n{oracle.summary(found)}", flush=True)
                n_failed += 1
    n_passed = 1 + len(DATES) - n_failed
    print(f"{n_passed} passed, {n_failed} failed")
    sys.exit(1 if n_failed else 0)


if __name__ == "__main__":
    main()
