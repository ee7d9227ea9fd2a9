"""Whether ClickHouse finds whom the reference finds.

The example `clickhouse_cases` writes populations and conditions at random, with what the reference evaluator says of each
member. Here the members go into tables as they would go to a server, in the current release in-process (chdb), each
condition's statement is asked, and the members are compared.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from chdb import session


# One population in so many is asked by two threads. Of so few rows one is done sooner, most of all where others are at work: each
# hands over to the other many times.
THREADED_EVERY = 9


def answered(chdb, sql):
    return str(chdb.query(sql, "TabSeparated")).split()


def check(chdb, population, counts, threads):
    for statement in population["migrations"] * 2:  # said twice: all of it may be said again
        chdb.query(statement)
    for name, value in population["settings"]:
        chdb.query(f"SET {name} = {value}")
    chdb.query(f"SET max_threads = {threads}")
    lines = population["lines"]
    half = len(lines) // 2
    for part in (lines[:half], lines[half:], lines[half:]):  # one batch twice: a retry changes nothing
        chdb.query(population["insertion"] + "\n" + "\n".join(part))
    kept, later, asked = population["position"]
    chdb.query(later)
    chdb.query(kept)
    assert answered(chdb, asked)[0] == "9", "the position is the latest"

    wrong = 0
    for case in population["cases"]:
        try:
            found = answered(chdb, case["sql"])
        except Exception as error:  # noqa: BLE001: whatever it is, the case is wrong
            found = [f"error: {str(error)[:600]}"]
        if found != case["expected"]:
            wrong += 1
            print(f"{case['condition']}\n  at {case['now']} in {case['zone']}, rows until {case['rows_until']}")
            print(f"  too many: {sorted(set(found) - set(case['expected']))}")
            print(f"  too few: {sorted(set(case['expected']) - set(found))}")
            if counts["verbose"]:
                print(f"  {case['sql']}")
        counts["found"] += len(found)
        counts["empty"] += not found
    # Counts and pages, of a few.
    for case in population["cases"][::10]:
        wrong += answered(chdb, case["count"]) != [str(len(case["expected"]))]
        wrong += bool(case["expected"]) and answered(chdb, case["page"]) != case["expected"][1:4]
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", required=True, help="the built example clickhouse_cases")
    parser.add_argument("--work", required=True)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--populations", default="18")
    parser.add_argument("--conditions", default="100")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    command = [options.cases, str(work), options.seed, options.populations, options.conditions]
    print(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    written = time.monotonic()
    chdb = session.Session()
    print(f"ClickHouse {answered(chdb, 'SELECT version()')[0]}; cases written in {written - began:.1f} s")
    passed = failed = 0
    counts = {"found": 0, "empty": 0, "verbose": options.verbose}
    refused = {}
    for number in range(int(options.populations)):
        population = json.loads((work / f"{number}.json").read_text())
        wrong = check(chdb, population, counts, threads=2 if number % THREADED_EVERY == 0 else 1)
        for refusal in population["refused"]:
            refused.setdefault(refusal["refused"], []).append(refusal["condition"])
        failed += wrong
        passed += len(population["cases"]) - min(wrong, len(population["cases"]))
    for why, conditions in refused.items():
        print(f"refused {len(conditions)} times: {why}, as in: {conditions[0]}")
    print(f"asked in {time.monotonic() - written:.1f} s; {counts['found']} members found, nobody in {counts['empty']} cases")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
