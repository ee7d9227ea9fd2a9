"""Forty audiences of the demo's year, each asked of the engine as a condition and of DuckDB as SQL, and compared by
member set on three dates.

The SQL is written from what a condition means (docs/condition.md), straight over the retailer's Parquet files: it never sees
a database of ours. Days are calendar days in the data's zone (its times carry none and are taken as UTC). A basket is an
order; a line of it an item, worth its `sales_value` rounded to cents; equal rows of the table of redemptions are one
redemption; who was targeted is so from the first day of the campaign. A household is known from its first basket, target or
redemption on, and who is not known by a date is in no audience of it. Tier, lifecycle and points as of a date come from the
replay of `oracle.py`.

Every audience is asked of a server over HTTP, which keeps a past day while it is asked for; some are asked by the command
line too, as a user would. The server works on a copy of the home.

Prints the first differences and closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import oracle

DATES = ["2017-04-15", "2017-09-30", "2017-12-31"]
DIFFERENCES_SHOWN = 8
# How many audiences are asked by the command line together, too.
BY_COMMAND = 5
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")

# What DuckDB works on. `today` is the date that is asked for; everything later is out of sight.
TABLES = """
CREATE TABLE line AS
SELECT t.household_id AS h, t.basket_id AS basket, t.store_id AS store, t.product_id AS product,
       t.quantity AS pieces, CAST(round(t.sales_value * 100) AS BIGINT) AS cents,
       t.transaction_timestamp AS moment, CAST(t.transaction_timestamp AS DATE) AS day,
       p.department AS department, p.product_category AS category
FROM read_parquet('{data}/transactions.parquet') t
LEFT JOIN read_parquet('{data}/products.parquet') p USING (product_id);
CREATE TABLE basket AS
SELECT h, basket, min(moment) AS moment, min(day) AS day, min(store) AS store, sum(cents)::BIGINT AS cents, count(*) AS lines
FROM line GROUP BY h, basket;
CREATE TABLE redeemed AS
SELECT DISTINCT household_id AS h, coupon_upc AS coupon, campaign_id AS campaign,
       CAST(redemption_date AS DATE) AS day
