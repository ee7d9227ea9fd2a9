"""The best combination of large carts, held against a solver that shares nothing with ours.

Carts of up to fifty lines and twenty offers are drawn; what may apply is written as a whole-number program (which offer each line has,
which pieces are taken, which offer of the order applies), and HiGHS says what is left to pay at the least. Ours must say the same
wherever it says that it is exact, and may never say less.

A program may leave pieces out where that lets a threshold be met, which the rules do not: then HiGHS says less than there is. So what
it found is worked out again by the rules, here in Python; where that comes to more, only a bound was had, and ours may be above it.
"""

import argparse
import json
import math
import random
import subprocess
import unittest
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

# How many carts of so many lines and offers. Small ones the solver proves at once; of large ones it tells a bound in its time.
SIZES = [(8, 8, 6), (6, 15, 10), (6, 50, 20)]
CATEGORIES = 6
SECONDS_EACH = 6


@dataclass
class Offer:
    """An offer as drawn: its kind, its numbers (minor units, per cent), and the categories it is of."""

    kind: str
    a: int = 0
    b: int = 0
    c: int = 0
    of: list = field(default_factory=list)

    def text(self):
        """As a playbook writes it."""
        yuan = lambda minor: f"{minor / 100:.2f}"
        of = " || ".join(f'category == "c{c}"' for c in self.of)
        return {
            "each_pay": lambda: f"lane: piece, of: '{of}', pay: {self.a}%",
            "each_off": lambda: f"lane: piece, of: '{of}', per: piece, off: {yuan(self.a)}",
            "n_pay": lambda: f"lane: piece, of: '{of}', pieces: {self.a}, pay: {self.b}%",
            "n_price": lambda: f"lane: piece, of: '{of}', pieces: {self.a}, price: {yuan(self.b)}",
            "buy_get": lambda: f"lane: piece, of: '{of}', buy: {self.a}, get: 1",
            "bundle": lambda: "lane: piece, bundle: ["
            + ", ".join(f"{{ of: 'category == \"c{c}\"' }}" for c in self.of)
            + f"], price: {yuan(self.a)}",
            "spend": lambda: f"lane: order, spend: {yuan(self.a)}, off: {yuan(self.b)}",
            "every": lambda: f"lane: order, every: {yuan(self.a)}, off: {yuan(self.b)}",
            "coupon_pay": lambda: f"lane: coupon, spend: {yuan(self.a)}, pay: {self.b}%, at_most: {yuan(self.c)}",
            "coupon_off": lambda: f"lane: coupon, spend: {yuan(self.a)}, off: {yuan(self.b)}",
        }[self.kind]()

    @property
    def is_item(self):
        return self.kind in ("each_pay", "each_off", "n_pay", "n_price", "buy_get", "bundle")

    @property
    def is_group(self):
        return self.is_item and not self.kind.startswith("each")


def draw_offer(draw):
    """As ordinary as those of the tests in Rust."""
    first = draw.randrange(CATEGORIES)
    other = draw.choice([c for c in range(CATEGORIES) if c != first])
    kind = draw.choice(
        ["n_pay", "n_price", "buy_get", "each_pay", "each_off", "bundle", "spend", "every", "coupon_pay", "coupon_off"]
    )
    return {
        "n_pay": lambda: Offer(kind, draw.randint(2, 4), draw.randint(60, 90), of=[first]),
        "n_price": lambda: Offer(kind, draw.randint(2, 4), draw.randint(40, 150) * 100, of=[first, other]),
        "buy_get": lambda: Offer(kind, draw.randint(1, 3), of=[first]),
        "each_pay": lambda: Offer(kind, draw.randint(80, 95), of=[first]),
        "each_off": lambda: Offer(kind, draw.randint(1, 9) * 100, of=[first]),
        "bundle": lambda: Offer(kind, draw.randint(20, 90) * 100, of=[first, other]),
        "spend": lambda: Offer(kind, draw.randint(500, 5000) * 100, draw.randint(5, 300) * 100),
        "every": lambda: Offer(kind, draw.randint(100, 300) * 100, draw.randint(5, 40) * 100),
        "coupon_pay": lambda: Offer(
            kind, draw.randint(100, 4000) * 100, draw.randint(80, 95), draw.randint(100, 400) * 100
        ),
        "coupon_off": lambda: Offer(kind, draw.randint(100, 4000) * 100, draw.randint(5, 200) * 100),
    }[kind]()


