"""A grant to answer, with all that the answer depends on: recall and prompt. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bots.guards import echoes
from bots.hearing import Hearing
from bots.memory.seam import Memory
from bots.minds.seam import Request
from bots.prompt import Framings, Place, Prompt, build
from bots.tokens import UNMEASURED, Scale
from utils.mail import StandingGrant
from utils.protocol import Heard
from utils.spec import BotSpec, GuardsSpec, ModelSpec, Option

NO_GUARDS = GuardsSpec()

DEFAULT_CONTEXT_TOKENS = 4_096
"""Context that a model is taken to have where neither scenario nor persona names one."""

DEFAULT_ANSWER_SHARE = 0.25
"""Share of the context kept free for an answer whose length nobody bounds."""

MOST_STOPS = 8
"""Stop sequences sent to a model, one for each other speaker, at most."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """A bot in its seat: who, where, and what it is made of.

    Attributes:
        seat: The seat's number.
        displays: Every bot's name to the name it is shown by.
        guards: What is looked at before an answer is taken.
    """

    run: str
    host: str
    seat: int
    bot: BotSpec
    model: ModelSpec
    displays: Mapping[str, str]
    guards: GuardsSpec = NO_GUARDS


@dataclass(frozen=True, slots=True)
class Task:
    """A grant to answer.

    Attributes:
        others: The names the other members are shown by.
        echoes: What the answer must not repeat, if the scenario says so.
        scale: What estimates of tokens were multiplied by to make the prompt fit.
    """

    sitting: Sitting
    grant: StandingGrant
    prompt: Prompt
    request: Request
    others: tuple[str, ...]
    echoes: tuple[Heard, ...] = ()
    scale: Scale = UNMEASURED


def prepare(
    sitting: Sitting,
    grant: StandingGrant,
    hearing: Hearing,
    memory: Memory,
    framings: Framings,
    *,
    scale: Scale = UNMEASURED,
) -> Task:
    """Recall and write the prompt, from what was heard up to the grant's commit."""
    event, bot, displays = grant.event, sitting.bot, sitting.displays
    members = hearing.members_at(event.channel, upto=grant.seq)
    recalled = memory.recall(hearing.latest(upto=grant.seq), event.channel)
    options = options_for(bot, sitting.model)
    place = Place(channel=event.channel, displays=displays, members=members)
    room = scale.room(room_tokens(options))
    prompt = build(framings.at(place), recalled, event.ask, room_tokens=room)
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
        stops=tuple(f"\n{other}:" for other in others[:MOST_STOPS]),
    )
    repeated = echoes(
        hearing.latest(upto=grant.seq),
        sitting.guards.repetition,
        bot=bot.name,
        channel=event.channel,
    )
    return Task(sitting, grant, prompt, request, others, repeated, scale)


def options_for(bot: BotSpec, model: ModelSpec) -> dict[str, Option]:
    """Merge the model's options with the persona's, which go before them."""
    return {**model.options, **dict(bot.persona.mind)}


def room_tokens(options: Mapping[str, Option]) -> int:
    """Tell how many tokens the prompt may take, so that the answer still fits.

    Example:
        >>> room_tokens({"num_ctx": 2048, "num_predict": 160}), room_tokens({})
        (1888, 3072)
    """
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


def asked_for_ms(need_ms: int) -> int:
    """Tell what allowance is to be asked for, so that so much of it can be used.

    Example:
        >>> asked_for_ms(114_000), allowance_ms(asked_for_ms(450))
        (120001, 450)
    """
    return need_ms + max(need_ms // 19 + 1, 50)
