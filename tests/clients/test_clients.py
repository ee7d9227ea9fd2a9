"""Real clients of the Segment family send to a real server, and the ledger is checked after.

Each of them is taken from its registry as it is and tells the same story in its own way (story.mjs, story.py): somebody
says who they are, buys two things, brings one of them back, and is recognised by what they were called before. Then the
command line is asked what became of it. One client tells it once more with a key that lies open in the page, whose orders
nobody believes. Closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
# What each client can say: not all of them know an alias.
NODE = {
    "segment-node": True,
    "segment-old-node": True,
    "segment-browser": True,
    "rudder-node": True,
    "customerio-node": True,
    "posthog-node": True,
    "jitsu": False,
    "dittofeed": False,
}
PYTHON = [
    "segment-python",
    "segment-python-gzip",
    "segment-old-python",
    "rudder-python",
    "customerio-python",
    "posthog-python",
]
OPEN = "segment-browser-public"
# ¥88.80 paid, of which ¥57 came back; a point and ten growth for each whole yuan.
EARNED, TAKEN_BACK, KEPT = 88, 57, 31
CLIENT_SECONDS_MAX = 60
START_SECONDS_MAX = 30


class Tally:
    """What passed and what failed."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def check(self, what: str, got: object, expected: object) -> None:
        if got == expected:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {what}: {got!r}, expected {expected!r}", flush=True)


class Home:
    """A home and its server."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.binary = binary
        self.folder = folder
        self.log = folder.with_suffix(".log")
        self.server: subprocess.Popen[bytes] | None = None
        self.address = ""

    def cli(self, *arguments: str) -> str:
        ran = subprocess.run(
            [self.binary, *arguments, "--home", str(self.folder)], capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise RuntimeError(f"zhiyin {' '.join(arguments)}: {ran.stderr.strip()}")
        return ran.stdout.strip()

    def member(self, identifier: str) -> dict | None:
        try:
            return json.loads(self.cli("member", identifier, "--format", "json"))
        except RuntimeError as error:
            if "nobody is known" in str(error):
                return None
            raise

    def start(self) -> None:
        with self.log.open("wb") as log:
            self.server = subprocess.Popen(
                [self.binary, "serve", "--listen", "127.0.0.1:0", "--home", str(self.folder)], stdout=log, stderr=log
            )
        until = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < until and self.server.poll() is None:
            found = re.search(r"http://127\.0\.0\.1:\d+", self.log.read_text())
            if found:
                self.address = found.group()
                return
            time.sleep(0.05)
        raise RuntimeError(f"the server did not start: {self.log.read_text()}")

    def stop(self) -> None:
        if self.server and self.server.poll() is None:
            self.server.terminate()
            self.server.wait(timeout=30)


def told(command: list[str]) -> str:
    """Runs a client; what it complains of, if it does."""
    # A proxy of the machine is no way to this machine.
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=CLIENT_SECONDS_MAX, cwd=HERE, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return f"not done within {CLIENT_SECONDS_MAX} s"
    return "" if ran.returncode == 0 and not ran.stderr.strip() else (ran.stderr or ran.stdout or "ended badly")[-800:]


def check_member(tally: Tally, home: Home, client: str, has_alias: bool) -> None:
    """What the ledger says of who bought through a client."""
    ann = home.member(f"user:ann-{client}")
    if ann is None:
        tally.check(f"{client}: the member is known", None, f"ann-{client}")
        return
    points, growth = ann["accounts"]["points"], ann["accounts"]["growth"]
    tally.check(f"{client}: points", (points["active"], points["debt"]), (KEPT, 0))
    tally.check(f"{client}: growth", growth["active"], KEPT * 10)
    tally.check(f"{client}: lots", [lot["granted"] for lot in ann["lots"]], [EARNED])
    tally.check(f"{client}: what they said of themselves", ann["attributes"].get("city"), "上海")
    if has_alias:
        before = home.member(f"user:guest-{client}") or {}
        tally.check(f"{client}: known by the name before", before.get("id"), ann["id"])


def check_open(tally: Tally, home: Home) -> None:
    """What a key that lies open may say: who somebody is and what they look at, and nothing that earns."""
    ann = home.member(f"user:ann-{OPEN}") or {}
    tally.check(f"{OPEN}: what they said of themselves", ann.get("attributes", {}).get("city"), "上海")
    points = ann.get("accounts", {}).get("points", {"active": 0})
    tally.check(f"{OPEN}: points", points["active"], 0)
    tally.check(f"{OPEN}: its alias names nobody", home.member(f"user:guest-{OPEN}"), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--node", default="node", help="the Node that runs story.mjs")
    parser.add_argument("--python", default=sys.executable, help="the Python that has the clients")
    parser.add_argument("--work", type=Path, required=True, help="a folder for the home and the log")
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)
    home = Home(str(Path(options.binary).resolve()), options.work.resolve() / "home")
    home.cli("apply", "variety-store")
    key = home.cli("key", "new", "--role", "owner", "--name", "shop")
    open_key = home.cli("key", "new", "--public", "--name", "page")
    tally = Tally()
    home.start()
    try:
        for client in NODE:
            said = told([options.node, "story.mjs", client, home.address, key])
            tally.check(f"{client}: it has nothing to complain of", said, "")
        said = told([options.node, "story.mjs", OPEN, home.address, open_key])
        tally.check(f"{OPEN}: it has nothing to complain of", said, "")
        for client in PYTHON:
            said = told([options.python, "story.py", client, home.address, key])
            tally.check(f"{client}: it has nothing to complain of", said, "")
    finally:
        home.stop()
    home.cli("work", "--drain")

    for client in PYTHON:
        check_member(tally, home, client, has_alias=True)
    for client, has_alias in NODE.items():
        check_member(tally, home, client, has_alias)
    check_open(tally, home)
    n = len(NODE) + len(PYTHON)
    lines = {(line["asset"], line["kind"]): line for line in json.loads(home.cli("report", "ledger", "--format", "json"))}
    for asset, times in (("points", 1), ("growth", 10)):
        for kind, amount in (("earn", EARNED), ("take_back", -TAKEN_BACK), ("balance", KEPT)):
            tally.check(f"the ledger's {asset} {kind}", lines[asset, kind]["amount"], n * amount * times)
    places = home.cli("doctor")
    tally.check("the doctor", "broken" in places, False)
    # A key is nowhere in what is kept or logged.
    secret = key.rsplit("_", 1)[1]
    kept = b"".join(path.read_bytes() for path in options.work.rglob("*") if path.is_file())
    tally.check("the key is not kept", secret.encode() in kept, False)
    print(f"{tally.passed} passed, {tally.failed} failed", flush=True)
    return min(tally.failed, 1)


if __name__ == "__main__":
    sys.exit(main())
