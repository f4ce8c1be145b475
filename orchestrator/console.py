"""What people tell a run: each command is noted with its author, then done."""

from __future__ import annotations

from typing import Any

from orchestrator.draft import Draft
from orchestrator.refusal import Refused
from orchestrator.state import Floor
from orchestrator.world import end, revoke, tell_world
from utils.protocol import (
    Add,
    Command,
    Do,
    Heard,
    Inject,
    Intervened,
    Kick,
    Mark,
    MemberJoined,
    MemberLeft,
    Mute,
    Muted,
    Pause,
    Paused,
    Resume,
    Resumed,
    Step,
    Stop,
    Unmute,
    Unmuted,
    Whisper,
)
from worlds import seam


def obey(draft: Draft, command: Command) -> None:
    """Do what a command says.

    Raises:
        Refused: The run is over, the command names nobody, or it would change nothing.
    """
    if draft.state.phase not in ("gathering", "running"):
        raise Refused("ended")
    match command:
        case Stop():
            _note(draft, command, text=command.why)
            end(draft, "stopped", detail=command.why)
        case Mark():
            _note(draft, command, text=command.text)
        case Do():
            _note(draft, command, verb=command.verb, args=command.args)
            tell_world(draft, seam.Told(command.verb, command.args))
        case Pause() | Resume() | Step():
            _time(draft, command)
        case Inject() | Whisper():
            _say(draft, command)
        case Mute() | Unmute():
            _hush(draft, command)
        case Kick() | Add():
            _move(draft, command)


def _note(draft: Draft, command: Command, **said: Any) -> None:
    draft.emit(Intervened(author=command.author, **{"verb": command.kind, **said}))


def _time(draft: Draft, command: Pause | Resume | Step) -> None:
    since_ms = draft.state.paused_at_ms
    if isinstance(command, Resume) and since_ms is None:
        raise Refused("no_effect", "the run is not paused")
    if isinstance(command, Pause) and draft.state.is_paused:
        raise Refused("no_effect", "the run is paused already")
    _note(draft, command, args=command.turns if isinstance(command, Step) else None)
    if isinstance(command, Step):
        draft.emit(Paused(turns=draft.state.steps + command.turns))
    elif isinstance(command, Pause):
        draft.emit(Paused())
    elif since_ms is not None:
        draft.emit(Resumed(paused_ms=draft.at_ms - since_ms))


def _say(draft: Draft, command: Inject | Whisper) -> None:
    floor = _floor(draft, command.channel)
    bot = command.bot if isinstance(command, Whisper) else None
    if bot is not None and bot not in floor.members:
        raise Refused("unknown_bot", f"{bot} is not in {floor.channel}")
    if not command.text.strip():
        raise Refused("no_effect", "nothing said")
    _note(draft, command, channel=floor.channel, bot=bot, text=command.text)
    draft.emit(
        Heard(
            channel=floor.channel,
            turn=floor.turn,
            round=floor.round,
            speaker=None,
            audience="all" if bot is None else (bot,),
            text=command.text,
        )
    )


def _hush(draft: Draft, command: Mute | Unmute) -> None:
    _check_bot(draft, command.bot)
    is_muted = command.bot in draft.state.muted
    if is_muted is isinstance(command, Mute):
        raise Refused("no_effect", f"{command.bot} is {'' if is_muted else 'not '}muted")
    _note(draft, command, bot=command.bot)
    draft.emit(Unmuted(bot=command.bot) if is_muted else Muted(bot=command.bot))


def _move(draft: Draft, command: Kick | Add) -> None:
    floor, bot = _floor(draft, command.channel), command.bot
    _check_bot(draft, bot)
    is_member = bot in floor.members
    if is_member is isinstance(command, Add):
        raise Refused("no_effect", f"{bot} is {'' if is_member else 'not '}in {floor.channel}")
    if is_member and len(floor.members) == 1:
        raise Refused("no_effect", f"{bot} is the last one in {floor.channel}")
    _note(draft, command, channel=floor.channel, bot=bot)
    if not is_member:
        draft.emit(MemberJoined(channel=floor.channel, bot=bot))
        return
    revoke(draft, [one for one in floor.live if one.event.bot == bot], "left")
    draft.emit(MemberLeft(channel=floor.channel, bot=bot))


def _floor(draft: Draft, channel: str) -> Floor:
    floor = draft.state.floors.get(channel)
    if floor is None:
        raise Refused("unknown_channel", f"{channel} is not open")
    return floor


def _check_bot(draft: Draft, bot: str) -> None:
    if all(bot != one.name for one in draft.rules.spec.bots):
        raise Refused("unknown_bot", f"{bot} is no bot of this run")
