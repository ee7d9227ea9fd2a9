"""Our statistics of experiments, held against gbstats (GrowthBook's engine) on random data.

Both get the same members: sums are exact integers, so they differ by rounding alone.
"""

import argparse
import json
import random
import subprocess
import unittest

from gbstats.frequentist.tests import (
    FrequentistConfig,
    SequentialConfig,
    SequentialTwoSidedTTest,
    TwoSidedTTest,
)
from gbstats.models.statistics import (
    ProportionStatistic,
    RatioStatistic,
    RegressionAdjustedStatistic,
    SampleMeanStatistic,
)
from gbstats.utils import check_srm

CASES = 600
RELATIVE = 1e-9
OF_QUANTILES = 1e-6


def drawn(draw, metric):
    """Members of an arm: (y, x) each."""
    n = draw.choice([2, 3, 5, 17, 200, 3_000, 12_000])
    rate = draw.uniform(0.02, 0.9)
    lift = draw.uniform(0.5, 1.5)
    members = []
    for _ in range(n):
        before = int(draw.lognormvariate(8, 1)) if draw.random() < 0.7 else 0
        if metric == "share":
            members.append((int(draw.random() < rate), 0))
        elif metric == "ratio":
            orders = draw.randrange(1, 9)
            members.append((sum(draw.randrange(100, 20_000) for _ in range(orders)), orders))
        else:
            members.append((int(before * lift * draw.uniform(0.2, 1.8)) + draw.randrange(0, 3_000), before))
    return members


def sums(members):
    y = [y for y, _ in members]
    x = [x for _, x in members]
    return {
        "n": len(members),
        "y": sum(y),
        "yy": sum(v * v for v in y),
        "x": sum(x),
        "xx": sum(v * v for v in x),
        "xy": sum(a * b for a, b in members),
    }


def statistic(metric, s):
    post = SampleMeanStatistic(n=s["n"], sum=s["y"], sum_squares=s["yy"])
    pre = SampleMeanStatistic(n=s["n"], sum=s["x"], sum_squares=s["xx"])
    if metric == "share":
        return ProportionStatistic(n=s["n"], sum=s["y"])
    if metric == "mean":
        return post
    if metric == "ratio":
        return RatioStatistic(n=s["n"], m_statistic=post, d_statistic=pre, m_d_sum_of_products=s["xy"])
    return RegressionAdjustedStatistic(
        n=s["n"], post_statistic=post, pre_statistic=pre, post_pre_sum_of_products=s["xy"], theta=0
    )


class Effects(unittest.TestCase):
    def close(self, ours, theirs, tolerance, at_least, what):
        allowed = tolerance * max(abs(theirs), at_least)
        self.assertLessEqual(abs(ours - theirs), allowed, f"{what}: ours {ours!r}, theirs {theirs!r}")

    def test_random_arms_are_compared_alike(self):
        draw = random.Random(20)
        asked, expected = [], []
        for number in range(CASES):
            metric = ["share", "mean", "adjusted", "ratio"][number % 4]
            control, treated = sums(drawn(draw, metric)), sums(drawn(draw, metric))
            alpha, tuned_to = draw.choice([0.01, 0.05, 0.1, 0.2]), draw.choice([500, 5_000, 50_000])
            weights = draw.choice([[0.5, 0.5], [0.1, 0.9], [3, 1]])
            asked.append(
                {"metric": metric, "control": control, "treated": treated, "alpha": alpha, "tuned_to": tuned_to, "weights": weights}
            )
            theirs = {"sample_ratio": check_srm([control["n"], treated["n"]], weights)}
            for kind in ["absolute", "relative"]:
                a, b = statistic(metric, control), statistic(metric, treated)
                config = {"alpha": alpha, "difference_type": kind}
                theirs[kind] = TwoSidedTTest(a, b, FrequentistConfig(**config)).compute_result()
                a, b = statistic(metric, control), statistic(metric, treated)
                config["sequential_tuning_parameter"] = tuned_to
                theirs[kind + " sequential"] = SequentialTwoSidedTTest(a, b, SequentialConfig(**config)).compute_result()
            expected.append(theirs)
        lines = "".join(json.dumps(one) + "\n" for one in asked)
        answered = subprocess.run([EFFECTS], input=lines, capture_output=True, text=True, check=True).stdout
        answers = [json.loads(line) for line in answered.splitlines()]
        self.assertEqual(len(answers), CASES)
        compared = 0
        for one, answer, theirs in zip(asked, answers, expected):
            what = json.dumps(one)
            self.close(answer["sample_ratio"], float(theirs["sample_ratio"]), RELATIVE, 1e-6, what)
            if "refused" in answer:
                # Theirs states nothing either, or the interval of an arm of which all came to the same.
                self.assertIsNotNone(theirs["absolute"].error_message, what)
                continue
            names = [("fixed", "absolute"), ("relative", "relative")]
            names += [("sequential", "absolute sequential"), ("relative_sequential", "relative sequential")]
            for ours_name, theirs_name in names:
                ours, other = answer["effect"][ours_name], theirs[theirs_name]
                if other.error_message is not None:
                    # Of a control arm that comes to nothing theirs states nothing at all.
                    self.assertEqual(answer["effect"]["control"], 0, what)
                    continue
                scale = abs(other.ci[1] - other.ci[0])
                self.close(ours["at"], other.expected, RELATIVE, scale, f"{ours_name} of {what}")
                for side, at in [("low", 0), ("high", 1)]:
                    self.close(ours[side], other.ci[at], OF_QUANTILES, scale, f"{ours_name}.{side} of {what}")
                # Theirs is 1 less a chance: what is left of a small one is as exact as 1 is.
                self.close(ours["p_value"], other.p_value, RELATIVE, 1e-3, f"{ours_name}.p_value of {what}")
                compared += 1
        self.assertGreater(compared, CASES * 3)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--effects", required=True, help="our program that answers comparisons")
    EFFECTS = parser.parse_args().effects
    unittest.main(argv=["test_effects.py"])
