"""WeChat Pay's notices and signatures, by an implementation that shares nothing with ours (PyPI's `wechatpayv3`).

    test_wxpay.py --crypto EXAMPLE [--seed N]

1. Notices that others sign and seal are read by ours, by certificate and by public key, at many lengths, with Chinese and without; and
   each that was changed anywhere (body, time, nonce, key, seal) is refused, by its name.
2. What ours signs for a request is what the other checks, and reads the same fields of.
3. What ours seals for the platform (a person's name) is what the other opens.

Closes with `N passed, M failed`.
"""

from __future__ import annotations

import argparse
import base64
import datetime
import json
import random
import re
import subprocess
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID
from wechatpayv3.core import Core
from wechatpayv3.utils import aes_decrypt, rsa_decrypt, rsa_sign, rsa_verify

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from crash import Tally  # noqa: E402

API_KEY = "0123456789abcdefghijABCDEFGHIJ!@"
PUBLIC_ID = "PUB_KEY_ID_0000000000002024101600000000000"
NOW = 1_764_000_000


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


def pem(key: rsa.RSAPrivateKey) -> tuple[str, str]:
    """The private key in PKCS#8 and the public key, as texts."""
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def certificate(key: rsa.RSAPrivateKey, serial: int) -> str:
    name = x509.Name([
        x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tenpay.com"),
        x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com sign"),
    ])
    from_ = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(serial).not_valid_before(from_).not_valid_after(from_ + datetime.timedelta(days=1825))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def notice(chance: random.Random, event: str, kind: str, resource: str) -> str:
    nonce, data = "".join(chance.choice("abcdefghijkl0123") for _ in range(12)), chance.choice([kind, "", "会员"])
    sealed = AESGCM(API_KEY.encode()).encrypt(nonce.encode(), resource.encode(), data.encode())
    ciphertext = base64.b64encode(sealed).decode()
    assert aes_decrypt(nonce, ciphertext, data, API_KEY) == resource, "the other opens what is made here"
    body = {
        "id": f"EV-{chance.randrange(10**12)}",
        "create_time": "2025-11-24T16:00:00+08:00",
        "resource_type": "encrypt-resource",
        "event_type": event,
        "summary": "支付成功",
        "resource": {
            "original_type": kind, "algorithm": "AEAD_AES_256_GCM", "ciphertext": ciphertext,
            "associated_data": data, "nonce": nonce,
        },
    }
    return json.dumps(body, ensure_ascii=chance.random() < 0.5)


def paid(chance: random.Random, length: int) -> str:
    attach = "".join(chance.choice("abc会员<>&\"") for _ in range(length))
    return json.dumps({
        "mchid": "1900000001", "appid": "wx0", "out_trade_no": f"T{chance.randrange(10**9)}",
        "transaction_id": f"42{chance.randrange(10**18)}", "trade_type": "MICROPAY", "trade_state": "SUCCESS",
        "attach": attach, "success_time": "2025-11-24T16:00:00+08:00", "payer": {"openid": "o1"},
        "amount": {"total": chance.randrange(10**7), "payer_total": 1, "currency": "CNY", "payer_currency": "CNY"},
    }, ensure_ascii=False)


def back(chance: random.Random) -> str:
    return json.dumps({
        "mchid": "1900000001", "out_trade_no": "T1", "transaction_id": "42", "out_refund_no": f"R{chance.randrange(10**9)}",
        "refund_id": "50", "refund_status": "SUCCESS", "success_time": "2025-11-24T16:00:00+08:00",
        "amount": {"total": 100, "refund": 40, "payer_total": 90, "payer_refund": 36},
    })


