"""Journals as a forger would leave them: changed, and sealed again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from utils.journal import Sealed, chain, seal
from utils.protocol import Event


def resealed(journal: Sequence[Sealed], seq: int, **changes: object) -> list[Sealed]:
    """Change one commit, and seal the chain again from there, as a forger would."""
    forged = list(journal[: seq - 1])
    for sealed in journal[seq - 1 :]:
        own = changes if sealed.seq == seq else {}
        prev = forged[-1].sha256 if forged else sealed.commit.prev
        forged.append(seal(sealed.commit.model_copy(update={"prev": prev, **own})))
    return list(chain(forged))


def seq_of(journal: Sequence[Sealed], is_it: Callable[[Event], bool]) -> int:
    """Find the commit of the first event of a kind."""
    return next(one.seq for one in journal if any(map(is_it, one.commit.events)))


def with_event(sealed: Sealed, is_it: Callable[[Event], bool], **changes: object) -> list[Event]:
    """List a commit's events, those of a kind changed."""
    return [
        event.model_copy(update=changes) if is_it(event) else event
        for event in sealed.commit.events
    ]
