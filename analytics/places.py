"""Where in the journal an event stands, and what grant it is about."""

from __future__ import annotations

from dataclasses import dataclass

from utils.protocol import Granted


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the journal an event stands, and when that was."""

    seq: int
    index: int
    at_ms: int
    run_ms: int | None


@dataclass(frozen=True, slots=True)
class Held:
    """A grant, where it was made, and once it is closed how long that took and by whom.

    `extended_ms` is its deadline after the last time it was moved back; none if it never was.
    """

    event: Granted
    place: Place
    latency_ms: int | None = None
    host: str | None = None
    extended_ms: int | None = None
