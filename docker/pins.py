"""Print the part of a lock file that one package needs, hashes and all.

The repository has one lock, for using and for working (docs/decisions/0001). An image needs
the first part alone. uv writes under each pin what asked for it: this follows those notes.

    python pins.py requirements.lock "parley (pyproject.toml)"   what Parley needs to run
    python pins.py requirements.lock hatchling                   hatchling, and what it needs
"""

from __future__ import annotations

import re
import sys
from pathlib import Path


def pins(lock: str, root: str) -> list[str]:
    """List the entries of a lock that `root` needs, itself included, in their order."""
    entries = re.split(r"\n(?=[a-z0-9])", "\n" + lock)[1:]
    names = [re.split(r"[=\[ ]", entry, maxsplit=1)[0] for entry in entries]
    askers = [set(re.findall(r"^ +#(?: via)? +(?!via)(\S.*)$", entry, re.M)) for entry in entries]
    needed = {root}
    while more := {
        name
        for name, asked_by in zip(names, askers, strict=True)
        if name not in needed and asked_by & needed
    }:
        needed |= more
    found = [entry for name, entry in zip(names, entries, strict=True) if name in needed]
    if not found:
        raise SystemExit(f"nothing in the lock for {root}: run make lock")
    return found


if __name__ == "__main__":
    sys.stdout.write("\n".join(pins(Path(sys.argv[1]).read_text("utf-8"), sys.argv[2])) + "\n")
