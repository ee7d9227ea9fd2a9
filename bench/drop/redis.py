"""What Redis does with a drop: an atomic Lua script (stock, and so many a member), every write on disk before it is answered.

    redis.py [--clients 64] [--tries 100000] [--stock 1000] [--limit 1] [--members 50000] [--runs 3]

Starts Debian's redis-server on a free port of 127.0.0.1 with `appendonly yes` and `appendfsync always` in a temporary folder
(TMPDIR says on which disk), and lets redis-benchmark ask: the client is C too, with one try underway a connection. Members are drawn by chance.
The best of the runs counts. After each, what was sold is counted; after the last, the server is killed and started
again, and must still know it. Prints one line of JSON; ends with 1 if a count is wrong, with 2 if Redis is not there.
"""

import argparse
import csv
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# What is asked first is what most tries are answered with: sold out.
SCRIPT = """
if tonumber(redis.call('GET', KEYS[1])) <= 0 then return 0 end
if tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or 0) >= tonumber(ARGV[2]) then return -1 end
redis.call('DECR', KEYS[1])
redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
return 1
"""
START_SECONDS = 30
BENCHMARK_SECONDS = 600


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in [("clients", 64), ("tries", 100_000), ("stock", 1_000), ("limit", 1), ("members", 50_000), ("runs", 3)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    for name, value in vars(given).items():
        if value < 1:
            parser.error(f"--{name}: at least 1")
    return given


def read(stream) -> object:
    """One answer of Redis (RESP2)."""
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("the server went away")
    kind, rest = line[:1], line[1:-2]
    if kind == b"-":
        raise RuntimeError(rest.decode())
    if kind == b"+":
        return rest.decode()
    size = int(rest)
    if kind == b":":
        return size
    if kind == b"*":
        return [read(stream) for _ in range(size)]
    return None if size < 0 else stream.read(size + 2)[:-2].decode()


def ask(port: int, *words: object) -> object:
    with socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as connection, connection.makefile("rb") as stream:
        parts = [str(word).encode() for word in words]
        connection.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        return read(stream)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(folder: Path) -> tuple[subprocess.Popen, int]:
    """A server that answers, on whatever is in the folder."""
    port = free_port()
    settings = {
        "port": port,
        "bind": "127.0.0.1",
        "dir": folder,
        "save": "",
        "appendonly": "yes",
        "appendfsync": "always",
        # The log is not written anew in the middle of a run.
        "auto-aof-rewrite-percentage": 0,
        "logfile": folder / "redis.log",
    }
    words = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    server = subprocess.Popen(["redis-server", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            if ask(port, "PING") == "PONG":
                return server, port
        except (OSError, RuntimeError):  # Not there yet, or still reading its log.
            time.sleep(0.05)
    server.kill()
    server.wait()
    sys.exit(f"redis-server did not start; its log: {(folder / 'redis.log').read_text(errors='replace')[-2000:]}")


def sold(port: int, given: argparse.Namespace) -> int:
    """How many were sold, if the books are right: as many as there were, no member with more than their limit."""
    had = [int(pieces) for pieces in ask(port, "HVALS", "taken")]
    left = int(ask(port, "GET", "stock"))
    if left < 0 or sum(had) + left != given.stock or max(had, default=0) > given.limit:
        sys.exit(f"the books are wrong: {left} left, {sum(had)} sold, {max(had, default=0)} to one member")
    return sum(had)


def run(port: int, given: argparse.Namespace) -> dict:
    ask(port, "FLUSHALL")
    ask(port, "SET", "stock", given.stock)
    script = ask(port, "SCRIPT", "LOAD", SCRIPT)
    words = ["redis-benchmark", "-h", "127.0.0.1", "-p", port, "-c", given.clients, "-n", given.tries, "-r", given.members, "--csv"]
    words += ["EVALSHA", script, 2, "stock", "taken", "__rand_int__", given.limit]
    told = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, timeout=BENCHMARK_SECONDS).stdout
    header, figures = list(csv.reader(line for line in told.splitlines() if line.startswith('"')))
    figures = dict(zip(header, figures))
    return {
        "tries_per_s": round(float(figures["rps"])),
        "p50_us": round(float(figures["p50_latency_ms"]) * 1000),
        "p99_us": round(float(figures["p99_latency_ms"]) * 1000),
        "winners": sold(port, given),
    }


def end(server: subprocess.Popen) -> None:
    server.send_signal(signal.SIGKILL)
    server.wait()


def main() -> None:
    given = arguments()
    for program in ("redis-server", "redis-benchmark"):
        if not shutil.which(program):
            print(f"There is no {program} (Debian's package redis-server).", file=sys.stderr)
            sys.exit(2)
    with tempfile.TemporaryDirectory(prefix="zhiyin-drop-redis-") as name:
        folder = Path(name)
        server, port = start(folder)
        try:
            version = next(line.split(":")[1].strip() for line in ask(port, "INFO", "server").splitlines() if line.startswith("redis_version"))
            runs = [run(port, given) for _ in range(given.runs)]
            end(server)
            server, port = start(folder)
            if sold(port, given) != runs[-1]["winners"]:
                sys.exit("what was answered as sold was gone after the server was killed")
        finally:
            end(server)
    best = max(runs, key=lambda one: one["tries_per_s"])
    asked = {key: value for key, value in vars(given).items() if key != "runs"}
    print(json.dumps({"peer": "redis", "version": version, "appendfsync": "always", **asked, **best}))


if __name__ == "__main__":
    main()
