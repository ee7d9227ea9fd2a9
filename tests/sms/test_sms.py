"""Signatures of short messages, by implementations that share nothing with ours: those of Aliyun and of Tencent Cloud themselves.

    test_sms.py --signing EXAMPLE [--seed N]

1. What ours signs for Aliyun (ACS3-HMAC-SHA256) is what `alibabacloud-openapi-util` signs for the same request, the whole head; and the
   query that ours says is the one that it signs.
2. What ours signs for Tencent Cloud (TC3-HMAC-SHA256) is what `tencentcloud-sdk-python-common` signs.

Each of many requests, with Chinese, marks, spaces and empty values; another secret, body or time gives another signature.
Closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

from alibabacloud_openapi_util.client import Client, get_canonical_query_string
from Tea.request import TeaRequest
from tencentcloud.common import credential
from tencentcloud.common.abstract_client import AbstractClient
from tencentcloud.common.http.request import RequestInternal

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from crash import Tally  # noqa: E402

NOW = 1_767_574_800
LETTERS = "abcXYZ019 -_.~!*'()+%&=/?#${}满减券，。【】😀é\"\\"


class Lines:
    """A program that answers a JSON object a line."""

    def __init__(self, program: str) -> None:
        pipe = subprocess.PIPE
        self.program = subprocess.Popen([program], stdin=pipe, stdout=pipe, text=True, encoding="utf-8")

    def ask(self, **asked: object) -> dict:
        self.program.stdin.write(json.dumps(asked) + "\n")
        self.program.stdin.flush()
        return json.loads(self.program.stdout.readline())

    def end(self) -> None:
        self.program.stdin.close()
        self.program.wait()


def word(chance: random.Random, most: int = 30) -> str:
    return "".join(chance.choice(LETTERS) for _ in range(chance.randrange(most)))


def secret(chance: random.Random) -> str:
    return "".join(chance.choice("abcdefXYZ0123456789") for _ in range(30))


def of_aliyun(ours: Lines, chance: random.Random, tally: Tally) -> None:
    wrong: list[str] = []
    for n in range(200):
        key, held = f"LTAI{n}", secret(chance)
        parameters = {"PhoneNumbers": "13900000000", "TemplateParam": json.dumps({"a": word(chance)}, ensure_ascii=False)}
        parameters |= {f"P{i}": word(chance) for i in range(chance.randrange(6))}
        payload = hashlib.sha256(b"").hexdigest()
        heads = {
            "host": "dysmsapi.aliyuncs.com", "x-acs-action": "SendSms", "x-acs-content-sha256": payload,
            "x-acs-date": f"2026-01-05T01:00:{n % 60:02}Z", "x-acs-signature-nonce": secret(chance), "x-acs-version": "2017-05-25",
        }
        request = TeaRequest()
        request.method, request.pathname, request.query, request.headers = "POST", "/", parameters, dict(heads)
        theirs = Client.get_authorization(request, "ACS3-HMAC-SHA256", payload, key, held)
        got = ours.ask(
            platform="aliyun", key_id=key, secret=held, method="POST", parameters=parameters, heads=heads, body_hash=payload
        )
        if got["authorization"] != theirs or got["query"] != get_canonical_query_string(parameters):
            wrong.append(f"{parameters}: {got}")
        other = ours.ask(
            platform="aliyun", key_id=key, secret=held + "x", method="POST", parameters=parameters, heads=heads, body_hash=payload
        )
        if other["authorization"] == theirs:
            wrong.append("another secret signs the same")
    tally.check("ours signs for Aliyun what its own implementation signs", not wrong, "; ".join(wrong[:3]))


def of_tencent(ours: Lines, chance: random.Random, tally: Tally) -> None:
    wrong: list[str] = []
    host = "sms.tencentcloudapi.com"
    for n in range(200):
        key, held, at = f"AKID{n}", secret(chance), NOW + n * 40_000
        client = AbstractClient(credential.Credential(key, held), "ap-guangzhou")
        body = json.dumps({"TemplateParamSet": [word(chance) for _ in range(chance.randrange(5))]}, ensure_ascii=bool(n % 2))
        request = RequestInternal(host, "POST", "/")
        request.data = body
        request.header = {"Content-Type": "application/json", "Host": host, "X-TC-Timestamp": str(at)}
        date = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%d")
        signature = client._get_tc3_signature({}, request, date, "sms", held)
        theirs = f"TC3-HMAC-SHA256 Credential={key}/{date}/sms/tc3_request, SignedHeaders=content-type;host, Signature={signature}"
        got = ours.ask(platform="tencent", key_id=key, secret=held, host=host, body=body, at=at)["authorization"]
        if got != theirs:
            wrong.append(f"{body}: {got} is not {theirs}")
        other = ours.ask(platform="tencent", key_id=key, secret=held, host=host, body=body, at=at + 1)["authorization"]
        if other == theirs:
            wrong.append("another second signs the same")
    tally.check("ours signs for Tencent Cloud what its own implementation signs", not wrong, "; ".join(wrong[:3]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signing", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20251128)
    args = parser.parse_args()
    print(f"seed {args.seed}")
    chance, tally, ours = random.Random(args.seed), Tally(), Lines(str(args.signing.resolve()))
    of_aliyun(ours, chance, tally)
    of_tencent(ours, chance, tally)
    ours.end()
    print(f"{tally.n_passed} passed, {tally.n_failed} failed")
    sys.exit(1 if tally.n_failed else 0)


if __name__ == "__main__":
    main()
