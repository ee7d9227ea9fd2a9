"""Runs the commands of docs/quickstart.md as they stand there, in a new folder; only the port is a free one.

    python tests/quickstart.py --binary target/release/zhiyin --work DIR
"""

import argparse
import os
import random
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 120


def free_port():
    """A port that nobody has, below those that the system hands out, so that no connection takes it meanwhile."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit("no port is free")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binary", required=True, type=Path)
    arguments.add_argument("--work", required=True, type=Path)
    given = arguments.parse_args()
    shutil.rmtree(given.work, ignore_errors=True)
    given.work.mkdir(parents=True)
    parts = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "docs/quickstart.md").read_text(), re.M | re.S)
    port = free_port()
    # As at a desk: jobs can be named, and the first that fails ends it. What was started ends with it in any case.
    script = "set -euo pipefail -m\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + "\n".join(parts)
    script = script.replace("8080", str(port))
    binaries = given.binary.resolve().parent
    environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"}
    for name in ("ZHIYIN_HOME", "ZHIYIN_DATABASE"):
        environment.pop(name, None)
    run = subprocess.run(
        ["bash", "-c", script], cwd=given.work, env=environment, timeout=SECONDS, capture_output=True, text=True
    )
    if run.returncode != 0 or len(parts) < 6:
        print(run.stdout[-3000:], run.stderr[-3000:])
        print("0 passed, 1 failed")
        return 1
    print(f"{len(parts)} parts of docs/quickstart.md run as they stand there")
    print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
