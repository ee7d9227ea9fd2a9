"""Checks a draw of Zhiyin without Zhiyin: the same numbers from the same file, by docs/draws.md and nothing else.

    draw_verify.py FILE [COMMITMENT [ENTRIES_HASH]]

The commitment and the hash of the entries are those that you noted when they were published. Exits 1 if anything differs.
"""

import hashlib
import json
import sys
from itertools import count


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def hash_of_entries(entries: list) -> bytes:
    return sha256(*(f"{entry}\t{chances}\n".encode() for entry, chances in entries))


def drawn(file: dict) -> list[str]:
    """The entries in the order drawn: as many as there are prizes and alternates, or all there are."""
    entries = sorted(file["entries"], key=lambda one: one[0].encode())
    terms = [file["format"], f"draw\t{file['draw']}"]
    terms += [f"prize\t{prize['prize']}\t{prize['pieces']}" for prize in file["prizes"]]
    terms += [f"alternates\t{file['alternates']}", f"public_source\t{file.get('public_source') or ''}", f"public_value\t{file.get('public_value') or ''}"]
    terms_hash = sha256("".join(line + "\n" for line in terms).encode())
    key = sha256(bytes.fromhex(file["seed"]), terms_hash, hash_of_entries(entries))
    numbers = (int.from_bytes(sha256(key, counter.to_bytes(8, "big"))[:8], "big") for counter in count())
    order = []
    wanted = sum(prize["pieces"] for prize in file["prizes"]) + file["alternates"]
    while entries and len(order) < wanted:
        left = sum(chances for _, chances in entries)
        number = next(number for number in numbers if number < 2**64 // left * left) % left
        for at, (_, chances) in enumerate(entries):
            if number < chances:
                break
            number -= chances
        order.append(entries.pop(at)[0])
    return order


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as opened:
        file = json.load(opened)
    commitment = sha256(bytes.fromhex(file["seed"])).hex()
    entries_hash = hash_of_entries(sorted(file["entries"], key=lambda one: one[0].encode())).hex()
    order = drawn(file)
    prizes = [prize["prize"] for prize in file["prizes"] for _ in range(prize["pieces"])]
    checks = {
        "format": file["format"] == "zhiyin-draw/1",
        "commitment": commitment == file["commitment"] == (sys.argv[2:3] or [commitment])[0],
        "entries": entries_hash == file["entries_hash"] == (sys.argv[3:4] or [entries_hash])[0],
        "winners": [list(pair) for pair in zip(order, prizes)] == file["winners"],
        "alternates": order[len(prizes):] == file["alternates_drawn"],
    }
    for name, right in checks.items():
        print(f"{name}: {'right' if right else 'WRONG'}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
