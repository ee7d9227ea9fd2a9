"""The API against what it says of itself: requests drawn from its own OpenAPI document.

Schemathesis sends examples, edges and random data to every operation of a real server on a home of its own. No answer may be a
5xx, or one that the document does not declare, or of another shape than it declares; nothing may be answered without a key.

    python tests/api.py --binary target/release/zhiyin --schemathesis .cache/venv/api/bin/schemathesis --work DIR
"""

import argparse
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,ignored_auth,unsupported_method"
)
# They would end the very key that the requests are made with.
ENDS_KEYS = ["keys_rotate", "keys_revoke"]
SECONDS = 75
NUMBERS = itertools.count()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("binary", "schemathesis", "work"):
        arguments.add_argument(f"--{name}", required=True, type=Path)
    given = arguments.parse_args()
    shutil.rmtree(given.work, ignore_errors=True)
    given.work.mkdir(parents=True)
    home = given.work / "home"

    def zhiyin(*words):
        command = [given.binary, "--home", home, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    zhiyin("apply", "variety-store")
    key = zhiyin("key", "new", "--role", "owner", "--name", "tests").strip()
    log = open(given.work / "server.log", "w")
    environment = {**os.environ, "ZHIYIN_LOG": "warn"}
    command = [given.binary, "--home", home, "serve", "--listen", "127.0.0.1:0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
    try:
        address = server.stdout.readline().split("http://")[1].split()[0]
        return check(f"http://{address}", key, given)
    finally:
        server.terminate()
        server.wait(timeout=30)


def check(base, key, given):
    # Whom the examples of the document speak of.
    for name, points in (("13912345678", 900), ("13912345679", 100)):
        member = {"namespace": "phone", "value": name}
        command(base, key, "members/enrol", {"identifiers": [member], "attributes": {"name": "张伟"}, "store": "330"})
        command(base, key, "points/adjust", {"member": member, "amount": points, "reason": "tests"})
    words = [given.schemathesis, "run", f"{base}/openapi.json", "--header", f"Authorization: Bearer {key}"]
    words += ["--phases", "examples,coverage,fuzzing", "--max-time", str(SECONDS), "--seed", "1"]
    words += ["--continue-on-failure", "--checks", CHECKS, "--warnings", "off"]
    for operation in ENDS_KEYS:
        words += ["--exclude-operation-id", operation]
    run = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS * 4, cwd=given.work)
    (given.work / "schemathesis.log").write_text(run.stdout + run.stderr)
    cases = re.search(r"([0-9]+) generated, (?:([0-9]+) found [^,]*, )?([0-9]+) passed", run.stdout)
    if run.returncode != 0 or not cases or int(cases[1]) < 1000:
        print(run.stdout[-6000:], run.stderr[-2000:])
        print("0 passed, 1 failed")
        return 1
    print(f"{cases[1]} requests drawn from the document, none answered otherwise than it says")
    print("1 passed, 0 failed")
    return 0


def command(base, key, name, body):
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"tests-{next(NUMBERS)}",
    }
    request = urllib.request.Request(f"{base}/v1/commands/{name}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