@dataclass
class Line:
    category: int
    pieces: int
    price: int


def paid(amount, per_cent):
    """What is left to pay of an amount, rounded half up."""
    return (amount * per_cent * 100 + 5000) // 10000


def each_off(offer, line):
    value = line.price * line.pieces
    if offer.kind == "each_pay":
        return value - paid(value, offer.a)
    return min(offer.a * line.pieces, value)


class Program:
    """Variables, rows and costs of a whole-number program."""

    def __init__(self):
        self.low, self.high, self.whole, self.cost = [], [], [], []
        self.rows, self.row_low, self.row_high = [], [], []

    def var(self, high, cost=0.0, low=0.0):
        self.low.append(low)
        self.high.append(high)
        self.whole.append(1)
        self.cost.append(cost)
        return len(self.low) - 1

    def row(self, terms, low=-np.inf, high=np.inf):
        merged = {}
        for var, by in terms:
            merged[var] = merged.get(var, 0) + by
        self.rows.append(merged)
        self.row_low.append(low)
        self.row_high.append(high)

    def solve(self):
        at = [(r, c, v) for r, row in enumerate(self.rows) for c, v in row.items()]
        rows, cols, values = zip(*at)
        matrix = csr_matrix((values, (rows, cols)), shape=(len(self.rows), len(self.low)))
        return milp(
            np.array(self.cost),
            integrality=np.array(self.whole),
            bounds=Bounds(self.low, self.high),
            constraints=LinearConstraint(matrix, self.row_low, self.row_high),
            options={"time_limit": SECONDS_EACH, "mip_rel_gap": 0.0},
        )


