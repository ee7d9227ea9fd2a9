"""The oracle's own tests: the cases which the demo's single year does not reach.

No household of the data is ever judged down, so a mistake there would not show; these few
histories are small enough to be worked out by hand.
"""

from __future__ import annotations

import datetime as dt
import unittest

import oracle


def at(date: str, hour: int = 12) -> int:
    """Microseconds of an hour of a date."""
    return oracle.start_of(dt.date.fromisoformat(date).toordinal()) + hour * 3_600_000_000


def year(*orders: tuple[str, int], seen: str | None = None) -> oracle.Year:
    """A year of one household, from (date, cents) pairs."""
    baskets = [oracle.Order(at(date), n, 1, cents) for n, (date, cents) in enumerate(orders)]
    return oracle.Year(
        orders=baskets,
        seen_us={1: at(seen, 0)} if seen else {},
        lines=len(baskets),
        end_us=max(o.time_us for o in baskets),
    )


def row(history: oracle.Year, date: str) -> tuple:
    """The household's row as of the end of a date."""
    until_us = oracle.end_of(date)
    return oracle.answer(oracle.replay(history, until_us), until_us)["1"]


class Tiers(unittest.TestCase):
    """Up at once, judged at the end of a term."""

    def test_upgrade_is_at_once_and_starts_a_term(self):
        member = oracle.replay(year(("2017-03-01", 30000)), oracle.end_of("2017-03-01"))[1]
        day = dt.date(2017, 3, 1).toordinal()
        self.assertEqual(member.terms, [(day, "regular"), (day, "silver")])

    def test_just_below_a_level_is_not_that_level(self):
        self.assertEqual(row(year(("2017-03-01", 29999)), "2017-03-01")[3:5], (2990, "regular"))

    def test_a_term_ends_at_midnight_of_its_start_plus_365_days(self):
        history = year(("2017-03-01", 60000), ("2017-03-02", 100))
        # 2017-03-01 + 365 days is 2018-03-01, whose window still reaches back to 2017-03-01.
        self.assertEqual(row(history, "2018-03-01")[3:5], (6010, "gold"))
        # The window has moved on, the tier has not: it was judged good for another term.
        self.assertEqual(row(history, "2018-03-03")[3:5], (0, "gold"))
        self.assertEqual(row(history, "2019-02-28")[4], "gold")
        self.assertEqual(row(history, "2019-03-01")[4], "regular")

    def test_a_judgement_goes_down_any_number_of_steps(self):
        history = year(("2017-01-01", 30000), ("2017-06-01", 30000), ("2018-05-31", 100))
        # Gold from 2017-06-01; at its end the window holds 2017-06-01 and 2018-05-31.
        self.assertEqual(row(history, "2018-05-31")[4], "gold")
        self.assertEqual(row(history, "2018-06-01")[3:5], (3010, "silver"))

    def test_a_term_cut_short_by_an_upgrade_is_not_judged(self):
        history = year(("2017-01-01", 30000), ("2017-12-31", 60000))
        self.assertEqual(row(history, "2018-01-02")[3:5], (6000, "gold"))
        member = oracle.replay(history, oracle.end_of("2018-12-30"))[1]
        self.assertEqual([tier for _, tier in member.terms], ["regular", "silver", "gold"])

    def test_a_judgement_comes_before_an_order_at_the_same_instant(self):
        history = year(("2017-01-01", 60000), ("2017-01-03", 100))
        at_midnight = oracle.Order(at("2019-01-01", 0), 9, 1, 1000)
        history.orders.append(at_midnight)
        # Judged gold at 2018-01-01 (window reaches back to 2017-01-01), regular a year later,
        # so the order of that very midnight earns once.
        self.assertEqual(row(history, "2019-01-01")[2], 600 + 2 + 10)


class Points(unittest.TestCase):
    """One for each whole unit; two for gold, by the tier held before the order."""

    def test_the_order_that_makes_gold_earns_once(self):
        self.assertEqual(row(year(("2017-03-01", 60099)), "2017-03-01")[2], 600)

    def test_the_next_order_earns_twice(self):
        self.assertEqual(row(year(("2017-03-01", 60000), ("2017-03-01", 199)), "2017-03-01")[2], 602)


class Lifecycle(unittest.TestCase):
    """The first stage that holds, by calendar days."""

    def test_stages(self):
        four = [("2017-03-01", 0)] * 4
        for history, date, stage in [
            (year(("2017-03-02", 100), seen="2017-03-01"), "2017-03-01", "introduction"),
            (year(("2017-03-01", 0)), "2017-03-01", "growth"),
            (year(("2017-03-01", 0)), "2017-06-29", "growth"),
            (year(("2017-03-01", 0)), "2017-06-30", "lost"),
            (year(*four), "2017-04-30", "maturity"),
            (year(*four), "2017-05-01", "decline"),
            (year(*four), "2017-06-29", "decline"),
            (year(*four), "2017-06-30", "lost"),
            (year(("2016-02-29", 0), *four[:3]), "2017-03-01", "growth"),
            (year(("2016-03-01", 0), *four[:3]), "2017-03-01", "maturity"),
        ]:
            with self.subTest(date=date, stage=stage):
                self.assertEqual(row(history, date)[5], stage)


if __name__ == "__main__":
    unittest.main()
