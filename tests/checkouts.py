"""A storm of checkouts over HTTP while servers are killed: whatever is bounded is never passed, and every account is exact.

Clients lock carts, pay some, let go of some, forget some, and bring pieces back, while the server is killed (`kill -9`) again and
again. After each kill the doctor must find nothing: it holds that what is taken of pools is what coupons and checkouts took, and
that members know the checkouts they have open. In the end each command that a client does not know the fate of is asked again,
and the accounts are summed from what the checkouts themselves say:

- no budget, stock or number of uses was passed, and no member used more than theirs;
- what was acknowledged is there, once: a paid checkout is paid, what came back of it came back once.

The moments are drawn from a seed that is printed. Closes with `N passed, M failed`.
"""

from __future__ import annotations

import collections
import random
import sys
import threading
import time

from coupons import PATIENCE_S, Home, asked, homes
from crash import Tally

MEMBERS = 60
POINTS = 400
CLIENTS = 10
KILLS = 6
WITHIN_S = 4.0
# What offers are bounded by, in minor units, pieces and times.
BUDGET, GIFTS, USES, A_MEMBER = 12_000, 30, 40, 4
PRICE = 2_000
PLAYBOOK = f"""playbook: brand
extends: variety-store
offers:
  spent: {{ name: {{ zh: 预算满减, en: Budget }}, lane: order, spend: 40, off: 10, budget: {BUDGET // 100} }}
  mug: {{ name: {{ zh: 赠杯, en: Mug }}, of: product == "cup", spend: 20, gift: {{ product: mug }}, stock: {GIFTS} }}
  few: {{ name: {{ zh: 限次, en: Few }}, lane: piece, of: product == "towel", pay: 50%, limit: [{A_MEMBER} per member, {USES} in all] }}
"""


class Till:
    """What one client did, and what it does not know the fate of."""

    def __init__(self, home: Home, which: int, chance: random.Random, over: threading.Event) -> None:
        self.home, self.which, self.chance, self.over = home, which, chance, over
        self.done: list = []
        self.open: list = []
        self.step = 0
        self.ran_out: set = set()

    def say(self, word: str, body: dict, life: int) -> dict | None:
        """A command; what was answered, nothing where it is unknown or refused."""
        once = f"{life}-{self.which}-{self.step}-{word}"
        self.step += 1
        status, answer = self.home.ask(f"/v1/commands/checkout/{word}", body, once)
        if status == 200:
            self.done.append((word, once, body))
            return answer
        if status != 409:
            self.open.append((word, once, body))
        return None

    def live(self, life: int) -> None:
        """Locks, pays, lets go and brings back until the server is gone."""
        while not self.over.is_set() and self.step < 3_000:
            name = f"c-{life}-{self.which}-{self.step}"
            line = lambda no, product: {
                "id": no, "product": product, "category": "home", "price": PRICE, "quantity": self.chance.randrange(1, 4)
            }
            who = {"namespace": "user", "value": f"u{self.chance.randrange(MEMBERS)}"}
            cart = {"lines": [line("1", "towel"), line("2", self.chance.choice(["cup", "pen"]))]}
            locked = self.say("lock", {"member": who, "checkout": name, "hold_seconds": 10, "cart": cart}, life)
            told = (locked or {}).get("not_applied", [])
            self.ran_out |= {one["reason"] for one in told if one["reason"] in ("sold_out", "budget_used", "limit_used")}
            kind = self.chance.random()
            if not locked or kind < 0.15:
                continue
            if kind < 0.3:
                self.say("cancel", {"checkout": name}, life)
                continue
            if not self.say("redeem", {"checkout": name, "payable": locked["payable"]}, life):
                continue
            if kind > 0.75:
                self.say("return", {"checkout": name, "lines": [{"id": "1", "pieces": 1}]}, life)
            if kind > 0.85:
                self.say("return", {"checkout": name}, life)


def life(home: Home, chance: random.Random, number: int) -> tuple[list[Till], float]:
    """A server that is killed while clients are at it."""
    server, over = home.serve(), threading.Event()
    tills = [Till(home, which, random.Random(chance.random()), over) for which in range(CLIENTS)]
    threads = [threading.Thread(target=till.live, args=(number,)) for till in tills]
    for thread in threads:
        thread.start()
    lived = chance.uniform(0.3, WITHIN_S)
    over.wait(lived)
    server.kill()
    server.wait()
    over.set()
    for thread in threads:
        thread.join()
    return tills, lived


