"""A peer of the audiences' bench: DuckDB or ClickHouse (chdb, in-process) loads the Parquet files that `zhiyin bench audience`
wrote and answers the same questions, each several times, and says how long the best took, as one line of JSON.

Both get what suits them: order lines by member and time, texts as enums or dictionaries, a column with the day in the brand's
zone, and the statements a good engineer would write: one pass that groups by member, attributes by a semi-join. Where it is
open which way is faster all of them are tried and the fastest counts.
"""

import argparse
import json
import resource
import shutil
import sys
import time
from pathlib import Path

TIMES = 3
# Texts and how many there are; words are numbered.
WORDS = {"city": ("c", 300), "category": ("k", 20), "product": ("p", 2000), "store": ("s", 2000), "channel": ("ch", 3)}

ATTRIBUTES = "SELECT count(*) FROM members WHERE gender = 'f' AND city = 'c012' AND years >= 25"
OFTEN = """SELECT count(*) FROM (SELECT member FROM lines WHERE day >= DATE '{today}' - 365
  GROUP BY member HAVING count(*) >= 4 AND max(day) >= DATE '{today}' - 120) AS found"""
PIECES = """SELECT count(*) FROM (SELECT member FROM lines WHERE category = 'k007' AND day >= DATE '{today}' - 30
  GROUP BY member HAVING sum(quantity) >= 5) AS found"""
WOMEN = "member IN (SELECT member FROM members WHERE gender = 'f')"
# Paid is in minor units. Where the attribute is asked: of each line, or of who is left.
FOUR = """SELECT count(*) FROM (SELECT member FROM lines WHERE day >= DATE '{today}' - 365 {of_lines}
  GROUP BY member
  HAVING count(*) >= 3 AND max(day) >= DATE '{today}' - 60
    AND {sum_paid} > 10000 AND {count_other} = 0) AS found {of_found}"""


def statements(dialect):
    """Each question with the ways to ask it."""
    spent = "category = 'k003' AND day >= DATE '{today}' - 180"
    other = "category = 'k011' AND day >= DATE '{today}' - 90"
    if dialect == "duckdb":
        folds = {"sum_paid": f"sum(paid) FILTER (WHERE {spent})", "count_other": f"count(*) FILTER (WHERE {other})"}
    else:
        folds = {"sum_paid": f"sumIf(paid, {spent})", "count_other": f"countIf({other})"}
    four = {}
    for way, of_lines, of_found in (("first women", f"AND {WOMEN}", ""), ("women last", "", f"WHERE {WOMEN}")):
        text = FOUR.replace("{of_lines}", of_lines).replace("{of_found}", of_found)
        for name, fold in folds.items():
            text = text.replace("{" + name + "}", fold)
        four[way] = text
    return {"attributes": {"": ATTRIBUTES}, "often": {"": OFTEN}, "pieces": {"": PIECES}, "four": four}


def best(ask, statement):
    """The count and the shortest time in microseconds."""
    counts, times = set(), []
    for _ in range(TIMES):
        began = time.perf_counter()
        counts.add(ask(statement))
        times.append(round((time.perf_counter() - began) * 1_000_000))
    if len(counts) != 1:
        sys.exit(f"one question, several answers: {counts}")
    return counts.pop(), min(times)


def answers(dialect, today, ways):
    """Every question in every way; the fastest of each. `ways` are names and functions that ask."""
    found = {}
    for name, texts in statements(dialect).items():
        for how, text in texts.items():
            for way, ask in ways.items():
                count, us = best(ask, text.replace("{today}", today))
                known = found.get(name)
                if known and known["count"] != count:
                    sys.exit(f"{name}: {known['count']} one way, {count} another")
                if not known or us < known["us"]:
                    found[name] = {"us": us, "count": count, "way": ", ".join(filter(None, (how, way)))}
    return found


def size(path):
    return sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())


def parts(folder, name, consume):
    """Files in order; gone once they are loaded, if nobody else needs them."""
    for file in sorted(Path(folder).glob(f"{name}-*.parquet")):
        yield file
        if consume:
            file.unlink()