FROM read_parquet('{data}/coupon_redemptions.parquet');
CREATE TABLE target AS
SELECT DISTINCT c.household_id AS h, c.campaign_id AS campaign, d.campaign_type AS kind, CAST(d.start_date AS DATE) AS day
FROM read_parquet('{data}/campaigns.parquet') c JOIN read_parquet('{data}/campaign_descriptions.parquet') d USING (campaign_id);
CREATE TABLE people AS
SELECT household_id AS h, age, income, home_ownership, marital_status, household_size, household_comp, kids_count
FROM read_parquet('{data}/demographics.parquet');
CREATE TABLE first_seen AS
SELECT h, min(day) AS day FROM (SELECT h, day FROM basket UNION ALL SELECT h, day FROM target
UNION ALL SELECT h, day FROM redeemed) GROUP BY h;
CREATE TABLE asked (today DATE);
CREATE TABLE standing (h BIGINT, tier VARCHAR, lifecycle VARCHAR, points BIGINT);
CREATE VIEW today AS SELECT today FROM asked;
CREATE VIEW o AS SELECT *, (SELECT today FROM asked) - day AS ago FROM basket WHERE day <= (SELECT today FROM asked);
CREATE VIEW i AS SELECT *, (SELECT today FROM asked) - day AS ago FROM line WHERE day <= (SELECT today FROM asked);
CREATE VIEW r AS SELECT *, (SELECT today FROM asked) - day AS ago FROM redeemed WHERE day <= (SELECT today FROM asked);
CREATE VIEW t AS SELECT *, (SELECT today FROM asked) - day AS ago FROM target WHERE day <= (SELECT today FROM asked);
CREATE VIEW known AS SELECT h FROM first_seen WHERE day <= (SELECT today FROM asked);
"""

# Names of the food the variety store's rules speak of (R8), in this data's categories.
SNACKS = "'BAG SNACKS', 'CANDY - PACKAGED', 'CANDY - CHECKLANE', 'COOKIES/CONES'"
SNACKS_CEL = '"BAG SNACKS", "CANDY - PACKAGED", "CANDY - CHECKLANE", "COOKIES/CONES"'
TOOLS = "'MAKEUP AND TREATMENT', 'FRAGRANCES'"
TOOLS_CEL = '"MAKEUP AND TREATMENT", "FRAGRANCES"'

# (name, condition, SQL that gives households h)
AUDIENCES: list[tuple[str, str, str]] = [
    (
        "pre-churn: four orders in a year, silent for 61 to 120 days (U3)",
        'size(within(orders, "365d")) >= 4 && days_since(last(orders)) > 60 && days_since(last(orders)) <= 120',
        "SELECT h FROM o GROUP BY h HAVING count(*) FILTER (ago <= 365) >= 4 AND min(ago) BETWEEN 61 AND 120",
    ),
    (
        "maturity by its rule (U3)",
        'size(within(orders, "365d")) >= 4 && days_since(last(orders)) <= 60',
        "SELECT h FROM o GROUP BY h HAVING count(*) FILTER (ago <= 365) >= 4 AND min(ago) <= 60",
    ),
    (
        "lost by its rule: silent for more than 120 days (U3)",
        "days_since(last(orders)) > 120",
        "SELECT h FROM o GROUP BY h HAVING min(ago) > 120",
    ),
    (
        "a snack festival basket: five snacks or more in one order, half a year (R8)",
        f'within(orders, "180d").exists(o, sum(o.items.filter(i, i.category in [{SNACKS_CEL}]).map(i, i.quantity)) >= 5)',
        f"SELECT DISTINCT h FROM (SELECT h, basket FROM i WHERE ago <= 180 AND category IN ({SNACKS}) "
        "GROUP BY h, basket HAVING sum(pieces) >= 5)",
    ),
    (
        "snack lovers: thirty pieces in half a year",
        f'sum(within(items, "180d").filter(i, i.category in [{SNACKS_CEL}]).map(i, i.quantity)) >= 30',
        f"SELECT h FROM i WHERE ago <= 180 AND category IN ({SNACKS}) GROUP BY h HAVING sum(pieces) >= 30",
    ),
    (
        "likely to buy beauty tools: cosmetics within 90 days, no such tools within 30 (T3)",
        'within(items, "90d").exists(i, i.department == "COSMETICS") '
        f'&& !within(items, "30d").exists(i, i.category in [{TOOLS_CEL}])',
        "SELECT DISTINCT h FROM i WHERE ago <= 90 AND department = 'COSMETICS' EXCEPT "
        f"SELECT h FROM i WHERE ago <= 30 AND category IN ({TOOLS})",
    ),
    (
        "beauty lovers: three pieces of cosmetics in half a year",
        'sum(within(items, "180d").filter(i, i.department == "COSMETICS").map(i, i.quantity)) >= 3',
        "SELECT h FROM i WHERE ago <= 180 AND department = 'COSMETICS' GROUP BY h HAVING sum(pieces) >= 3",
    ),
    (
        "evening people: three orders between 19:30 and 00:30 in 90 days (U6)",
        'size(within(orders, "90d").filter(o, clock(o) >= "19:30" || clock(o) < "00:30")) >= 3',
        "SELECT h FROM o WHERE ago <= 90 AND (moment::TIME >= TIME '19:30:00' OR moment::TIME < TIME '00:30:00') "
        "GROUP BY h HAVING count(*) >= 3",
    ),
    (
        "the peak before sleep: 22:00 on, at least twice in 90 days (U6)",
        'size(within(orders, "90d").filter(o, hour(o) >= 22)) >= 2',
        "SELECT h FROM o WHERE ago <= 90 AND hour(moment) >= 22 GROUP BY h HAVING count(*) >= 2",
    ),
    (
        "office hours: weekdays between 9 and 17, ten times in 90 days",
        'size(within(orders, "90d").filter(o, hour(o) >= 9 && hour(o) < 17 && !(weekday(o) in ["sat", "sun"]))) >= 10',
        "SELECT h FROM o WHERE ago <= 90 AND hour(moment) BETWEEN 9 AND 16 AND isodow(day) < 6 "
        "GROUP BY h HAVING count(*) >= 10",
    ),
    (
        "weekend shoppers: more than half of four orders or more in 90 days",
        'size(within(orders, "90d")) >= 4 '
        '&& 2 * size(within(orders, "90d").filter(o, weekday(o) in ["sat", "sun"])) > size(within(orders, "90d"))',
        "SELECT h FROM o WHERE ago <= 90 GROUP BY h "
        "HAVING count(*) >= 4 AND 2 * count(*) FILTER (isodow(day) >= 6) > count(*)",
    ),
    (
        "only at weekends",
        'within(orders, "90d").all(o, weekday(o) in ["sat", "sun"]) && size(within(orders, "90d")) >= 3',
        "SELECT h FROM o WHERE ago <= 90 GROUP BY h HAVING count(*) >= 3 AND count(*) FILTER (isodow(day) < 6) = 0",
    ),
    (
        "shoppers of the week: seven days back, today included",
        'size(within(orders, "7d")) >= 2',
        "SELECT h FROM o WHERE ago <= 7 GROUP BY h HAVING count(*) >= 2",
    ),
    (
        "nothing within 30 days",
        'size(within(orders, "30d")) == 0',
        "SELECT h FROM known EXCEPT SELECT h FROM o WHERE ago <= 30",
    ),
    (
        "known to us, and never bought",
        "size(orders) == 0",
        "SELECT h FROM known EXCEPT SELECT h FROM o",
    ),
    (
        "cooks: thirty pieces of produce in 90 days",
        'sum(within(items, "90d").filter(i, i.department == "PRODUCE").map(i, i.quantity)) >= 30',
        "SELECT h FROM i WHERE ago <= 90 AND department = 'PRODUCE' GROUP BY h HAVING sum(pieces) >= 30",
    ),
    (
        "soft drinks for ten dollars or more within 30 days",
        'sum(within(items, "30d").filter(i, i.category == "SOFT DRINKS").map(i, i.paid)) >= 10',
        "SELECT h FROM i WHERE ago <= 30 AND category = 'SOFT DRINKS' GROUP BY h HAVING sum(cents) >= 1000",
    ),
    (
        "milk every week: eight lines of it in 60 days",
        'size(within(items, "60d").filter(i, i.category == "FLUID MILK PRODUCTS")) >= 8',
        "SELECT h FROM i WHERE ago <= 60 AND category = 'FLUID MILK PRODUCTS' GROUP BY h HAVING count(*) >= 8",
    ),
    (
        "cat or dog at home, five pieces in 90 days",
        'sum(within(items, "90d").filter(i, i.category in ["CAT FOOD", "DOG FOODS", "CAT LITTER", "PET CARE SUPPLIES"])'
        ".map(i, i.quantity)) >= 5",
        "SELECT h FROM i WHERE ago <= 90 AND category IN ('CAT FOOD', 'DOG FOODS', 'CAT LITTER', 'PET CARE SUPPLIES') "
        "GROUP BY h HAVING sum(pieces) >= 5",
    ),
    (
        "drivers: fuel six times in 90 days",
        'size(within(items, "90d").filter(i, i.department == "FUEL")) >= 6',
        "SELECT h FROM i WHERE ago <= 90 AND department = 'FUEL' GROUP BY h HAVING count(*) >= 6",
    ),
    (
        "bought beer and nappies, ever",
        'items.exists(i, i.category == "BEERS/ALES") && items.exists(i, i.category == "DIAPERS & DISPOSABLES")',
        "SELECT h FROM i WHERE category = 'BEERS/ALES' INTERSECT "
        "SELECT h FROM i WHERE category = 'DIAPERS & DISPOSABLES'",
    ),
    (
        "in the same basket: beer and snacks",
        'orders.exists(o, o.items.exists(i, i.category == "BEERS/ALES") && o.items.exists(i, i.category == "BAG SNACKS"))',
        "SELECT DISTINCT h FROM (SELECT h, basket FROM i WHERE category IN ('BEERS/ALES', 'BAG SNACKS') "
        "GROUP BY h, basket HAVING count(DISTINCT category) = 2)",
    ),
    (
        "a basket of $100 or more within 90 days",
        'within(orders, "90d").exists(o, o.paid >= 100)',
        "SELECT DISTINCT h FROM o WHERE ago <= 90 AND cents >= 10000",
    ),
    (
        "more than $1,500 in half a year",
        'sum(within(orders, "180d").map(o, o.paid)) > 1500',
        "SELECT h FROM o WHERE ago <= 180 GROUP BY h HAVING sum(cents) > 150000",
    ),
    (
        "an average basket of $60 or more over a year",
        'avg(within(orders, "365d").map(o, o.paid)) >= 60',
        "SELECT h FROM o WHERE ago <= 365 GROUP BY h HAVING sum(cents) >= 6000 * count(*)",
    ),
    (
        "the largest basket of a year below $50",
        'max(within(orders, "365d").map(o, o.paid)) < 50',
        "SELECT h FROM o WHERE ago <= 365 GROUP BY h HAVING max(cents) < 5000",
    ),
    (
        "two stores or more: once at 367, once elsewhere",
        'orders.exists(o, o.store == "367") && orders.exists(o, o.store != "367")',
        "SELECT h FROM o GROUP BY h HAVING bool_or(store = 367) AND bool_or(store <> 367)",
    ),
    (
        "stockpilers: six pieces of one thing in one go, twice in half a year",
        'size(within(items, "180d").filter(i, i.quantity >= 6 && i.quantity < 100)) >= 2',
        "SELECT h FROM i WHERE ago <= 180 AND pieces >= 6 AND pieces < 100 GROUP BY h HAVING count(*) >= 2",
    ),
    (
        "coupon redeemers: three in half a year",
        'size(within(events("Coupon Redeemed"), "180d")) >= 3',
        "SELECT h FROM r WHERE ago <= 180 GROUP BY h HAVING count(*) >= 3",
    ),
    (
        "redeemed a coupon of campaign 18",
        'events("Coupon Redeemed").exists(e, e.properties.campaign_id == "18")',
        "SELECT DISTINCT h FROM r WHERE campaign = 18",
    ),
    (
        "targeted by a campaign, and never redeemed anything",
        'size(events("Campaign Targeted")) >= 1 && size(events("Coupon Redeemed")) == 0',
        "SELECT h FROM t EXCEPT SELECT h FROM r",
    ),
    (
        "targeted twice or more by campaigns of type A, the last within 60 days",
        'size(events("Campaign Targeted").filter(e, e.properties.campaign_type == "Type A")) >= 2 '
        '&& days_since(last(events("Campaign Targeted"))) <= 60',
        "SELECT h FROM t GROUP BY h HAVING count(*) FILTER (kind = 'Type A') >= 2 AND min(ago) <= 60",
    ),
    (
        "bought within 14 days after redeeming is all they did: redeemed and silent for 30 days",
        'size(events("Coupon Redeemed")) >= 1 && days_since(last(orders)) > 30',
        "SELECT h FROM r INTERSECT SELECT h FROM o GROUP BY h HAVING min(ago) > 30",
    ),
    (
        "new empty-nesters: 45 to 64, an owner, no children at home (U6)",
        'attr.age_range in ["45-54", "55-64"] && attr.home_ownership == "Homeowner" && attr.kids_count == "0"',
        "SELECT h FROM people JOIN known USING (h) WHERE age IN ('45-54', '55-64') AND home_ownership = 'Homeowner' "
        "AND kids_count = '0'",
    ),
    (
        "married with an income of 100K or more, four orders in 30 days",
        'attr.marital_status == "Married" && attr.income in ["100-124K", "125-149K", "150-174K", "175-199K", "200-249K", "250K+"] '
        '&& size(within(orders, "30d")) >= 4',
        "SELECT h FROM people WHERE marital_status = 'Married' "
        "AND income IN ('100-124K', '125-149K', '150-174K', '175-199K', '200-249K', '250K+') "
        "INTERSECT SELECT h FROM o WHERE ago <= 30 GROUP BY h HAVING count(*) >= 4",
    ),
    (
        "nobody knows how old they are",
        "!has(attr.age_range)",
        "SELECT h FROM known EXCEPT SELECT h FROM people WHERE age IS NOT NULL",
    ),
    (
        "their own rhythm: silent for more than twice their median gap",
        "days_since(last(orders)) > 2 * median_gap(orders)",
        "WITH d AS (SELECT DISTINCT h, day FROM o), g AS (SELECT h, day - lag(day) OVER (PARTITION BY h ORDER BY day) AS gap, "
        "day FROM d), m AS (SELECT h, quantile_disc(gap, 0.5) AS gap, max(day) AS last FROM g GROUP BY h "
        "HAVING count(gap) >= 1) SELECT h FROM m WHERE (SELECT today FROM asked) - last > 2 * gap",
    ),
    (
        "weekly rhythm: a median gap of five to nine days over half a year",
        'median_gap(within(orders, "180d")) >= 5 && median_gap(within(orders, "180d")) <= 9',
        "WITH d AS (SELECT DISTINCT h, day FROM o WHERE ago <= 180), "
        "g AS (SELECT h, day - lag(day) OVER (PARTITION BY h ORDER BY day) AS gap FROM d) "
        "SELECT h FROM g GROUP BY h HAVING count(gap) >= 1 AND quantile_disc(gap, 0.5) BETWEEN 5 AND 9",
    ),
    (
        "the first order was of $20 or more, within 90 days",
        "first(orders).paid >= 20 && days_since(first(orders)) <= 90",
        "SELECT h FROM (SELECT h, arg_min(cents, moment) AS cents, max(ago) AS ago FROM o GROUP BY h) "
        "WHERE cents >= 2000 AND ago <= 90",
    ),
    (
        "the last basket had meat in it",
        'last(orders).items.exists(i, i.department == "MEAT")',
        "SELECT DISTINCT l.h FROM (SELECT h, arg_max(basket, moment) AS basket FROM o GROUP BY h) l "
        "JOIN i ON i.h = l.h AND i.basket = l.basket WHERE i.department = 'MEAT'",
    ),
    (
        "gold, as of then",
        'tier == "gold"',
        "SELECT h FROM standing WHERE tier = 'gold'",
    ),
    (
        "silver or better and declining, as of then",
        'tier >= "silver" && lifecycle == "decline"',
        "SELECT h FROM standing WHERE tier IN ('silver', 'gold') AND lifecycle = 'decline'",
    ),
    (
        "500 points or more and no order for two weeks, as of then",
        "points >= 500 && days_since(last(orders)) >= 14",
        "SELECT h FROM standing WHERE points >= 500 INTERSECT SELECT h FROM o GROUP BY h HAVING min(ago) >= 14",
    ),
]


def engine(binary: Path, home: Path, *words: str) -> str:
    """Runs one command of the engine on the home; gives what it printed."""
    done = subprocess.run([str(binary), *words, "--home", str(home)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"zhiyin {' '.join(words)}: exit {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def members(binary: Path, home: Path, condition: str, date: str) -> list[str]:
    """The households that the engine says are in an audience at the end of a date."""
    words = ["audience", "members", condition, "--namespace", "household", "--format", "csv", "--as-of", date]
    rows = list(csv.reader(io.StringIO(engine(binary, home, *words))))
    if not rows or rows[0] != ["household"]:
        raise SystemExit(f"the header is {rows[:1]}, expected household")
    return [household for (household,) in rows[1:]]


def members_of_each(binary: Path, home: Path, conditions: list[str], date: str) -> list[list[str]]:
    """The same for many audiences at once."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("".join(f"{condition}\n" for condition in conditions))
        file.flush()
        words = ["audience", "each", file.name, "--namespace", "household", "--as-of", date]
        lines = [json.loads(line) for line in engine(binary, home, *words).splitlines()]
    if [line["condition"] for line in lines] != conditions:
        raise SystemExit("not every audience was answered, or not in order")
    return [line["members"] for line in lines]