def written(lines, offers):
    """The program of a cart, and where in it is which offer each line has."""
    program = Program()
    total = sum(line.price * line.pieces for line in lines)
    has = {}
    active = {}
    # Terms whose sum is what item lanes take off.
    off = []
    items = [(d, offer) for d, offer in enumerate(offers) if offer.is_item]
    for d, offer in items:
        own = [i for i, line in enumerate(lines) if line.category in offer.of]
        if offer.kind == "bundle" and any(all(lines[i].category != c for i in own) for c in offer.of):
            own = []
        for i in own:
            value = each_off(offer, lines[i]) if not offer.is_group else 0
            if offer.is_group or value > 0:
                has[i, d] = program.var(1)
                if value:
                    off.append((has[i, d], value))
        own = [i for i in own if (i, d) in has]
        if not offer.is_group or not own:
            continue
        active[d] = program.var(1)
        worth = program.var(total)
        off.append((worth, 1))
        program.row([(worth, 1), (active[d], -1)], low=0)
        program.row([(has[i, d], 1) for i in own] + [(active[d], -1)], low=0)
        taken = {i: program.var(lines[i].pieces) for i in own}
        for i in own:
            program.row([(has[i, d], 1), (active[d], -1)], high=0)
            program.row([(taken[i], 1), (has[i, d], -lines[i].pieces)], high=0)
        value = [(taken[i], lines[i].price) for i in own]
        if offer.kind in ("n_pay", "n_price"):
            groups = program.var(sum(lines[i].pieces for i in own) // offer.a)
            program.row([(taken[i], 1) for i in own] + [(groups, -offer.a)], low=0, high=0)
            if offer.kind == "n_pay":
                part = 1 - offer.b / 100
                program.row([(worth, 1)] + [(var, -by * part) for var, by in value], high=0.4999)
            else:
                program.row([(worth, 1)] + [(var, -by) for var, by in value] + [(groups, offer.b)], high=0)
        elif offer.kind == "buy_get":
            group = offer.a + 1
            dearest = sorted(own, key=lambda i: (-lines[i].price, i))
            for n in range(1, len(dearest) + 1):
                terms = [(taken[i], group) for i in dearest[:n]]
                program.row(terms + [(has[i, d], -lines[i].pieces) for i in dearest[:n]], high=0)
            program.row([(worth, 1)] + [(var, -by) for var, by in value], high=0)
        else:
            sets = program.var(sum(line.pieces for line in lines))
            for c in offer.of:
                program.row([(taken[i], 1) for i in own if lines[i].category == c] + [(sets, -1)], low=0, high=0)
            program.row([(worth, 1)] + [(var, -by) for var, by in value] + [(sets, offer.a)], high=0)
    for i in range(len(lines)):
        mine = [(has[i, d], 1) for d, _ in items if (i, d) in has]
        if mine:
            program.row(mine, high=1)
        # An offer of several lines is of every line it names that no other has.
        for d in active:
            if (i, d) in has:
                program.row(mine + [(active[d], -1)], low=0)
    lanes_off(program, offers, total, off)
    return program, has


def lanes_off(program, offers, total, off):
    """Lanes of the order, after those of items; what is left to pay in the end is what the program costs."""
    minus = [(var, -by) for var, by in off]
    order, coupon, used, used_coupon = [], [], [], []
    for offer in offers:
        if offer.is_item:
            continue
        applies = program.var(1)
        if offer.kind == "spend":
            used.append((applies, 1))
            # What is left to pay before it: total - off.
            program.row(minus + [(applies, -offer.a)], low=-total)
            order.append((applies, offer.b))
        elif offer.kind == "every":
            used.append((applies, 1))
            times = program.var(total // offer.a)
            program.row(minus + [(times, -offer.a)], low=-total)
            program.row([(times, 1), (applies, -(total // offer.a))], high=0)
            order.append((times, offer.b))
        else:
            used_coupon.append((applies, 1))
            coupon.append((applies, offer))
    less = minus + [(var, -by) for var, by in order]
    last = []
    for applies, offer in coupon:
        program.row(less + [(applies, -offer.a)], low=-total)
        if offer.kind == "coupon_off":
            last.append((applies, offer.b))
            continue
        taken = program.var(min(total, offer.c))
        program.row([(taken, 1), (applies, -offer.c)], high=0)
        part = 1 - offer.b / 100
        program.row([(taken, 1)] + [(var, -by * part) for var, by in less], high=total * part + 0.4999)
        last.append((taken, 1))
    for terms in (used, used_coupon):
        if terms:
            program.row(terms, high=1)
    for var, by in off + order + last:
        program.cost[var] -= by


def group_off(offer, lines):
    """What an offer of several lines takes off those it has, by the rules."""
    pieces = sorted((price for line in lines for price in [line.price] * line.pieces), reverse=True)
    if offer.kind == "n_pay":
        value = sum(pieces[: len(pieces) // offer.a * offer.a])
        return value - paid(value, offer.b)
    if offer.kind == "n_price":
        groups = [sum(pieces[at : at + offer.a]) for at in range(0, len(pieces) - offer.a + 1, offer.a)]
        return sum(group - offer.b for group in groups if group > offer.b)
    if offer.kind == "buy_get":
        return sum(pieces[offer.a :: offer.a + 1])
    parts = [
        sorted((price for line in lines if line.category == c for price in [line.price] * line.pieces), reverse=True)
        for c in offer.of
    ]
    return sum(max(sum(one) - offer.a, 0) for one in zip(*parts))


def order_off(offers, left):
    """The least that lanes of the order leave, by the rules."""

    def ways(offer, amount):
        if offer.kind in ("spend", "coupon_off") and amount >= offer.a:
            yield min(offer.b, amount)
        if offer.kind == "every":
            yield from (min(offer.b * times, amount) for times in range(1, amount // offer.a + 1))
        if offer.kind == "coupon_pay" and amount >= offer.a:
            yield min(amount - paid(amount, offer.b), offer.c)

    lane = lambda kinds, amount: [0] + [off for offer in offers if offer.kind in kinds for off in ways(offer, amount)]
    after = {left - off for off in lane(("spend", "every"), left)}
    return min(amount - max(lane(("coupon_pay", "coupon_off"), amount)) for amount in after)


def by_the_rules(lines, offers, chosen):
    """What is left to pay where lines have these offers."""
    left = sum(line.price * line.pieces for line in lines)
    for d, offer in enumerate(offers):
        own = [line for line, has in zip(lines, chosen) if has == d]
        if own and offer.is_item:
            left -= group_off(offer, own) if offer.is_group else sum(each_off(offer, line) for line in own)
    return order_off(offers, left)


class Best(unittest.TestCase):
    best = None

    def quoted(self, carts):
        """What ours says of each."""
        lanes = "lanes: { piece: { per: line }, order: { per: order }, coupon: { per: order } }\noffers:\n"
        asked = []
        for lines, offers in carts:
            told = "".join(f"  o{d:02}: {{ {offer.text()} }}\n" for d, offer in enumerate(offers))
            rows = [f"p{i} c{line.category} {line.pieces} x {line.price / 100:.2f}" for i, line in enumerate(lines)]
            asked.append(json.dumps({"offers": lanes + told, "lines": rows}))
        told = subprocess.run([self.best], input="\n".join(asked), check=True, capture_output=True, text=True, timeout=600)
        return [json.loads(line) for line in told.stdout.splitlines()]

    def test_large_carts_are_as_a_solver_has_them(self):
        draw = random.Random(25)
        n_exact = n_proven = n_bound = 0
        carts = []
        for n_lines, n_offers in [(lines, offers) for carts_n, lines, offers in SIZES for _ in range(carts_n)]:
            offers = [draw_offer(draw) for _ in range(n_offers)]
            carts.append((
                [Line(draw.randrange(CATEGORIES), draw.randint(1, 4), draw.randint(100, 9999)) for _ in range(n_lines)],
                offers,
            ))
        for number, ((lines, offers), quote) in enumerate(zip(carts, self.quoted(carts), strict=True)):
            total = sum(line.price * line.pieces for line in lines)
            program, has = written(lines, offers)
            solved = program.solve()
            told = f"cart {number}: ours {quote['payable']}, exact {quote['exact']}"
            self.assertIsNotNone(solved.mip_dual_bound, told)
            least = total + math.ceil(solved.mip_dual_bound - 1e-4)
            # Nothing leaves less to pay than the solver's bound.
            self.assertGreaterEqual(quote["payable"], least, told)
            n_exact += quote["exact"]
            if solved.x is None:
                continue
            chosen = [None] * len(lines)
            for (i, d), var in has.items():
                if solved.x[var] > 0.5:
                    chosen[i] = d
            theirs = by_the_rules(lines, offers, chosen)
            n_bound += 1
            # What is exact is never more than what somebody else found.
            if quote["exact"]:
                self.assertLessEqual(quote["payable"], theirs, told)
            if solved.status == 0 and theirs == least:
                n_proven += 1
                if quote["exact"]:
                    self.assertEqual(quote["payable"], theirs, told)
        print(f"{n_exact} of {len(carts)} exact by ours; {n_proven} proven by the solver, {n_bound} found")
        # The small ones, whatever the machine.
        self.assertGreaterEqual(n_proven, 4)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--best", required=True)
    given, rest = parser.parse_known_args()
    Best.best = given.best
    unittest.main(argv=[__file__, *rest])
