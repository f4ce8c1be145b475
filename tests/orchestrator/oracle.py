"""What a run must do, said as plainly as can be: one channel, a ring of bots, one at a time.

It shares nothing with the engine. It is told what comes in, and says what must follow, as
short tuples, and it knows by itself who is seated, who holds the floor, and what was said.
"""

from __future__ import annotations

from typing import Any

from utils.protocol import Event

Short = tuple[object, ...]

FIELDS: dict[str, tuple[str, ...]] = {
    "seated": ("bot", "seat", "host"),
    "unseated": ("bot", "seat", "reason"),
    "gathered": ("absent",),
    "granted": ("turn", "tries", "bot", "epoch", "deadline_ms"),
    "acted": ("turn", "bot", "epoch"),
    "revoked": ("turn", "bot", "epoch", "reason"),
    "turn_closed": ("turn", "outcome"),
    "heard": ("speaker", "text"),
    "rejected": ("author", "why"),
    "incident": ("name",),
    "intervened": ("author", "verb"),
    "muted": ("bot",),
    "unmuted": ("bot",),
    "ended": ("reason",),
}


def short(event: Event) -> Short:
    """Write of an event what the oracle knows."""
    return (event.kind, *(getattr(event, name) for name in FIELDS.get(event.kind, ())))


