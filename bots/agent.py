"""One answer to one grant: recall, prompt, mind, words; and the record of each attempt.

Pure but for the mind itself: what goes in is a value, what comes out is a value, and
the seat sends it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bots.hearing import Hearing
from bots.memory.seam import Memory
from bots.minds.attempts import Attempt, answer_with_retries
from bots.minds.seam import Answer, Mind, Request, StopSignal
from bots.prompt import Place, Prompt, build
from bots.speech import Spoken, act_in, said
from utils.calls import CallRecord, messages_sha256
from utils.clock import Clock
from utils.errors import MindFailed
from utils.journal import sha256_of
from utils.mail import StandingGrant
from utils.protocol import Action, AskAct, AskSay, Failed, Pass, Proposed, Say
from utils.spec import BotSpec, ModelSpec, Option

DEFAULT_CONTEXT_TOKENS = 4_096
"""Context that a model is taken to have where neither scenario nor persona names one."""

DEFAULT_ANSWER_SHARE = 0.25
"""Share of the context kept free for an answer whose length nobody bounds."""


@dataclass(frozen=True, slots=True)
class Task:
    """A grant to answer, with all that the answer depends on."""

    run: str
    host: str
    seat: int
    bot: BotSpec
    model: ModelSpec
    grant: StandingGrant
    prompt: Prompt
    request: Request
    display: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to send for a task: the input to the floor, and the last attempt's record.

    `input` is none when the answer is no longer wanted.
    """

    input: Proposed | Failed | None
    record: str | None


def prepare(
    *,
    run: str,
    host: str,
    seat: int,
    bot: BotSpec,
    model: ModelSpec,
    grant: StandingGrant,
    hearing: Hearing,
    memory: Memory,
    displays: Mapping[str, str],
) -> Task:
    """Recall and write the prompt, from what was heard up to the grant's commit."""
    event = grant.event
    members = hearing.members.get(event.channel, (bot.name,))
    recalled = memory.recall(hearing.latest(upto=grant.seq), event.channel)
    options = options_for(bot, model)
    place = Place(channel=event.channel, displays=displays, members=members)
    prompt = build(bot, place, recalled, event.ask, room_tokens=room_tokens(options))
    others = tuple(displays[member] for member in members if member != bot.name)
    request = Request(
        bot=bot.name,
        channel=event.channel,
        turn=event.turn,
        tries=event.tries,
        ask=event.ask,
        messages=prompt.messages,
        options=options,
        seed=event.seed,
        allow_ms=allowance_ms(event.allow_ms),
        stops=tuple(f"\n{other}:" for other in others[:8]),
    )
    return Task(run, host, seat, bot, model, grant, prompt, request, displays[bot.name], others)


def carry_out(
    task: Task,
    mind: Mind,
    stop: StopSignal,
    *,
    clock: Clock,
    nonce: str,
    on_failed: Callable[[str], None],
) -> Outcome:
    """Ask the mind, with retries inside the allowance, and say what came of it.

    Args:
        on_failed: Called with the record of every failed attempt, at once.
    """
    last: list[Attempt] = []

    def note(attempt: Attempt) -> None:
        if attempt.error is not None:
            on_failed(_record(task, mind, attempt, None).model_dump_json())
        last[:] = [attempt]

    try:
        answer = answer_with_retries(
            mind, task.request, stop, allow_ms=task.request.allow_ms, clock=clock, on_attempt=note
        )
        spoken = _spoken(task, answer)
        action = _action(task, answer, spoken)
    except MindFailed as failure:
        if stop.is_set() or failure.kind == "cancelled":
            return Outcome(input=None, record=None)
        record = _record(task, mind, last[0], None).model_dump_json() if last else None
        failed = Failed(
            **_closing(task, nonce, record),
            reason=failure.kind,
            detail=failure.detail[:500].replace("\x00", ""),
        )
        unwritten = last and last[0].error is None
        return Outcome(input=failed, record=record if unwritten else None)
    record = _record(task, mind, last[0], spoken).model_dump_json()
    return Outcome(Proposed(**_closing(task, nonce, record), action=action), record)