class Server:
    """The engine serving a home."""

    def __init__(self, binary: Path, home: Path) -> None:
        self.key = engine(binary, home, "key", "new", "--role", "owner", "--name", "audiences").strip()
        words = [str(binary), "serve", "--listen", "127.0.0.1:0", "--home", str(home)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        found = ADDRESS.search(self.process.stdout.readline())
        if not found:
            raise SystemExit("the server does not say where it serves")
        self.address = found.group()

    def end(self) -> None:
        """Stops it."""
        self.process.terminate()
        self.process.wait()

    def ask(self, path: str, body: dict) -> bytes:
        """What it answers."""
        request = urllib.request.Request(
            self.address + path,
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{path} {body}: {error.code} {error.read().decode()}") from error

    def members(self, condition: str, date: str) -> list[str]:
        """The households that it says are in an audience at the end of a date."""
        body = {"condition": condition, "as_of": date, "namespace": "household", "timeout_seconds": 120}
        rows = list(csv.reader(io.StringIO(self.ask("/v1/audiences/export", body).decode())))
        if not rows or rows[0] != ["household"]:
            raise SystemExit(f"the header is {rows[:1]}, expected household")
        return [household for (household,) in rows[1:]]

    def count(self, condition: str, date: str) -> int:
        """How many it says there are."""
        body = {"condition": condition, "as_of": date}
        return json.loads(self.ask("/v1/audiences/count", body))["count"]


def prepare(connection, data: Path) -> None:
    """Reads the files."""
    connection.execute(TABLES.replace("{data}", str(data)))


def ask_for(connection, date: str, rows: dict[str, tuple]) -> None:
    """Everything is asked as of the end of this date from now on; `rows` says how everybody stood then."""
    connection.execute("DELETE FROM asked")
    connection.execute("INSERT INTO asked VALUES (CAST(? AS DATE))", [date])
    connection.execute("DELETE FROM standing")
    standing = [{"h": int(h), "tier": row[4], "lifecycle": row[5], "points": row[2]} for h, row in rows.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(standing, file)
        file.flush()
        connection.execute("INSERT INTO standing SELECT h, tier, lifecycle, points FROM read_json(?)", [file.name])


class Tally:
    """Counts what passed and what failed, and says what failed."""

    def __init__(self) -> None:
        self.n_passed = self.n_failed = self.n_empty = 0

    def check(self, what: str, right: bool, *details: str) -> None:
        """One test."""
        if right:
            self.n_passed += 1
            return
        self.n_failed += 1
        print(f"test {what} ... FAILED", flush=True)
        for detail in details:
            print(f"  {detail}", flush=True)


def compare(connection, server: Server, command: tuple[Path, Path], asked: tuple[list, str], tally: Tally) -> None:
    """Compares the audiences on one date."""
    (binary, home), (chosen, date) = command, asked
    found_by_server = []
    for name, condition, sql in chosen:
        expected = {str(row[0]) for row in connection.execute(sql).fetchall()}
        found = server.members(condition, date)
        found_by_server.append(found)
        wrong = sorted(expected.symmetric_difference(found), key=int)
        twice = len(found) != len(set(found))
        tally.n_empty += not expected
        sides = [f"household {h}: {'missing' if h in expected else 'too many'}" for h in wrong[:DIFFERENCES_SHOWN]]
        sides.append(f"{len(expected)} expected, {len(found)} found, {len(wrong)} differ, twice: {twice}")
        tally.check(f"{name} as of {date}", not wrong and not twice, *sides)
    # By the command line: several at once, one alone, and how many there are; sorted, as people read it.
    several = members_of_each(binary, home, [condition for _, condition, _ in chosen[:BY_COMMAND]], date)
    for (name, _, _), by_command, by_server in zip(chosen, several, found_by_server):
        tally.check(f"{name} by the command line as of {date}", by_command == sorted(by_server, key=int))
    alone = members(binary, home, chosen[0][1], date)
    tally.check(f"{chosen[0][0]} alone as of {date}", alone == several[0])
    said = json.loads(engine(binary, home, "audience", "count", "true", "--as-of", date, "--format", "json"))
    known = connection.execute("SELECT count(*) FROM known").fetchone()[0]
    right = sorted(said) == ["as_of", "count", "took_ms"] and said["count"] == known == server.count("true", date)
    tally.check(f"everybody known as of {date}", right, f"{said}, expected {known}")
    print(f"as of {date}: {known} known, {len(chosen)} audiences compared", flush=True)


def main() -> None:
    """Compares every audience on every date; exits 1 if any differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--binary", type=Path, required=True, help="the engine")
    parser.add_argument("--home", type=Path, required=True, help="a home with the year imported")
    parser.add_argument("--work", type=Path, required=True, help="folder for the server's copy of the home; emptied first")
    parser.add_argument("--only", help="audiences whose names contain this")
    args = parser.parse_args()

    import duckdb

    year = oracle.read(args.data)
    connection = duckdb.connect()
    prepare(connection, args.data)
    chosen = [one for one in AUDIENCES if not args.only or args.only in one[0]]
    shutil.rmtree(args.work, ignore_errors=True)
    shutil.copytree(args.home, args.work)
    server = Server(args.binary, args.work)
    untils = [oracle.end_of(date) for date in DATES]
    tally = Tally()
    try:
        for date, until_us, standing in zip(DATES, untils, oracle.replays(year, untils)):
            ask_for(connection, date, oracle.answer(standing, until_us))
            compare(connection, server, (args.binary, args.home), (chosen, date), tally)
    finally:
        server.end()
    n_passed, n_failed, n_empty = tally.n_passed, tally.n_failed, tally.n_empty
    print(f"{len(chosen)} audiences on {len(DATES)} dates; {n_empty} of these answers are empty")
    print(f"{n_passed} passed, {n_failed} failed")
    sys.exit(1 if n_failed else 0)


if __name__ == "__main__":
    main()
