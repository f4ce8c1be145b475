"""What the offline model says it offers: names, sizes, and how slow to be."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from typing import Any

from utils.errors import BadInput

_DEFAULT_TAG = "latest"


@dataclass(frozen=True, slots=True)
class Offered:
    """One model, as slow as it is told to be.

    Args:
        name: What it goes by; `:latest` is understood.
        size_mb: What it says it takes, 10^6 bytes, >= 0.
        load_s: How long loading it takes, seconds, >= 0.
        tokens_per_s: How fast it speaks; None for as fast as it can.
        slots: How many it answers at a time, as OLLAMA_NUM_PARALLEL; None for any number.

    Raises:
        BadInput: A number is out of range.
    """

    name: str
    size_mb: float = 0.0
    load_s: float = 0.0
    tokens_per_s: float | None = None
    slots: int | None = None

    def __post_init__(self) -> None:
        if self.tokens_per_s is not None and not self.tokens_per_s > 0:
            raise BadInput(f"{self.tokens_per_s} tokens a second", mend="give a number above 0")
        if self.slots is not None and self.slots < 1:
            raise BadInput(f"{self.slots} slots", mend="give a number above 0")
        if not (0 <= self.size_mb < 1e9 and 0 <= self.load_s < 1e6):
            raise BadInput("a size or a load time that cannot be", where=self.name)

    @property
    def full_name(self) -> str:
        """Its name with its tag, as `/api/tags` lists it."""
        return f"{self.name.partition(':')[0]}:{tag_of(self.name)}"

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return round(self.size_mb * 1e6)

    @classmethod
    def parse(cls, spelled: str) -> Offered:
        """Read a model as the command line spells it.

        Raises:
            BadInput: It cannot be read; the error names what is known.

        Example:
            >>> Offered.parse("tiny:1b,load_s=2,slots=1").slots
            1
        """
        name, *settings = spelled.split(",")
        known = [field.name for field in fields(cls) if field.name != "name"]
        offered = cls(name=name.strip())
        for setting in settings:
            key, _, value = (part.strip() for part in setting.partition("="))
            number = _number(value, is_whole=key == "slots")
            if not name or key not in known or number is None:
                mend = f"write NAME,KEY=NUMBER with keys of {', '.join(known)}"
                raise BadInput(f"'{spelled}' is no model to offer", where="--model", mend=mend)
            changes: dict[str, Any] = {key: number}
            offered = replace(offered, **changes)
        return offered


def _number(spelled: str, *, is_whole: bool) -> float | None:
    try:
        return int(spelled) if is_whole else float(spelled)
    except ValueError:
        return None


def spell_out(model: str) -> str:
    """Spell a model's name in full, so that equal names are equal.

    Example:
        >>> spell_out("library/Parley-Offline") == spell_out("parley-offline:latest")
        True
    """
    name = model.casefold().removeprefix("registry.ollama.ai/").removeprefix("library/")
    return f"{name.partition(':')[0]}:{tag_of(name)}"


def tag_of(model: str) -> str:
    """Give the tag of a model's name.

    Example:
        >>> tag_of("tiny:1b"), tag_of("tiny")
        ('1b', 'latest')
    """
    return model.partition(":")[2] or _DEFAULT_TAG


def renewed(digest: str, times: int) -> str:
    """Give the digest of weights that were replaced so many times under one name."""
    for _ in range(times):
        digest = hashlib.sha256(digest.encode()).hexdigest()
    return digest
