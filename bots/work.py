"""One grant's work, from the wait for a server to what is sent; in a thread if a mind waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bots.agent import carry_out
from bots.minds.attempts import Attempt
from bots.minds.seam import Mind
from bots.minds.stop import Stop
from bots.outbox import Outbox
from bots.patience import Patience
from bots.served import admitted
from bots.task import Task, asked_for_ms
from bots.tokens import Scale, estimate_chat
from utils.clock import Clock, fresh_id
from utils.protocol import Waiting


@dataclass(frozen=True, slots=True)
class Answering:
    """A grant that is being answered: what ends it, and until when it is worth it."""

    patience: Patience
    stop: Stop = field(default_factory=Stop)


def work(
    task: Task,
    mind: Mind,
    answering: Answering,
    *,
    outbox: Outbox,
    clock: Clock,
    on_scale: Callable[[Scale], None],
) -> None:
    """Ask the mind, when its server has time, and send what came of it.

    The time a call waits for its turn is no part of what it may take: the leader is
    asked for more where there is too little.

    Args:
        on_scale: Told, before anything is sent, what is known now about the bot's
            estimates: its next grant may come as soon as it has answered.
    """
    run, patience = task.sitting.run, answering.patience

    def on_wait(need_ms: int, ahead: int) -> None:
        outbox.send(run, _waiting(task, need_ms=asked_for_ms(need_ms), ahead=ahead))

    with admitted(mind, task.request, answering.stop, patience, on_wait) as ready:
        outcome = carry_out(
            task,
            ready,
            answering.stop,
            clock=clock,
            until_ms=lambda: patience.until_ms,
            nonce=fresh_id(),
            on_failed=lambda record: outbox.note(run, record),
        )
    on_scale(learned(task.scale, outcome.attempts))
    if outcome.input is not None:
        outbox.send(run, outcome.input, outcome.record)


def learned(scale: Scale, attempts: Sequence[Attempt]) -> Scale:
    """Correct a scale by what servers made of some prompts."""
    for attempt in attempts:
        estimated = estimate_chat(attempt.request.messages)
        if attempt.answer is not None:
            scale = scale.after(estimated=estimated, counted=attempt.answer.prompt_tokens)
        elif attempt.error is not None and attempt.error.kind == "context_overflow":
            scale = scale.overflowed()
    return scale


def _waiting(task: Task, *, need_ms: int, ahead: int) -> Waiting:
    return Waiting(
        author=task.sitting.host,
        nonce=fresh_id(),
        bot=task.sitting.bot.name,
        seat=task.sitting.seat,
        epoch=task.grant.event.epoch,
        grant=task.grant.commit_sha256,
        need_ms=need_ms,
        ahead=ahead,
    )