def settle(home: Home, tills: list[Till]) -> int:
    """Asks again for all whose fate nobody knows, in order; how many those were."""
    n = 0
    for till in tills:
        for word, once, body in till.open:
            ends = time.monotonic() + PATIENCE_S
            while True:
                status, _ = home.ask(f"/v1/commands/checkout/{word}", body, once)
                if status in (200, 404, 409, 422) or time.monotonic() > ends:
                    break
                threading.Event().wait(0.05)
            if status == 200:
                till.done.append((word, once, body))
            n += 1
    return n


def sums(home: Home, name: str, tills: list[Till], tally: Tally) -> None:
    """What checkouts say, against what there was."""
    said = collections.defaultdict(set)
    owner = {}
    for till in tills:
        for word, _, body in till.done:
            said[body["checkout"]].add(word)
            if word == "lock":
                owner[body["checkout"]] = body["member"]["value"]
    used, gifts, uses, by_member = 0, 0, 0, collections.Counter()
    wrong, states = [], collections.Counter()
    for checkout, words in said.items():
        status, view = home.ask(f"/v1/checkout?checkout={checkout}")
        if status != 200:
            wrong.append((checkout, status, view))
            continue
        states[view["state"]] += 1
        right = {
            "redeem": view["state"] in ("redeemed", "returned"),
            # Whoever lets go of what was let go of by the clock is told so: it is given back either way.
            "cancel": view["state"] in ("cancelled", "released"),
            "return": view["state"] in ("redeemed", "returned") and bool(view.get("returns")),
        }
        wrong += [(checkout, word, view["state"]) for word in words if word != "lock" and not right[word]]
        n_returns = sum(word == "return" and body["checkout"] == checkout for till in tills for word, _, body in till.done)
        if len(view.get("returns", [])) != n_returns:
            wrong.append((checkout, "returns", n_returns, view.get("returns")))
        if view["state"] not in ("locked", "redeemed"):
            continue
        for applied in view["applied"]:
            used += applied["amount"] if applied["offer"] == "spent" else 0
            gifts += applied["gives"]["gift"]["pieces"] if applied["offer"] == "mug" else 0
            uses += applied["offer"] == "few"
            by_member[owner.get(checkout)] += applied["offer"] == "few"
    tally.check(f"{name}: {sum(states.values())} checkouts are as they were answered: {dict(states)}", not wrong, str(wrong)[:900])
    most = max(by_member.values(), default=0)
    what = f"{used} of {BUDGET} of the budget, {gifts} of {GIFTS} gifts, {uses} of {USES} uses, at most {most} of {A_MEMBER} a member"
    right = used <= BUDGET and gifts <= GIFTS and uses <= USES and most <= A_MEMBER
    tally.check(f"{name}: {what}", right)
    # What was scarce was fought for: else nothing was tried.
    ran_out = set().union(*(till.ran_out for till in tills))
    tally.check(f"{name}: everything ran out now and then", len(ran_out) == 3, str(ran_out))


def storm(home: Home, name: str, chance: random.Random, kills: int, tally: Tally) -> None:
    """The storm."""
    tills: list[Till] = []
    for number in range(kills):
        these, lived = life(home, chance, number)
        tills += these
        n = sum(len(till.done) for till in tills)
        right, words = home.well()
        tally.check(f"{name}: the doctor after kill {number + 1} at {lived:.2f} s ({n} commands done)", right, words)
    server = home.serve()
    try:
        n_unknown = settle(home, tills)
        again = [one for till in tills for one in till.done]
        again = chance.sample(again, min(len(again), 80))
        answers = [home.ask(f"/v1/commands/checkout/{word}", body, once) for word, once, body in again]
        right = all(status == 200 and answer["again"] for status, answer in answers)
        tally.check(f"{name}: {n_unknown} without an answer asked again; what was acknowledged is not done again", right, str(answers)[:600])
        # What nobody paid is let go of when its time is over, and only then is all that is taken paid for.
        ends = time.monotonic() + 30
        while time.monotonic() < ends:
            names = {body["checkout"] for till in tills for _, _, body in till.done}
            open_ones = [one for one in names if home.ask(f"/v1/checkout?checkout={one}")[1].get("state") == "locked"]
            if not open_ones:
                break
            threading.Event().wait(1)
        tally.check(f"{name}: no hold outlives its time", not open_ones, str(open_ones)[:300])
        sums(home, name, tills, tally)
    finally:
        server.terminate()
        server.wait()
    tally.check(f"{name}: the doctor at the end", *home.well())


def main() -> None:
    """The whole test; exits 1 if anything failed."""
    args, tally = asked(__doc__, KILLS), Tally()
    for name, home in homes(args, "checkouts", PLAYBOOK, MEMBERS, POINTS):
        storm(home, name, random.Random(args.seed), args.kills, tally)
    print(f"{tally.n_passed} passed, {tally.n_failed} failed")
    sys.exit(1 if tally.n_failed else 0)


if __name__ == "__main__":
    main()
