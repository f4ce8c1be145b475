"""Numbers, times and hashes as a reader likes them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

EMPTY = "–"


def count(number: float | None, unit: str = "") -> str:
    """Write a whole number with its unit, in the plural but for one.

    Example:
        >>> count(12345), count(1, "turn"), count(0, "turn"), count(None)
        ('12,345', '1 turn', '0 turns', '–')
    """
    if number is None or math.isnan(number):
        return EMPTY
    said = f"{round(number):,}"
    if not unit:
        return said
    return f"{said} {unit if round(number) == 1 else plural(unit)}"


def plural(unit: str) -> str:
    """Write a unit for several.

    Example:
        >>> plural("turn"), plural("policy"), plural("dataset")
        ('turns', 'policies', 'datasets')
    """
    return f"{unit[:-1]}ies" if unit.endswith("y") else f"{unit}s"


def share(part: float, whole: float) -> str:
    """Write a share of one as a percentage; nothing has no share.

    Example:
        >>> share(6, 49), share(1, 30_000), share(0, 9), share(9, 9), share(0, 0)
        ('12.2%', '<0.1%', '0%', '100%', '–')
    """
    if not whole:
        return EMPTY
    percent = 100 * part / whole
    if percent in (0, 100):
        return f"{percent:.0f}%"
    if percent < 0.1:
        return "<0.1%"
    return ">99.9%" if percent > 99.9 else f"{percent:.1f}%"


def decimal(number: float | None, digits: int = 3) -> str:
    """Write a number to so many significant digits.

    Example:
        >>> decimal(0.123456), decimal(12345.6), decimal(2.0), decimal(None), decimal(1e-9)
        ('0.123', '12,346', '2', '–', '1e-09')
    """
    if number is None or math.isnan(number):
        return EMPTY
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    if abs(number) >= 10 ** (digits - 1) or number == int(number):
        return f"{number:,.0f}"
    said = f"{number:.{digits}g}"
    return said if "e" in said or "." not in said else said.rstrip("0").rstrip(".")


def duration(length_ms: float | None) -> str:
    """Write how long something took.

    Example:
        >>> [duration(one) for one in (0, 850, 12_340, 252_000, 7_260_000, 200_000_000)]
        ['0 ms', '850 ms', '12.3 s', '4 min 12 s', '2 h 1 min', '2 d 7 h']
    """
    if length_ms is None or math.isnan(length_ms):
        return EMPTY
    if length_ms < 1000:
        return f"{length_ms:.0f} ms"
    if length_ms < 60_000:
        return f"{length_ms / 1000:.1f} s"
    seconds = round(length_ms / 1000)
    for large, small, size, part in (("d", "h", 86_400, 3_600), ("h", "min", 3_600, 60)):
        if seconds >= size:
            return f"{seconds // size} {large} {seconds % size // part} {small}"
    return f"{seconds // 60} min {seconds % 60} s"


def moment(at_ms: float | None) -> str:
    """Write a moment, in UTC.

    Example:
        >>> moment(1_795_260_488_845)
        '2026-11-21 11:28:08 UTC'
    """
    if at_ms is None or math.isnan(at_ms):
        return EMPTY
    return f"{datetime.fromtimestamp(int(at_ms) // 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
