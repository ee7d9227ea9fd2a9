"""Checks what `cargo metadata` says (on standard input) against deny.toml, where cargo-deny is not.

It reads the same file and means the same by it: which licences are allowed, which crates are
banned or may be used only through a wrapper, and that every crate comes from the one registry.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

TOKENS = re.compile(r"\(|\)|[A-Za-z0-9.+-]+")


def allowed(expression: str, allow: set[str]) -> bool:
    """Whether an SPDX expression can be met by allowed licences alone."""
    tokens = TOKENS.findall(expression.replace("/", " OR "))

    def either() -> bool:
        result = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            # The right side is read in any case: its tokens must be consumed.
            right = both()
            result = result or right
        return result

    def both() -> bool:
        result = term()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            right = term()
            result = result and right
        return result

    def term() -> bool:
        token = tokens.pop(0)
        if token == "(":
            result = either()
            tokens.pop(0)
            return result
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            token = f"{token} WITH {tokens.pop(0)}"
        return token in allow

    return either()


def faults(metadata: dict, config: dict) -> list[str]:
    """A sentence for each crate that may not be here."""
    allow = set(config["licenses"]["allow"])
    banned = {entry["name"]: set(entry.get("wrappers", [])) for entry in config["bans"]["deny"]}
    names = {package["id"]: package["name"] for package in metadata["packages"]}
    parents: dict[str, set[str]] = {}
    for node in metadata["resolve"]["nodes"]:
        for dependency in node["dependencies"]:
            parents.setdefault(names[dependency], set()).add(names[node["id"]])

    sentences = []
    for package in metadata["packages"]:
        label = f"{package['name']} {package['version']}"
        if package["source"] is None:
            continue
        if not package["source"].startswith("registry+"):
            sentences.append(f"{label} comes from {package['source']}, not from a registry")
        licence = package["license"]
        if licence is None or not allowed(licence, allow):
            sentences.append(f"{label} has the licence {licence}, which is not allowed")
        if package["name"] in banned:
            strangers = parents.get(package["name"], set()) - banned[package["name"]]
            if strangers or not banned[package["name"]]:
                sentences.append(f"{label} is banned; {', '.join(sorted(strangers))} uses it")
    return sentences


def main() -> None:
    """Prints what is wrong; exits 1 if anything is."""
    config = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    metadata = json.load(sys.stdin)
    found = faults(metadata, config)
    for sentence in found:
        print(sentence)
    n_outside = sum(package["source"] is not None for package in metadata["packages"])
    print(f"{n_outside} crates from outside, {len(found)} refused")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
