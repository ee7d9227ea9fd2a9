"""An independent computation of the demo year, straight over the retailer's Parquet files.

It knows the rules as they are written down for people and nothing of the engine: no code, no
format and no name is shared. So when the two agree on every household, either both are right or
two people misread the same sentence in the same way.

It is slow on purpose: events are replayed one by one, and every sum over a window is added up
again from the member's whole history, so that there is no aggregate that could go stale.

Money is integer cents, points and growth are integers, days are ordinals of calendar days in the
data's zone (its times carry none and are taken as UTC).
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import heapq
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

HEADER = ["household", "orders", "paid_cents", "points", "growth", "tier", "lifecycle"]

DAY_US = 86_400_000_000
EPOCH_DAY = dt.date(1970, 1, 1).toordinal()

# Tiers by growth over a year of 365 days; a term lasts as long.
LEVELS = [(6000, "gold"), (3000, "silver"), (0, "regular")]
RANK = {"regular": 0, "silver": 1, "gold": 2}
WINDOW_DAYS = 365
TERM_DAYS = 365
GROWTH_PER_UNIT = 10
CENTS_PER_UNIT = 100

# What sorts first at one instant: a judgement at 00:00 comes before an event at 00:00.
JUDGEMENT, ENROLMENT, ORDER = 0, 1, 2


@dataclass(frozen=True)
class Order:
    """One basket: when it was paid and how much."""

    time_us: int
    basket: int
    household: int
    cents: int

    @cached_property
    def day(self) -> int:
        """The calendar day it falls on, as an ordinal."""
        return day_of(self.time_us)

    @cached_property
    def units(self) -> int:
        """Whole major units paid."""
        return self.cents // CENTS_PER_UNIT


@dataclass
class Year:
    """What the files say: every basket, and the earliest sign of life beside the baskets."""

    orders: list[Order]
    seen_us: dict[int, int]
    lines: int
    end_us: int


@dataclass
class Member:
    """A member's state while the year is replayed."""

    enrolled_us: int
    tier: str = "regular"
    term_from_day: int = 0
    orders: list[Order] = field(default_factory=list)
    points: int = 0
    terms: list[tuple[int, str]] = field(default_factory=list)

    def growth(self, day: int) -> int:
        """Growth of the orders dated within 365 days of `day`, both ends included."""
        return sum(
            GROWTH_PER_UNIT * o.units
            for o in self.orders
            if 0 <= day - o.day <= WINDOW_DAYS
        )

    def lifecycle(self, day: int) -> str:
        """The first stage that holds at the end of `day`."""
        if not self.orders:
            return "introduction"
        recent = sum(1 for o in self.orders if 0 <= day - o.day <= WINDOW_DAYS)
        silent_days = day - max(o.day for o in self.orders)
        if recent >= 4 and silent_days <= 60:
            return "maturity"
        if recent >= 4 and silent_days <= 120:
            return "decline"
        if silent_days <= 120:
            return "growth"
        return "lost"

    def begin_term(self, tier: str, day: int) -> None:
        """A new term of `tier`; it will be judged at 00:00 of its start date + 365 days."""
        self.tier = tier
        self.term_from_day = day
        self.terms.append((day, tier))


def day_of(time_us: int) -> int:
    """The calendar day of a time, as a proleptic ordinal (what `date.toordinal` gives)."""
    return time_us // DAY_US + EPOCH_DAY


def start_of(day: int) -> int:
    """00:00 of a calendar day, in microseconds."""
    return (day - EPOCH_DAY) * DAY_US


def level(growth: int) -> str:
    """The tier that an amount of growth reaches."""
    return next(name for floor, name in LEVELS if growth >= floor)


def read(data: Path) -> Year:
    """Reads the year from `DIR/transactions.parquet` and its siblings."""
    import duckdb

    connection = duckdb.connect()

    def rows(sql: str, *names: str) -> list[tuple]:
        files = [str(data / f"{name}.parquet") for name in names]
        return connection.execute(sql, files).fetchall()

    # A line's value is a double that stands for a decimal of two places; `round` takes halves
    # away from zero. Lines are rounded one by one, then added up as integers.
    orders = [
        Order(*row)
        for row in rows(
            """
            SELECT epoch_us(min(transaction_timestamp)), basket_id, household_id,
                   sum(CAST(round(sales_value * 100) AS BIGINT))::BIGINT
            FROM read_parquet($1)
            GROUP BY basket_id, household_id
            """,
            "transactions",
        )
    ]
    seen = rows(
        """
        SELECT household_id, epoch_us(min(time)) FROM (
            SELECT c.household_id, d.start_date AS time
            FROM read_parquet($1) c JOIN read_parquet($2) d USING (campaign_id)
            UNION ALL
            SELECT household_id, redemption_date FROM read_parquet($3)
        ) GROUP BY household_id
        """,
        "campaigns",
        "campaign_descriptions",
        "coupon_redemptions",
    )
    lines, end_us = rows(
        "SELECT count(*), epoch_us(max(transaction_timestamp)) FROM read_parquet($1)", "transactions"
    )[0]
    return Year(orders=orders, seen_us=dict(seen), lines=lines, end_us=end_us)