class Oracle:
    """A run as it must be.

    Args:
        tries: After so many grants without an answer a turn is given up.
    """

    def __init__(
        self, bots: tuple[str, ...], *, turns: int, tries: int, allow_ms: int, gather_ms: int
    ) -> None:
        self.bots, self.turns, self.tries, self.allow_ms = bots, turns, tries, allow_ms
        self.gather_ms = gather_ms
        self.phase, self.turn, self.epochs, self.seatings = "gathering", 1, 0, 0
        self.seats: dict[str, tuple[int, str]] = {}
        self.absent: set[str] = set()
        self.muted: set[str] = set()
        self.is_paused = False
        self.at_ms = self.paused_at_ms = 0
        self.failed: list[str] = []
        self.live: tuple[int, str, int] | None = None
        self.live_sha256 = ""
        self.known: set[tuple[str, str]] = set()
        self.said: list[tuple[str | None, str]] = []
        self.missed = (-1, "")

    # --- what comes in ------------------------------------------------------------------

    def told(self, body: dict[str, Any], at_ms: int) -> list[Short]:
        """Say what follows from an input."""
        nonce = (body["author"], body["nonce"])
        why = "duplicate" if nonce in self.known else self.why_not(body)
        vanished = self._vanished(body, why)
        self.known.add(nonce)
        self.at_ms = at_ms
        if why:
            return [*vanished, ("rejected", body["author"], why), *self.then(at_ms)]
        return [*getattr(self, f"_{body['kind']}")(body), *self.then(at_ms)]

    def lost(self, host: str, at_ms: int) -> list[Short]:
        """Say what follows when a host is gone."""
        gone = [bot for bot, (_, at) in self.seats.items() if at == host]
        return [*(self._unseat(bot, "lost") for bot in gone), *(self.then(at_ms) if gone else [])]

    def due_ms(self) -> int | None:
        """Tell when something happens by itself."""
        if self.phase == "gathering":
            return None if self.is_paused else self.gather_ms
        return self.live[2] if self.live else None

    def late(self, at_ms: int) -> list[Short]:
        """Say what follows when that time has come."""
        if self.phase == "gathering":
            return [self._gather(), *self.then(at_ms)]
        assert self.live
        bot = self.live[1]
        if bot in self.seats:
            return [*self._revoke("deadline"), *self.then(at_ms)]
        self.absent.add(bot)
        return [*self._revoke("lost"), *self.then(at_ms)]

    def sealed(self, sha256: str) -> None:
        """Learn the hash of the commit that made the live grant."""
        if self.live and not self.live_sha256:
            self.live_sha256 = sha256

    # --- why not ------------------------------------------------------------------------

    def why_not(self, body: dict[str, Any]) -> str:
        """Say why an input may change nothing; empty when it may."""
        kind = body["kind"]
        if kind == "left":
            seat = self.seats.get(body["bot"])
            return "" if seat == (body["seat"], body["author"]) else "old_seat"
        if self.phase == "ended":
            return "ended"
        if kind in ("proposed", "failed"):
            return self._why_not_close(body)
        if kind in ("mute", "unmute"):
            return "no_effect" if (body["bot"] in self.muted) == (kind == "mute") else ""
        if kind in ("pause", "resume"):
            return "no_effect" if self.is_paused == (kind == "pause") else ""
        return ""

    def _why_not_close(self, body: dict[str, Any]) -> str:
        if not self.live or body["epoch"] != self.live[0]:
            return "stale"
        if body["bot"] != self.live[1]:
            return "not_the_holder"
        if body["grant"] != self.live_sha256:
            return "forged"
        if self.seats.get(body["bot"]) != (body["seat"], body["author"]):
            return "old_seat"
        blank = body["kind"] == "proposed" and not body["action"]["text"].strip()
        return "not_asked" if blank else ""

    def _vanished(self, body: dict[str, Any], why: str) -> list[Short]:
        """Say that a commit is missed, if an answer names one that never was."""
        if body["kind"] not in ("proposed", "failed") or why in ("duplicate", "ended"):
            return []
        live = self.live is not None and body["epoch"] == self.live[0]
        seat = self.seats.get(body["bot"])
        if seat is None or seat[1] != body["author"]:
            return []
        is_unknown = body["epoch"] > self.epochs or (live and body["grant"] != self.live_sha256)
        if not is_unknown or self.missed[0] == self.epochs or self.missed[1] == body["grant"]:
            return []
        self.missed = (self.epochs, body["grant"])
        return [("incident", "vanished")]

    # --- what is done -------------------------------------------------------------------

    def _joined(self, body: dict[str, Any]) -> list[Short]:
        bot = body["bot"]
        before = [self._unseat(bot, "replaced")] if bot in self.seats else []
        self.seatings += 1
        self.seats[bot] = (self.seatings, body["author"])
        self.absent.discard(bot)
        return [*before, ("seated", bot, self.seatings, body["author"])]

    def _left(self, body: dict[str, Any]) -> list[Short]:
        return [self._unseat(body["bot"], "left")]

    def _proposed(self, body: dict[str, Any]) -> list[Short]:
        assert self.live
        epoch, bot, _ = self.live
        text = body["action"]["text"]
        self.said.append((bot, text))
        done = ("acted", self.turn, bot, epoch)
        return [done, *self._close("acted"), ("heard", bot, text)]

    def _failed(self, body: dict[str, Any]) -> list[Short]:
        return self._revoke("failed")

    def _mute(self, body: dict[str, Any]) -> list[Short]:
        self.muted.add(body["bot"])
        return [("intervened", body["author"], "mute"), ("muted", body["bot"])]

    def _unmute(self, body: dict[str, Any]) -> list[Short]:
        self.muted.discard(body["bot"])
        return [("intervened", body["author"], "unmute"), ("unmuted", body["bot"])]

    def _pause(self, body: dict[str, Any]) -> list[Short]:
        self.is_paused, self.paused_at_ms = True, self.at_ms
        return [("intervened", body["author"], "pause"), ("paused",)]

    def _resume(self, body: dict[str, Any]) -> list[Short]:
        self.is_paused = False
        self.gather_ms += self.at_ms - self.paused_at_ms
        return [("intervened", body["author"], "resume"), ("resumed",)]

    def _inject(self, body: dict[str, Any]) -> list[Short]:
        self.said.append((None, body["text"]))
        return [("intervened", body["author"], "inject"), ("heard", None, body["text"])]

    def _unseat(self, bot: str, reason: str) -> Short:
        number, _ = self.seats.pop(bot)
        return ("unseated", bot, number, reason)

    def _gather(self) -> Short:
        self.phase = "running"
        missing = tuple(bot for bot in self.bots if bot not in self.seats)
        self.absent.update(missing)
        return ("gathered", missing)

    def _revoke(self, reason: str) -> list[Short]:
        assert self.live
        epoch, bot, _ = self.live
        self.failed.append(bot)
        done: Short = ("revoked", self.turn, bot, epoch, reason)
        self.live, self.live_sha256 = None, ""
        return [done, *(self._close("given_up") if len(self.failed) >= self.tries else [])]

    def _close(self, outcome: str) -> list[Short]:
        self.live, self.live_sha256, self.failed = None, "", []
        self.turn += 1
        return [("turn_closed", self.turn - 1, outcome)]

    def then(self, at_ms: int) -> list[Short]:
        """Say what comes of it at the end of every commit: gathered, ended, granted."""
        done: list[Short] = []
        if self.phase == "gathering" and set(self.seats) == set(self.bots):
            done.append(self._gather())
        if self.phase == "running" and self.turn > self.turns:
            self.phase = "ended"
            done.append(("ended", "turns"))
        if self.phase != "running" or self.is_paused or self.live:
            return done
        place = (self.turn - 1) % len(self.bots)
        ring = [*self.bots[place:], *self.bots[:place]]
        may = [bot for bot in ring if bot not in self.muted and bot not in self.absent]
        may = [bot for bot in may if bot not in self.failed] or may
        if may:
            self.epochs += 1
            self.live = (self.epochs, may[0], at_ms + self.allow_ms)
            done.append(("granted", self.turn, len(self.failed), may[0], *self.live[::2]))
        return done
