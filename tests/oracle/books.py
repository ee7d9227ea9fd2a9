"""The books of the demo's year, month by month, against what the oracle computed from the retailer's files.

What is owed at the end of a month, in all, by tier and by home store, is the sum of the points that the replay of `oracle.py` gives
households as of that day; a home store is that of the last basket before the month's end. Nothing is spent, taken back or
expires in that year, so what was earned is what the closing is above the opening. Each line must add up, each column of a cut
must sum to that of all, and each month must open with what the one before closed. Then the months are closed on a copy of the
home: their lines must stay as they were, and the doctor must be content.

Prints the first differences and closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import csv
import io
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import oracle
from compare import engine

MONTHS = [f"2017-{month:02}" for month in range(1, 13)]
MOVES = ["earned", "spent", "expired", "reversed", "adjusted", "taken_over", "moved"]
COLUMNS = ["opening", *MOVES, "closing"]
DIFFERENCES_SHOWN = 5

Lines = dict[tuple[str, str], dict[str, int]]


def books(binary: Path, home: Path) -> tuple[dict[str, Lines], dict[str, str]]:
    """The lines of each month by (by, of), and how each month stands."""
    text = engine(binary, home, "books", "export", "--from", MONTHS[0], "--to", MONTHS[-1])
    months: dict[str, Lines] = {month: {} for month in MONTHS}
    states: dict[str, str] = {}
    for row in csv.DictReader(io.StringIO(text)):
        months[row["month"]][row["by"], row["of"]] = {
            column: int(row[column]) for column in [*COLUMNS, "liability_minor"]
        }
        states[row["month"]] = row["state"]
    return months, states


def end_of_month(month: str) -> int:
    """The last microsecond of a month."""
    year, number = map(int, month.split("-"))
    following = f"{year + number // 12}-{number % 12 + 1:02}-01"
    return oracle.end_of(following) - 24 * 3600 * 1_000_000


def stores(data: Path) -> list[tuple[int, int, str]]:
    """(time, household, store) of every basket."""
    import duckdb

    return duckdb.connect().execute(
        """
        SELECT epoch_us(min(transaction_timestamp)), household_id, CAST(min(store_id) AS VARCHAR)
        FROM read_parquet($1) GROUP BY basket_id, household_id
        """,
        [str(data / "transactions.parquet")],
    ).fetchall()


def owed(standing: dict[int, oracle.Member], baskets: list[tuple[int, int, str]], until_us: int) -> Counter:
    """What is owed at an instant, by (by, of)."""
    last: dict[str, tuple[int, str]] = {}
    for time_us, household, store in baskets:
        if time_us <= until_us:
            last[str(household)] = max(last.get(str(household), (0, "")), (time_us, store))
    sums: Counter = Counter()
    for household, row in oracle.answer(standing, until_us).items():
        points, tier = row[2], row[4]
        sums["all", ""] += points
        sums["tier", tier] += points
        sums["store", last.get(household, (0, "none"))[1]] += points
    return sums


def differences(month: str, lines: Lines, before: Lines | None, expected: Counter, was: Counter) -> list[str]:
    """A sentence for each line that is not what it must be."""
    wrong = []
    for key, line in lines.items():
        if line["opening"] + sum(line[column] for column in MOVES) != line["closing"]:
            wrong.append(f"{month} {key} does not add up: {line}")
        if line["closing"] != expected[key]:
            wrong.append(f"{month} {key}: {line['closing']} owed, expected {expected[key]}")
        if before is not None and line["opening"] != before.get(key, {}).get("closing", 0):
            wrong.append(f"{month} {key} opens with {line['opening']}, not with what was closed")
        if line["spent"] or line["expired"] or line["reversed"] or line["adjusted"] or line["taken_over"]:
            wrong.append(f"{month} {key}: something moved that could not: {line}")
    wrong += [f"{month} {key} is missing" for key, sum_ in expected.items() if sum_ and key not in lines]
    every = lines["all", ""]
    if every["earned"] != expected["all", ""] - was["all", ""] or every["moved"]:
        wrong.append(f"{month}: {every}, expected {expected['all', ''] - was['all', '']} earned")
    for by in ("store", "tier"):
        for column in [*COLUMNS, "liability_minor"]:
            total = sum(line[column] for (cut, _), line in lines.items() if cut == by)
            if total != every[column]:
                wrong.append(f"{month}: {column} by {by} comes to {total}, not {every[column]}")
    return wrong


def main() -> None:
    """Compares each month, closes them on a copy, and compares again; exits 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--binary", type=Path, required=True, help="the engine")
    parser.add_argument("--home", type=Path, required=True, help="a home with the year imported")
    args = parser.parse_args()

    verdicts: list[bool] = []

    def verdict(name: str, wrong: list[str]) -> None:
        print(f"test {name} ... {'FAILED' if wrong else 'ok'}", flush=True)
        for sentence in wrong[:DIFFERENCES_SHOWN]:
            print(f"  {sentence}")
        verdicts.append(not wrong)

    year, baskets = oracle.read(args.data), stores(args.data)
    with tempfile.TemporaryDirectory(prefix="zhiyin-books-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        shutil.copy(args.home / "zhiyin.db", home / "zhiyin.db")
        open_, states = books(args.binary, home)
        was: Counter = Counter()
        before: Lines = {}
        ends = [end_of_month(month) for month in MONTHS]
        for month, until_us, standing in zip(MONTHS, ends, oracle.replays(year, ends)):
            expected = owed(standing, baskets, until_us)
            verdict(f"books of {month}", differences(month, open_[month], before, expected, was))
            before, was = open_[month], expected
        ended = [month for month in MONTHS if states[month] == "open"]
        for month in ended:
            engine(args.binary, home, "books", "close", month)
        closed, states = books(args.binary, home)
        wrong = [f"{month} is {states[month]}" for month in ended if states[month] != "closed"]
        verdict(f"{len(ended)} months are closed", wrong or ([] if ended else ["none had ended"]))
        verdict("closed months are what they were", [m for m in MONTHS if closed[m] != open_[m]])
        checks = engine(args.binary, home, "doctor").splitlines()
        verdict("the doctor is content", [line for line in checks if line.startswith("FAIL")])
    n_failed = verdicts.count(False)
    print(f"{len(verdicts) - n_failed} passed, {n_failed} failed")
    sys.exit(1 if n_failed else 0)


if __name__ == "__main__":
    main()