def replay(year: Year, until_us: int) -> dict[int, Member]:
    """Replays what happened at or before `until_us`; gives each household known by then."""
    return next(replays(year, [until_us]))


def replays(year: Year, until_us: list[int]) -> Iterator[dict[int, Member]]:
    """The same for several instants, ascending, in one replay: what is given is good until the next is asked for."""
    enrolled_us = dict(year.seen_us)
    for order in year.orders:
        first = enrolled_us.get(order.household, order.time_us)
        enrolled_us[order.household] = min(first, order.time_us)

    # (time, kind, basket or household, what): the order of events is their time, then at one
    # instant timers before events, then the basket's number.
    queue: list[tuple[int, int, int, object]] = []
    for household, time_us in enrolled_us.items():
        queue.append((time_us, ENROLMENT, household, household))
    for order in year.orders:
        queue.append((order.time_us, ORDER, order.basket, order))
    heapq.heapify(queue)

    members: dict[int, Member] = {}

    def schedule(household: int, member: Member) -> None:
        """Puts the end of the member's term among what is to come."""
        ends_us = start_of(member.term_from_day + TERM_DAYS)
        heapq.heappush(queue, (ends_us, JUDGEMENT, household, member.term_from_day))

    for until in until_us:
        while queue and queue[0][0] <= until:
            time_us, kind, household, what = heapq.heappop(queue)
            day = day_of(time_us)
            if kind == ENROLMENT:
                member = members[household] = Member(enrolled_us=time_us)
                member.begin_term("regular", day)
                schedule(household, member)
            elif kind == JUDGEMENT:
                member = members[household]
                # A term that an upgrade cut short is not judged: its successor is.
                if member.term_from_day == what:
                    member.begin_term(level(member.growth(day)), day)
                    schedule(household, member)
            else:
                take(what, members[what.household], day, schedule)
        yield members


def take(order: Order, member: Member, day: int, schedule) -> None:
    """One order: its points by the tier held before it, then its growth, then the tier."""
    times = 2 if member.tier == "gold" else 1
    member.points += order.units * times
    member.orders.append(order)
    reached = level(member.growth(day))
    if RANK[reached] > RANK[member.tier]:
        member.begin_term(reached, day)
        schedule(order.household, member)


def answer(members: dict[int, Member], until_us: int) -> dict[str, tuple]:
    """One row per household, keyed by its identifier, as `HEADER` names the columns."""
    day = day_of(until_us)
    return {
        str(household): (
            len(member.orders),
            sum(o.cents for o in member.orders),
            # Points of this year expire at the end of the next one, so none has gone yet.
            member.points,
            member.growth(day),
            member.tier,
            member.lifecycle(day),
        )
        for household, member in members.items()
    }


def end_of(date: str) -> int:
    """The last microsecond of a calendar date written YYYY-MM-DD."""
    return start_of(dt.date.fromisoformat(date).toordinal() + 1) - 1


def summary(rows: dict[str, tuple]) -> str:
    """The figures by which two computations are first compared."""
    tiers = Counter(row[4] for row in rows.values())
    stages = Counter(row[5] for row in rows.values())
    lines = [
        f"households {len(rows)}",
        f"orders {sum(row[0] for row in rows.values())}",
        f"paid_cents {sum(row[1] for row in rows.values())}",
        f"points {sum(row[2] for row in rows.values())}",
        f"growth {sum(row[3] for row in rows.values())}",
        "tiers " + " ".join(f"{name}={tiers[name]}" for name in RANK),
        "lifecycle "
        + " ".join(
            f"{name}={stages[name]}" for name in ["introduction", "growth", "maturity", "decline", "lost"]
        ),
    ]
    return "\n".join(lines)


def main() -> None:
    """Prints the answer as CSV or its summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--as-of", action="append", metavar="DATE", help="end of that date; repeatable")
    parser.add_argument("--format", choices=["csv", "summary"], default="summary")
    args = parser.parse_args()
    year = read(args.data)
    for date in args.as_of or [None]:
        until_us = year.end_us if date is None else end_of(date)
        rows = answer(replay(year, until_us), until_us)
        if args.format == "summary":
            print(f"# as of {date or 'the last event'}\n{summary(rows)}")
            continue
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(HEADER)
        for household in sorted(rows, key=int):
            writer.writerow([household, *rows[household]])


if __name__ == "__main__":
    main()
