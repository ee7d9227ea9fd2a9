"""Draws through the command line, held against tests/draw_verify.py, which knows docs/draws.md and nothing of ours.

    draws.py --binary ZHIYIN --work FOLDER [--seed N]

Many draws by chance must come out alike in both; whatever is changed in one of them afterwards both must find.
"""

import argparse
import copy
import json
import random
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import draw_verify

VERIFY = Path(__file__).with_name("draw_verify.py")
DRAWS = 40
binary = ""
work = Path()
seed = 0


def zhiyin(*words: object) -> subprocess.CompletedProcess:
    return subprocess.run([binary, "draw", *map(str, words)], capture_output=True, text=True, timeout=60)


def written(name: str, file: dict) -> Path:
    path = work / name
    path.write_text(json.dumps(file, ensure_ascii=False), encoding="utf-8")
    return path


def terms(chance: random.Random, entries: int) -> dict:
    kinds = chance.sample(["前排", "门票", "poster", "T恤", "a key ring"], chance.randint(1, 4))
    return {
        "format": "zhiyin-draw/1",
        "draw": f"concert {chance.random()}",
        "prizes": [{"prize": kind, "pieces": chance.randint(1, 12)} for kind in kinds],
        "alternates": chance.randint(0, 9),
        "entries": [[f"{chance.choice('AÄ券')}-{at}", chance.choice([1, 1, 2, 7, 1_000_000])] for at in range(entries)],
    }


