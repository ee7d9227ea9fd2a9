"""What members buy next, on the real year: counts and lifts against DuckDB's, and what was learned against what is merely liked.

How popular a department is, and what offering everybody what is popular comes to, are counted here from the retailer's files
alone. What was learned must beat that on the last quarter, which it has not seen, and must forecast about as much as was bought.

Closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import duckdb

from compare import engine

TODAY = "2017-12-31"
DAYS = 90
COUNTS = """
CREATE TABLE line AS
SELECT t.household_id AS h, p.department AS department,
       CAST(t.transaction_timestamp AS DATE) - DATE '{today}' AS ago
FROM read_parquet('{data}/transactions.parquet') t JOIN read_parquet('{data}/products.parquet') p USING (product_id)
WHERE CAST(t.transaction_timestamp AS DATE) <= DATE '{today}';
CREATE TABLE known AS
SELECT start, h FROM (VALUES ({days}), ({days} * 2)) AS s(start), (SELECT DISTINCT h, ago FROM line)
WHERE ago <= -start AND ago > -start - 2 * {days} GROUP BY start, h;
CREATE TABLE next AS
SELECT DISTINCT start, h, department FROM known JOIN line USING (h)
WHERE department <> '' AND ago > -start AND ago <= -start + {days};
"""


def popularity(database: duckdb.DuckDBPyConnection, start: int) -> dict[str, float]:
    """By department: the share of members who bought of it in the time that begins so many days before the last."""
    (members,) = database.execute("SELECT count(*) FROM known WHERE start = ?", [start]).fetchone()
    rows = database.execute("SELECT department, count(*) FROM next WHERE start = ? GROUP BY department", [start]).fetchall()
    return {department: (n + 0.5) / (members + 1) for department, n in rows}


def lift_of(liked: dict[str, float], database: duckdb.DuckDBPyConnection, names: list[str]) -> float:
    """The lift of the tenth of pairs of the departments that were most liked; of equals a part."""
    (members,) = database.execute("SELECT count(*) FROM known WHERE start = ?", [DAYS]).fetchone()
    bought = dict(database.execute("SELECT department, count(*) FROM next WHERE start = ? GROUP BY department", [DAYS]).fetchall())
    (before,) = database.execute("SELECT count(*) FROM known WHERE start = ?", [2 * DAYS]).fetchone()
    score = lambda name: liked.get(name, 0.5 / (before + 1))
    left, hits = 0.1 * members * len(names), 0.0
    for level in sorted({score(name) for name in names}, reverse=True):
        equal = [name for name in names if score(name) == level]
        pairs = members * len(equal)
        takes = min(left, pairs)
        hits += sum(bought.get(name, 0) for name in equal) * takes / pairs
        left -= takes
    return hits / sum(bought.values()) / 0.1


def main() -> None:
    """Compares; exits 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--binary", type=Path, required=True, help="the engine")
    parser.add_argument("--home", type=Path, required=True, help="a home with the year imported")
    args = parser.parse_args()
    asked = ["affinity", "--as-of", TODAY, "--days", str(DAYS)]
    view = json.loads(engine(args.binary, args.home, *asked, "--format", "json"))
    database = duckdb.connect()
    database.execute(COUNTS.format(data=args.data, today=TODAY, days=DAYS))
    verdicts: list[bool] = []

    def verdict(name: str, right: bool, detail: str) -> None:
        print(f"test {name} ... {'ok' if right else f'FAILED: {detail}'}", flush=True)
        verdicts.append(right)

    now = popularity(database, DAYS)
    wrong = [
        (one["category"], one["popularity"], now.get(one["category"]))
        for one in view["categories"]
        if one["category"] in now and abs(one["popularity"] - now[one["category"]]) > 1e-9
    ]
    verdict(f"popularity of {len(now)} departments", not wrong and len(now) > 20, str(wrong[:3]))
    trial = view["trial"]
    (bought,) = database.execute("SELECT count(*) FROM next WHERE start = ?", [DAYS]).fetchone()
    verdict("what was bought in the last quarter", trial["model"]["bought"] == bought, f"{trial['model']} {bought}")
    liked = lift_of(popularity(database, 2 * DAYS), database, [one["category"] for one in view["categories"]])
    verdict("the lift of what is popular", abs(trial["popularity"]["lift"] - liked) < 1e-6, f"{trial['popularity']} {liked}")
    ours = trial["model"]["lift"]
    print(f"  of the likeliest tenth {ours:.2f} times as many were bought as of all; of what is popular {liked:.2f} times")
    verdict("what was learned beats what is popular", ours > 1.05 * liked, f"{ours} {liked}")
    verdict("as much is forecast as was bought", abs(trial["forecast"] / bought - 1) < 0.05, f"{trial['forecast']} {bought}")
    likely = json.loads(engine(args.binary, args.home, *asked, "COSMETICS", "-n", "247", "--namespace", "household", "--format", "json"))
    chances = [one["chance"] for one in likely["likely"]]
    right = len(chances) == 247 and chances == sorted(chances, reverse=True) and all(0 < chance < 1 for chance in chances)
    verdict("the likeliest come first", right, str(chances[:5]))
    n_failed = verdicts.count(False)
    print(f"{len(verdicts) - n_failed} passed, {n_failed} failed")
    sys.exit(1 if n_failed else 0)


if __name__ == "__main__":
    main()
