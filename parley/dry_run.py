"""What a scenario would ask, before anything is asked."""

from __future__ import annotations

import click

from bots.memory.seam import Recalled
from bots.prompt import Place, Prompt, build, frame
from bots.task import options_for, room_tokens
from bots.tokens import MESSAGE_TOKENS, estimate_tokens
from utils.printable import printable
from utils.protocol import AskSay, Heard
from utils.spec import BotSpec, ChannelSpec, Spec

PROMPT_TOKENS_PER_S = 200.0
ANSWER_TOKENS_PER_S = 15.0
"""What a 1B model does on a laptop's processor, roughly; the hours say "at that pace"."""

ANSWER_TOKENS = 80
"""Tokens an answer of two sentences takes, where the scenario sets no bound."""


def dry_run(spec: Spec) -> None:
    """Print each bot's first prompt, whole, and an estimate of calls, tokens and hours."""
    for channel in spec.channels:
        for name in channel.members:
            bot = spec.bot(name)
            prompt = first_prompt(spec, channel, bot)
            click.echo(f"=== {name} in {channel.name}, template {bot.prompt.name}")
            for message in prompt.messages:
                click.echo(f"--- {message.role}")
                click.echo(printable(message.content))
    click.echo("=== estimate")
    click.echo(estimate(spec))


def first_prompt(spec: Spec, channel: ChannelSpec, bot: BotSpec) -> Prompt:
    """Write the prompt a bot would get if it were asked first."""
    opening = Heard(
        message_id="1.1",
        channel=channel.name,
        turn=0,
        round=0,
        speaker=None,
        audience="all",
        text=channel.opening,
    )
    heard = (opening,) if channel.opening else ()
    place = Place(channel=channel.name, displays=spec.displays(), members=channel.members)
    return build(
        frame(bot, place),
        Recalled(heard),
        AskSay(max_chars=spec.floor.max_chars),
        room_tokens=room_tokens(options_for(bot, spec.models[bot.model])),
    )


def estimate(spec: Spec) -> str:
    """Estimate what a run will take: one line.

    Prompts are taken to hold half the window on the average, as they do while a
    conversation fills it, each line of `ANSWER_TOKENS`.
    """
    turns = spec.end.turns or sum(channel.turns or 0 for channel in spec.channels)
    if not turns:
        return "open-ended: the scenario bounds no turns"
    channel = spec.channels[0]
    bots = [spec.bot(name) for name in channel.members]
    heads = [
        sum(estimate_tokens(one.content) for one in first_prompt(spec, channel, bot).messages)
        for bot in bots
    ]
    windows = [bot.memory.amount if bot.memory.unit == "messages" else 10 for bot in bots]
    line = ANSWER_TOKENS + MESSAGE_TOKENS
    recalled = min(sum(windows) // len(windows), turns) * line // 2
    prompt = turns * (sum(heads) // len(heads) + recalled)
    answer = turns * ANSWER_TOKENS
    hours = (prompt / PROMPT_TOKENS_PER_S + answer / ANSWER_TOKENS_PER_S) / 3600
    return (
        f"{turns} calls, about {prompt:,} prompt tokens and {answer:,} answer tokens; "
        f"about {hours:.2f} hours at {PROMPT_TOKENS_PER_S:.0f} and "
        f"{ANSWER_TOKENS_PER_S:.0f} tokens a second (a 1B model on a laptop's processor)"
    )