class Draws(unittest.TestCase):
    def held(self, name: str, file: dict, value: str | None = None) -> dict:
        """The file after the draw, as `hold` wrote it, with the commitment made before."""
        secret, out = work / f"{name}.seed", work / f"{name}.drawn.json"
        committed = zhiyin("commit", "--seed-file", secret)
        self.assertEqual(committed.returncode, 0, committed.stderr)
        file["commitment"] = committed.stdout.split()[1]
        public = [] if value is None else ["--public-value", value]
        told = zhiyin("hold", written(f"{name}.json", file), "--seed-file", secret, "--out", out, *public)
        self.assertEqual(told.returncode, 0, told.stderr)
        return json.loads(out.read_text(encoding="utf-8"))

    def both(self, file: dict, *published: str) -> tuple[int, int]:
        """What both programs end with."""
        path = written("judged.json", file)
        words = [word for pair in zip(["--commitment", "--entries-hash"], published) for word in pair]
        theirs = subprocess.run([sys.executable, VERIFY, path, *published], capture_output=True, text=True, timeout=60)
        return zhiyin("verify", path, *words).returncode, theirs.returncode

    def test_draws_by_chance_are_the_same_to_both(self):
        chance = random.Random(seed)
        for number in range(DRAWS):
            with self.subTest(seed=seed, number=number):
                file = terms(chance, chance.choice([1, 2, 5, 40, 300]))
                value = None
                if chance.random() < 0.5:
                    file["public_source"], value = "彩票 5 December", str(chance.random())
                drawn = self.held(f"draw-{number}", file, value)
                self.assertEqual([entry for entry, _ in drawn["winners"]] + drawn["alternates_drawn"], draw_verify.drawn(drawn))
                self.assertEqual(self.both(drawn, file["commitment"], drawn["entries_hash"]), (0, 0))

    def test_whatever_is_changed_afterwards_is_found(self):
        file = terms(random.Random(seed), 60)
        file["public_source"] = "彩票"
        drawn = self.held("changed", file, "05 09 11")

        def change(key, made):
            other = copy.deepcopy(drawn)
            other[key] = made(other[key])
            return key, other

        changes = [
            change("draw", lambda name: name + "!"),
            change("prizes", lambda prizes: [{**prizes[0], "pieces": prizes[0]["pieces"] + 1}, *prizes[1:]]),
            change("alternates", lambda number: number + 1),
            change("public_source", lambda text: text + "!"),
            change("public_value", lambda text: text + "!"),
            change("commitment", lambda text: "0" * 64),
            change("seed", lambda text: "0" * 64),
            change("entries", lambda entries: entries[1:]),
            change("entries", lambda entries: [[entries[0][0], entries[0][1] + 1], *entries[1:]]),
            change("entries_hash", lambda text: "0" * 64),
            change("winners", lambda winners: [["someone else", winners[0][1]], *winners[1:]]),
            change("winners", lambda winners: winners[:-1]),
            change("alternates_drawn", lambda drawn: [*drawn, "someone else"]),
        ]
        for key, other in changes:
            with self.subTest(key=key):
                self.assertEqual(self.both(other), (1, 1))

    def test_a_draw_that_is_at_one_with_itself_is_held_against_what_was_published(self):
        first, second = (self.held(name, terms(random.Random(seed), 20)) for name in ("one", "two"))
        self.assertEqual(self.both(second), (0, 0))
        self.assertEqual(self.both(second, first["commitment"], first["entries_hash"]), (1, 1))

    def test_the_order_of_the_entries_plays_no_part(self):
        file = self.held("ordered", terms(random.Random(seed), 50))
        file["entries"].reverse()
        self.assertEqual(self.both(file), (0, 0))

    def test_prizes_that_nobody_claims_go_to_alternates_in_their_order(self):
        drawn = self.held("rolled", {**terms(random.Random(seed), 30), "alternates": 3})
        path, winners, waiting = written("rolled.json", drawn), drawn["winners"], drawn["alternates_drawn"]

        def rolled(*unclaimed: str) -> list[list[str]]:
            told = zhiyin("roll", path, *(word for code in unclaimed for word in ("--unclaimed", code)))
            self.assertEqual(told.returncode, 0, told.stderr)
            return [line.split("\t") for line in told.stdout.splitlines() if "\t" in line]

        first, last = winners[0], winners[-1]
        self.assertEqual(rolled(first[0]), [[waiting[0], first[1]], *winners[1:]])
        self.assertEqual(rolled(first[0], waiting[0]), [[waiting[1], first[1]], *winners[1:]])
        if len(winners) > 1:
            self.assertEqual(rolled(first[0], last[0]), [[waiting[0], first[1]], *winners[1:-1], [waiting[1], last[1]]])
        self.assertEqual(rolled(first[0], *waiting), winners[1:], "nobody is left")
        self.assertEqual(zhiyin("roll", path, "--unclaimed", "a stranger").returncode, 1)

    def test_hashes_may_be_told_in_upper_case(self):
        file = self.held("upper", terms(random.Random(seed), 20))
        published = [file["commitment"].upper(), file["entries_hash"].upper()]
        told = zhiyin("verify", written("upper.json", file), "--commitment", published[0], "--entries-hash", published[1])
        self.assertEqual(told.returncode, 0, told.stdout)

    def test_what_cannot_be_held_is_refused_and_writes_nothing(self):
        file = terms(random.Random(seed), 20)
        secret = work / "refused.seed"
        self.assertEqual(zhiyin("commit", "--seed-file", secret).returncode, 0)
        text = secret.read_text()
        self.assertNotEqual(zhiyin("commit", "--seed-file", secret).returncode, 0, "a seed is written over")
        self.assertEqual(secret.read_text(), text)
        short = work / "short.seed"
        short.write_text(text[:-3])
        for words, wrong, why in [
            ([], {**file, "commitment": "0" * 64}, "commitment:"),
            ([], {**file, "entries_hash": "0" * 64}, "entries_hash:"),
            ([], {**file, "public_source": "lottery"}, "public_value:"),
            (["--public-value", "5"], file, "public_value:"),
            ([], {**file, "format": "zhiyin-draw/2"}, "format:"),
            ([], {**file, "entries": file["entries"] * 2}, "entries:"),
            ([], {**file, "entries": []}, "entries:"),
            ([], {**file, "prizes": []}, "prizes:"),
            ([], {**file, "drawer": "me"}, "drawer"),
        ]:
            with self.subTest(why=why):
                out = work / "refused.json"
                told = zhiyin("hold", written("wrong.json", wrong), "--seed-file", secret, "--out", out, *words)
                self.assertEqual(told.returncode, 1)
                self.assertIn(why, told.stderr)
                self.assertFalse(out.exists())
        told = zhiyin("hold", written("right.json", file), "--seed-file", short, "--out", work / "refused.json")
        self.assertEqual(told.returncode, 1)
        self.assertNotIn(text[:8], told.stderr + told.stdout, "a seed is told")
        self.assertEqual(zhiyin("verify", written("right.json", file)).returncode, 1, "a draw that was not held is right")


def main() -> None:
    global binary, work, seed
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    given, rest = parser.parse_known_args()
    binary, work, seed = given.binary, given.work, given.seed
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