def read_by_ours(ours: Lines, chance: random.Random, tally: Tally) -> None:
    key, other = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    public = pem(key)[1]
    # A number whose first bit is set has a zero byte before it; one that begins low has none.
    certificates = [certificate(key, serial) for serial in (0x5157F09EFDC096DE15EBE81A47057A7232F1B8E1, 0xF0 << 144 | 7, 3)]
    signers = [(public, PUBLIC_ID)]
    for text in certificates:
        signers.append((text, f"{x509.load_pem_x509_certificate(text.encode()).serial_number:X}"))
    wrong: list[str] = []
    for round_ in range(120):
        platform_key, serial = signers[round_ % len(signers)]
        is_payment = round_ % 3 != 2
        resource = paid(chance, chance.randrange(200)) if is_payment else back(chance)
        event, kind = ("TRANSACTION.SUCCESS", "transaction") if is_payment else ("REFUND.SUCCESS", "refund")
        body = notice(chance, event, kind, resource)
        nonce = "".join(chance.choice("ABCDEF0123456789") for _ in range(32))
        signature = rsa_sign(key, f"{NOW}\n{nonce}\n{body}\n")
        asked = {
            "do": "read", "api_v3_key": API_KEY, "platform_key": platform_key, "platform_id": PUBLIC_ID,
            "timestamp": str(NOW), "nonce": nonce, "signature": signature,
            # A number that begins with a zero digit is written with it.
            "serial": serial if serial == PUBLIC_ID else serial.zfill(len(serial) + len(serial) % 2),
            "body": body, "now": NOW + chance.randrange(-300, 301),
        }
        said = json.loads(resource)
        means = f"{said['out_trade_no']} paid {said['amount']['total']}" if is_payment else f"{said['out_refund_no']} back 40"
        got = ours.ask(**asked)
        if got != {"id": json.loads(body)["id"], "resource": resource, "told": means}:
            wrong.append(f"round {round_}: {got}")
        place = chance.randrange(len(body))
        changed = body[:place] + ("x" if body[place] != "x" else "y") + body[place + 1:]
        forged = rsa_sign(other, f"{NOW}\n{nonce}\n{body}\n")
        for what, refused, name in [
            ("another body", {"body": changed}, "signature_wrong"),
            ("another body of the same meaning", {"body": body.replace(", ", ",", 1)}, "signature_wrong"),
            ("what is cut off", {"body": body[: chance.randrange(len(body))]}, "signature_wrong"),
            ("what is too large", {"body": body + " " * 70_000}, "too_long"),
            ("another time", {"timestamp": str(NOW + 1)}, "signature_wrong"),
            ("another nonce", {"nonce": nonce[::-1] + "0"}, "signature_wrong"),
            ("another who signs", {"signature": forged}, "signature_wrong"),
            ("a probe", {"signature": "WECHATPAY/SIGNTEST/" + signature}, "probe"),
            ("another key", {"serial": "ABCDEF"}, "key_unknown"),
            ("too late", {"now": NOW + 301}, "not_now"),
            ("another APIv3 key", {"api_v3_key": API_KEY[::-1]}, "not_sealed"),
        ]:
            if ours.ask(**{**asked, **refused}).get("problem") != name:
                wrong.append(f"round {round_}, {what}: {ours.ask(**{**asked, **refused})}")
    tally.check("ours reads what others sign and seal, and refuses what was changed, by name", not wrong, "; ".join(wrong[:3]))
    sealed = Core("1900000001", "AB", pem(key)[0], API_KEY, public_key=public, public_key_id=PUBLIC_ID)
    body = notice(chance, "TRANSACTION.SUCCESS", "transaction", paid(chance, 9))
    heads = {
        "Wechatpay-Timestamp": str(NOW), "Wechatpay-Nonce": "n", "Wechatpay-Serial": PUBLIC_ID,
        "Wechatpay-Signature": rsa_sign(key, f"{NOW}\nn\n{body}\n"), "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
    }
    tally.check("the other takes the same notices", sealed.decrypt_callback(heads, body) is not None)


def signed_by_ours(ours: Lines, chance: random.Random, tally: Tally) -> None:
    wrong: list[str] = []
    for bits in (2048, 3072):
        key = rsa.generate_private_key(65537, bits)
        private = pem(key)[0]
        for round_ in range(20):
            path = "/v3/refund/domestic/refunds" if round_ % 2 else f"/v3/pay/transactions/id/4{round_}?mchid=1900000001"
            method, body = ("POST", json.dumps({"reason": "退货", "n": round_}, ensure_ascii=False)) if round_ % 2 else ("GET", "")
            nonce = "".join(chance.choice("ABCDEF0123456789") for _ in range(32))
            got = ours.ask(
                do="sign", merchant="1900000001", serial="3775B6A45ACD588826D15E583A95F5DD", private_key=private,
                method=method, path=path, nonce=nonce, body=body, now=NOW + round_,
            ).get("authorization") or ""
            fields = dict(re.findall(r'(\w+)="([^"]*)"', got))
            expected = {"mchid": "1900000001", "nonce_str": nonce, "timestamp": str(NOW + round_), "serial_no": "3775B6A45ACD588826D15E583A95F5DD"}
            # The other checks three lines: time, nonce, body. The two before stand in front of the first.
            first = f"{method}\n{path}\n{NOW + round_}"
            is_right = got.startswith("WECHATPAY2-SHA256-RSA2048 ") and expected.items() <= fields.items()
            if not (is_right and rsa_verify(first, nonce, body, fields.get("signature", ""), key.public_key())):
                wrong.append(f"{bits} bits, {method} {path}: {got[:80]}")
    tally.check("the other checks what ours signs", not wrong, "; ".join(wrong[:3]))
    refused = ours.ask(do="sign", private_key="-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n")
    tally.check("what is no key is refused", "PKCS#8" in refused.get("problem", ""), str(refused))


def sealed_by_ours(ours: Lines, chance: random.Random, tally: Tally) -> None:
    wrong: list[str] = []
    for bits in (2048, 3072):
        key = rsa.generate_private_key(65537, bits)
        for round_, length in enumerate([1, 2, 9, 71, *(chance.randrange(1, 71) for _ in range(20))]):
            text = "".join(chance.choice("张三欧阳丰") for _ in range(length))
            shown = pem(key)[1] if round_ % 2 else certificate(key, 7)
            got = ours.ask(do="seal", platform_key=shown, text=text, now=round_)
            if rsa_decrypt(got["sealed"], key) != text:
                wrong.append(f"{bits} bits, {length} letters: {got}")
    tally.check("the other opens what ours seals", not wrong, "; ".join(wrong[:3]))
    long = ours.ask(do="seal", platform_key=pem(rsa.generate_private_key(65537, 2048))[1], text="x" * 215, now=0)
    tally.check("what is too long for the key is not sealed", long == {"sealed": None}, str(long))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crypto", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20251124)
    args = parser.parse_args()
    print(f"seed {args.seed}")
    chance, tally, ours = random.Random(args.seed), Tally(), Lines(str(args.crypto.resolve()))
    read_by_ours(ours, chance, tally)
    signed_by_ours(ours, chance, tally)
    sealed_by_ours(ours, chance, tally)
    ours.end()
    print(f"{tally.n_passed} passed, {tally.n_failed} failed")
    sys.exit(1 if tally.n_failed else 0)


if __name__ == "__main__":
    main()
