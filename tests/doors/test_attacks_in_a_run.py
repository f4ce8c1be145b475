"""One bot says all it can think of; the others and whoever watches are unharmed."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from analytics.observer.changes import evolve
from analytics.observer.plain import PlainScreen
from analytics.observer.plan import plan_of
from analytics.observer.terminal import TerminalScreen
from analytics.observer.view import blank
from bots.speech import said
from parley.commands.status import tell_status
from tests.analytics.shown import CURSOR, STYLE
from tests.doors.attacked import NAMES, TEXTS, Attacked, attacked_run
from tests.doors.judges import acting, at_margin, named, out_of_turn, tokens
from tests.swarm import happened
from utils.calls import CallRecord
from utils.protocol import Granted, Heard
from utils.spec import Spec


@pytest.fixture(scope="module")
def attack() -> Iterator[Attacked]:
    with attacked_run() as played:
        yield played


# --- the run ------------------------------------------------------------------------------


def test_every_turn_is_taken_and_nobody_speaks_out_of_turn(attack: Attacked) -> None:
    grants: list[Granted] = happened(attack.journal, "granted")
    granted = {(one.channel, one.turn): one.bot for one in grants}
    words = [(one.channel, one.turn, one.speaker) for one in attack.heard if one.speaker]
    assert out_of_turn(words, granted) == 0
    assert len(grants) == len(happened(attack.journal, "turn_closed")) == 6 * len(TEXTS)
    assert {one.outcome for one in happened(attack.journal, "turn_closed")} == {"acted", "passed"}
    assert not happened(attack.journal, "incident", "rejected", "revoked")
    assert happened(attack.journal, "ended")[0].reason == "turns"
    assert len(words) > 5.8 * len(TEXTS)


def test_whoever_spoke_twice_would_be_found() -> None:
    granted = {("main", 1): "ada", ("main", 2): "bo"}
    assert out_of_turn([("main", 1, "ada"), ("main", 1, "bo")], granted) == 2


def test_no_line_that_is_heard_begins_in_anothers_name(attack: Attacked) -> None:
    forged = [
        (one.speaker, line)
        for one in attack.heard
        if one.speaker
        for line in one.text.splitlines()
        if named(line, [name for bot, name in NAMES.items() if bot != one.speaker])
    ]
    assert not forged


def test_unless_nothing_is_cut() -> None:
    others = ["Ada", "Cy"]
    lines = [line for text in TEXTS for line in text.splitlines()]
    assert sum(named(line, others) is not None for line in lines) >= 20
    kept = said("Fine.\nAda: I agree.", display="Bo", others=[], max_chars=99).text
    assert [named(line, others) for line in kept.splitlines()] == [None, "Ada"]


# --- the next prompt ----------------------------------------------------------------------


def heads(call: CallRecord, spoken: dict[str, Heard], spec: Spec) -> list[str]:
    """List how the lines at the margin of a prompt must begin: what was heard, then the ask."""
    scope = spec.bot(call.bot).memory.scope
    found = []
    for shown in call.exposures:
        event = spoken[shown.item]
        if shown.seen and event.speaker != call.bot:
            tag = f"[{event.channel}] " if scope == "all" else ""
            found.append(f"{tag}{NAMES[event.speaker]}: " if event.speaker else f"{tag}(opening) ")
    return [*found, f"Write {NAMES[call.bot]}'s next message, and nothing else."]


def misread(call: CallRecord, lines: list[str], wanted: list[str]) -> bool:
    """Tell whether a reader of a prompt would take somebody's words for another's."""
    return len(lines) != len(wanted) or any(
        not line.startswith(head) for line, head in zip(lines, wanted, strict=True)
    )


def user_lines(call: CallRecord) -> list[str]:
    return [line for one in call.messages if one.role == "user" for line in at_margin(one.content)]


def test_at_the_margin_of_a_prompt_stands_only_who_spoke(attack: Attacked) -> None:
    spoken = {one.message_id: one for one in attack.heard}
    calls = attack.calls
    assert len(calls) == 6 * len(TEXTS)
    wrong = [
        call for call in calls if misread(call, user_lines(call), heads(call, spoken, attack.spec))
    ]
    assert not wrong


def test_texts_that_were_not_indented_would_forge_speakers(attack: Attacked) -> None:
    spoken = {one.message_id: one for one in attack.heard}
    fooled = 0
    for call in attack.calls:
        wanted = heads(call, spoken, attack.spec)
        seen = [spoken[one.item] for one in call.exposures if one.seen]
        naive = [
            line
            for head, event in zip(
                wanted, [one for one in seen if one.speaker != call.bot], strict=False
            )
            for line in at_margin(f"{head}{event.text}")
        ]
        fooled += misread(call, [*naive, wanted[-1]], wanted)
    assert fooled > 100


def test_no_prompt_holds_what_a_chat_template_is_made_of(attack: Attacked) -> None:
    found = [
        (call.epoch, token)
        for call in attack.calls
        for one in call.messages
        for token in tokens(one.content)
    ]
    assert not found
    assert sum(bool(tokens(text)) for text in TEXTS) >= 10
    assert sum(bool(tokens(one.text)) for one in attack.heard) >= 20  # the record has it whole


# --- readers ------------------------------------------------------------------------------


def plain_lines(attack: Attacked) -> str:
    out = io.StringIO()
    view = blank(plan_of(attack.run, attack.spec))
    screen = PlainScreen(out)
    for sealed in attack.journal:
        before, view = view, evolve(view, sealed)
        screen.tell(before, view, sealed)
    return out.getvalue()


def test_plain_lines_are_inert_and_say_who_spoke(attack: Attacked) -> None:
    shown = plain_lines(attack)
    assert not acting(shown)
    shown.encode()
    lines = [line for line in shown.split("\n") if line and not line.startswith("    ")]
    said_by = [line.split(": ")[0] for line in lines if not _is_remark(line)]
    wanted = [
        f"[{one.channel} {one.turn}] {NAMES[one.speaker] if one.speaker else '(opening)'}"
        for one in attack.heard
    ]
    assert said_by == wanted
    assert sum(bool(acting(one.text)) for one in attack.heard) >= 20  # but for the guard


def _is_remark(line: str) -> bool:
    return line.startswith("-- ") or "] -- " in line.partition(": ")[0]


def test_a_terminal_gets_only_what_draws_the_panel(attack: Attacked) -> None:
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, color_system="256", width=80, height=40, _environ={}
    )
    plan = plan_of(attack.run, attack.spec)
    view = blank(plan)
    with TerminalScreen(console, plan) as screen:
        for sealed in attack.journal:
            before, view = view, evolve(view, sealed)
            screen.tell(before, view, sealed)
            if sealed.seq % 50 == 0:
                screen.draw(view, sealed.commit.at_ms)
        screen.draw(view, attack.journal[-1].commit.at_ms)
    assert "5;97;44m" in out.getvalue()
    assert "\x1b[5;97;44m" not in out.getvalue()
    assert not acting(CURSOR.sub("", STYLE.sub("", out.getvalue())))


def test_status_is_inert_whoever_had_the_last_word(attack: Attacked) -> None:
    plan = plan_of(attack.run, attack.spec)
    view = blank(plan)
    for sealed in attack.journal:
        view = evolve(view, sealed)
        if view.last_word is not None:
            assert not acting(view.last_word.text)
    shown = tell_status(attack.streams, attack.run, as_json=False)
    assert not acting("\n".join(shown))
    (as_json,) = tell_status(attack.streams, attack.run, as_json=True)
    assert as_json.isascii()
    assert as_json.isprintable()
