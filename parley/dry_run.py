"""What a scenario would ask, before anything is asked.

The run is begun in this process, by the engine and the world's own rules, and goes as
far as its first grants. Nothing is answered, and nothing is written anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from bots.hearing import Hearing
from bots.memory.seam import Memory
from bots.prompt import Framings, Place, Prompt, build
from bots.task import options_for, room_tokens
from bots.tokens import MESSAGE_TOKENS, estimate_tokens
from orchestrator import engine, recovery, routes
from orchestrator.plugins import rules_for
from orchestrator.rules import Rules
from orchestrator.state import Floor, State
from utils import plugins
from utils.journal import Consumed, consume, sha256_of
from utils.mail import ChannelEntry
from utils.printable import printable
from utils.protocol import Joined, Started
from utils.spec import Spec

MOST_PROMPTS = 12
"""Prompts that are printed; more are counted."""

MOST_STEPS = 100
"""Steps of the world that are taken to get to the first grant."""

PROMPT_TOKENS_PER_S = 200.0
ANSWER_TOKENS_PER_S = 15.0
"""What a 1B model does on a laptop's processor, roughly; the hours say "at that pace"."""

MODELLESS = ("rule", "scripted")
"""Minds that ask no model."""

ANSWER_TOKENS = 80
"""Tokens an answer of two sentences takes, where the scenario sets no bound."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that has just begun, its bots seated.

    Attributes:
        state: The run.
        hearings: Bot to what it has heard by then.
    """

    rules: Rules
    state: State
    hearings: dict[str, Hearing]


def dry_run(spec: Spec) -> None:
    """Print the prompts of all who may be asked first, and an estimate of the whole run.

    Raises:
        BadInput: The world or a policy is not there, or refuses this scenario.
    """
    begun = begin(spec)
    asked = list(first_asked(begun))
    for floor, name in asked[:MOST_PROMPTS]:
        click.echo(f"=== {name} in {floor.channel}, template {spec.bot(name).prompt.name}")
        for message in first_prompt(begun, floor, name).messages:
            click.echo(f"--- {message.role}")
            click.echo(printable(message.content))
    if len(asked) > MOST_PROMPTS:
        click.echo(f"=== and {len(asked) - MOST_PROMPTS} more who may be asked first")
    if not asked:
        click.echo("=== nobody is asked anything at the beginning")
    click.echo("=== estimate")
    click.echo(estimate(begun, asked))


def begin(spec: Spec) -> Begun:
    """Begin a run and seat every bot; let the world's clock go until somebody is asked."""
    rules = rules_for(spec)
    run = Begun(rules, engine.initial(rules), {bot.name: Hearing(bot.name) for bot in spec.bots})
    started = Started(run="dry-run", spec_sha256=sha256_of(spec.model_dump_json()))
    run = _step(run, engine.Causes(noticed=(started,)), at_ms=1)
    run = _step(run, engine.Causes(inputs=tuple(_joined(spec))), at_ms=1)
    for _ in range(MOST_STEPS):
        due_ms = recovery.next_due_ms(rules, run.state)
        if run.state.phase != "running" or run.state.live() or due_ms is None:
            break
        noticed = tuple(recovery.due(rules, run.state, by_ms=due_ms))
        run = _step(run, engine.Causes(noticed=noticed), at_ms=max(due_ms, run.state.at_ms))
    return run


def first_asked(begun: Begun) -> Iterator[tuple[Floor, str]]:
    """List who may be asked first in each open channel: whom the policy chose, and the others."""
    for floor in begun.state.floors.values():
        named = begun.rules.world.asked(begun.state.world, floor.channel)
        if not floor.is_done:
            yield from ((floor, bot) for bot in floor.members if named is None or bot in named)