def options_for(bot: BotSpec, model: ModelSpec) -> dict[str, Option]:
    """Merge the model's options with the persona's, which go before them."""
    return {**model.options, **dict(bot.persona.mind)}


def room_tokens(options: Mapping[str, Option]) -> int:
    """Tell how many tokens the prompt may take, so that the answer still fits."""
    context = options.get("num_ctx", DEFAULT_CONTEXT_TOKENS)
    context = int(context) if isinstance(context, int | float) else DEFAULT_CONTEXT_TOKENS
    answer = options.get("num_predict", -1)
    if not isinstance(answer, int | float) or answer <= 0:
        answer = context * DEFAULT_ANSWER_SHARE
    return max(0, context - int(answer))


def allowance_ms(allow_ms: int) -> int:
    """Leave a twentieth of the allowance, at least 50 ms if there is that, for the way back.

    Example:
        >>> allowance_ms(120_000), allowance_ms(500)
        (114000, 450)
    """
    return max(allow_ms // 2, allow_ms - max(allow_ms // 20, 50))


def _spoken(task: Task, answer: Answer) -> Spoken:
    ask = task.request.ask
    return said(
        answer.text,
        display=task.display,
        others=task.others,
        max_chars=ask.max_chars if isinstance(ask, AskSay) else 0,
    )


def _action(task: Task, answer: Answer, spoken: Spoken) -> Action:
    if answer.action is not None:
        return answer.action
    if isinstance(task.request.ask, AskAct):
        return act_in(spoken.text, task.request.ask)
    return Say(text=spoken.text) if spoken.text else Pass(why="empty answer")


def _closing(task: Task, nonce: str, record: str | None) -> dict[str, object]:
    return {
        "author": task.host,
        "nonce": nonce,
        "bot": task.bot.name,
        "seat": task.seat,
        "epoch": task.grant.event.epoch,
        "grant": task.grant.commit_sha256,
        "call_sha256": sha256_of(record) if record else None,
    }


def _record(task: Task, mind: Mind, attempt: Attempt, spoken: Spoken | None) -> CallRecord:
    event, answer, error = task.grant.event, attempt.answer or Answer(), attempt.error
    done = error is None
    text = answer.text if done else error.partial if error else ""
    thinking = answer.thinking + (spoken.thinking if spoken else "")
    return CallRecord(
        run=task.run,
        call_id=f"{event.epoch}.{task.seat}",
        attempt=attempt.number,
        bot=task.bot.name,
        host=task.host,
        seat=task.seat,
        channel=event.channel,
        turn=event.turn,
        tries=event.tries,
        epoch=event.epoch,
        source=mind.source,
        mind=task.model.mind,
        model=task.model.model,
        model_digest=answer.model_digest,
        server=answer.server,
        language_model=answer.language_model,
        prompt=task.bot.prompt.name,
        prompt_sha256=task.bot.prompt.sha256,
        messages=task.prompt.messages,
        messages_sha256=messages_sha256(task.prompt.messages),
        options=answer.sent or mind.sends(task.request),
        think=task.model.think,
        seed=event.seed,
        outcome="answered" if error is None else error.kind,
        error=error.detail[:500].replace("\x00", "") if error else "",
        status=error.status if error else None,
        response=text,
        thinking=thinking,
        said=spoken.text if spoken else None,
        cut=spoken.cuts if spoken else (),
        done_reason=answer.done_reason,
        prompt_tokens=answer.prompt_tokens,
        answer_tokens=answer.answer_tokens,
        total_ns=answer.total_ns,
        load_ns=answer.load_ns,
        prompt_ns=answer.prompt_ns,
        answer_ns=answer.answer_ns,
        started_ms=attempt.started_ms,
        took_ms=attempt.took_ms,
        exposures=task.prompt.exposures,
    )