def duckdb_peer(options):
    import duckdb

    options.work.mkdir(parents=True)
    with duckdb.connect(str(options.work / "audience.duckdb")) as connection:
        connection.execute(f"SET threads = {options.threads}")
        connection.execute(f"SET temp_directory = '{options.work}/spill'")
        began = time.perf_counter()
        connection.execute("CREATE TYPE gender AS ENUM ('f', 'm')")
        for name, (prefix, n) in WORDS.items():
            words = ", ".join(f"'{prefix}{at:03}'" for at in range(n))
            connection.execute(f"CREATE TYPE {name} AS ENUM ({words})")
        connection.execute("CREATE TABLE members (member UINTEGER, gender gender, city city, years UTINYINT, points INTEGER)")
        connection.execute(
            "CREATE TABLE lines (member UINTEGER, day DATE, time TIMESTAMP_S, category category, product product, "
            "store store, channel channel, paid UINTEGER, quantity UTINYINT)"
        )
        for file in parts(options.folder, "members", options.consume):
            connection.execute(f"INSERT INTO members SELECT member, gender, city, years, points FROM read_parquet('{file}')")
        for file in parts(options.folder, "lines", options.consume):
            connection.execute(
                "INSERT INTO lines SELECT member, day, make_timestamp(time::BIGINT * 1000000), category, product, store, "
                f"channel, paid, quantity FROM read_parquet('{file}')"
            )
        connection.execute("CHECKPOINT")
        load_ms = round((time.perf_counter() - began) * 1000)
        found = answers("duckdb", options.today, {"": lambda sql: connection.execute(sql).fetchone()[0]})
    return {"version": duckdb.__version__, "load_ms": load_ms, "bytes": size(options.work), "answers": found}


def clickhouse_peer(options):
    from chdb import session

    chdb = session.Session(str(options.work))

    def ask(sql):
        return str(chdb.query(sql, "TabSeparated")).strip()

    chdb.query("CREATE DATABASE bench ENGINE = Atomic")
    chdb.query("USE bench")
    for name, value in (("max_threads", options.threads), ("max_memory_usage", 0)):
        chdb.query(f"SET {name} = {value}")
    began = time.perf_counter()
    # What was merged goes at once: the disk holds no second copy for minutes.
    kept = "SETTINGS old_parts_lifetime = 1"
    chdb.query(
        "CREATE TABLE members (member UInt32, gender LowCardinality(String), city LowCardinality(String), years UInt8, "
        f"points UInt32) ENGINE = MergeTree ORDER BY member {kept}"
    )
    chdb.query(
        "CREATE TABLE lines (member UInt32, day Date, time DateTime('UTC'), category LowCardinality(String), "
        "product LowCardinality(String), store LowCardinality(String), channel LowCardinality(String), paid UInt32, "
        f"quantity UInt8) ENGINE = MergeTree ORDER BY (member, time) {kept}"
    )
    for file in parts(options.folder, "members", options.consume):
        chdb.query(f"INSERT INTO members SELECT member, gender, city, years, points FROM file('{file}', Parquet)")
    for file in parts(options.folder, "lines", options.consume):
        # A file is one part: members of files lie one after the other.
        chdb.query(
            "INSERT INTO lines SELECT member, day, toDateTime(time, 'UTC'), category, product, store, channel, paid, quantity "
            f"FROM file('{file}', Parquet) SETTINGS max_insert_threads = 1, min_insert_block_size_rows = 8000000, "
            "min_insert_block_size_bytes = 0"
        )
    for table in ("members", "lines"):
        chdb.query(f"OPTIMIZE TABLE {table} FINAL")
    load_ms = round((time.perf_counter() - began) * 1000)
    ways = {
        "": lambda sql: int(ask(sql)),
        "in order": lambda sql: int(ask(sql + " SETTINGS optimize_aggregation_in_order = 1")),
    }
    found = answers("clickhouse", options.today, ways)
    version = ask("SELECT version()")
    held = int(ask("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'bench'"))
    chdb.close()
    return {"version": version, "load_ms": load_ms, "bytes": held, "answers": found}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["duckdb", "clickhouse"], required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where the Parquet files are")
    parser.add_argument("--work", type=Path, required=True, help="a folder that is not there yet")
    parser.add_argument("--today", required=True, help="the day of asking, YYYY-MM-DD")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--consume", action="store_true", help="remove each file once it is loaded")
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    found = {"duckdb": duckdb_peer, "clickhouse": clickhouse_peer}[options.engine](options)
    found["memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(found))


if __name__ == "__main__":
    main()