def first_prompt(begun: Begun, floor: Floor, name: str) -> Prompt:
    """Write the prompt a bot would get if it were asked first in a channel."""
    spec, world = begun.rules.spec, begun.rules.world
    bot = spec.bot(name)
    memory: Memory = plugins.find("parley.memories", bot.memory.kind)(bot.memory)
    hearing = begun.hearings[name]
    place = Place(channel=floor.channel, displays=spec.displays(), members=floor.members)
    return build(
        Framings(bot).at(place),
        memory.recall(hearing.latest(upto=begun.state.seq), floor.channel),
        world.ask(begun.state.world, name, floor.channel),
        room_tokens=room_tokens(options_for(bot, spec.models[bot.model])),
    )


def estimate(begun: Begun, asked: list[tuple[Floor, str]]) -> str:
    """Estimate what a run will take: one line.

    Prompts are taken to hold half the window on the average, as they do while a
    conversation fills it, each line of `ANSWER_TOKENS`. A turn is taken to ask as many
    bots as the first turns do.
    """
    spec = begun.rules.spec
    turns = spec.end.turns or sum(channel.turns or 0 for channel in spec.channels)
    if not turns:
        return "open-ended: the scenario bounds no turns"
    if not asked:
        return f"{turns} turns; of what, the beginning does not tell"
    calls = round(turns * _asked_at_once(begun.state))
    shown = asked[:MOST_PROMPTS]
    heads = [
        sum(estimate_tokens(one.content) for one in first_prompt(begun, floor, name).messages)
        for floor, name in shown
    ]
    bots = [spec.bot(name) for _, name in shown]
    windows = [bot.memory.amount if bot.memory.unit == "messages" else 10 for bot in bots]
    line = ANSWER_TOKENS + MESSAGE_TOKENS
    recalled = min(sum(windows) // len(windows), turns) * line // 2
    prompt = calls * (sum(heads) // len(heads) + recalled)
    answer = calls * ANSWER_TOKENS
    hours = (prompt / PROMPT_TOKENS_PER_S + answer / ANSWER_TOKENS_PER_S) / 3600
    most = "at most " if spec.end.measures else ""
    if all(spec.models[bot.model].mind in MODELLESS for bot in spec.bots):
        return f"{most}{calls} answers; no model is asked"
    return (
        f"{most}{calls} calls, about {prompt:,} prompt tokens and {answer:,} answer tokens; "
        f"about {hours:.2f} hours at {PROMPT_TOKENS_PER_S:.0f} and "
        f"{ANSWER_TOKENS_PER_S:.0f} tokens a second (a 1B model on a laptop's processor)"
    )


def _asked_at_once(state: State) -> float:
    """Tell how many bots a turn asks, on the average of the first turns; 1 if there is none."""
    asked = [floor.asked for floor in state.floors.values() if floor.asked]
    return sum(asked) / len(asked) if asked else 1.0


def _joined(spec: Spec) -> Iterator[Consumed]:
    for place, bot in enumerate(spec.bots, start=1):
        joined = Joined(author="dry-run", nonce=f"n{place}", bot=bot.name)
        yield consume(f"1-{place}", {"b": joined.model_dump_json()})


def _step(run: Begun, causes: engine.Causes, *, at_ms: int) -> Begun:
    """Let the engine decide, and everybody hear what is heard."""
    before = run.state
    cursor = causes.inputs[-1].id if causes.inputs else before.cursor
    made = engine.advance(run.rules, before, causes, at_ms=at_ms, cursor=cursor)
    if made is None:
        return run
    sealed, after = made
    for target, body in routes.entries(before, after, sealed).items():
        kind, _, channel = target.partition(":")
        if kind == "channel":
            entry = ChannelEntry.model_validate_json(body)
            for bot in _members(before, channel) | _members(after, channel):
                run.hearings[bot].take(channel, entry)
    return Begun(run.rules, after, run.hearings)


def _members(state: State, channel: str) -> set[str]:
    floor = state.floors.get(channel)
    return set(floor.members) if floor else set()
