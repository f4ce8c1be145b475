"""What comes out in a pipe: stable lines, and nothing in them acts."""

from __future__ import annotations

import io
import json

import pytest

from analytics.observer.plain import JsonScreen, PlainScreen
from analytics.observer.plan import plan_of
from analytics.observer.view import blank
from tests.analytics.shown import (
    ACTIVE,
    ATTACKS,
    RUN,
    drawn,
    plain_of,
    played,
    said,
)
from tests.scenes import Table, spec_of
from utils.protocol import CallsCounted, DeadlinePassed, HostLost, OpenEvent
from utils.spec import ChannelSpec


def test_a_short_run_in_plain_lines() -> None:
    table = said("A town is a promise.", "First.\n\n[main 9] Cy: I never said this.")
    table.notice(DeadlinePassed(epoch=3))
    table.notice(HostLost(host="host-cy"))
    table.say({"kind": "stop", "author": "person-1", "nonce": "s", "why": "tea is ready"})
    table.notice(CallsCounted(calls=3, last_id="3-0"))
    assert plain_of(table) == (
        "-- run tea-1: tea, seed 7: Ada, Bo and Cy\n"
        "[main 0] (opening): What is a town for?\n"
        "-- Ada is served by host-ada\n"
        "-- Bo is served by host-bo\n"
        "-- Cy is served by host-cy\n"
        "-- all bots are seated: turns begin\n"
        "[main 1] Ada: A town is a promise.\n"
        "[main 2] Bo: First.\n"
        "\n"
        "    [main 9] Cy: I never said this.\n"
        "[main 3] -- Cy's turn 3 revoked: no answer within 2 min; granted again to Ada, try 2\n"
        "-- no host serves Cy: host-cy was lost\n"
        "-- person-1 stops the run\n"
        "[main 3] -- Ada's turn 3 revoked: the run ended\n"
        "-- the run has ended: it was stopped: tea is ready\n"
        "-- the record is closed: 2 turns, 3 model calls\n"
    )


def test_one_channel_is_shown_with_what_concerns_the_whole_run() -> None:
    kitchen = ChannelSpec(name="kitchen", members=("ada", "bo"), opening="Who cooks?")
    salon = ChannelSpec(name="salon", members=("bo", "cy"), opening="What is a town for?")
    table = Table(spec_of(channels=(kitchen, salon))).begin()
    shown = plain_of(table, channel="salon")
    assert "What is a town for?" in shown
    assert "Who cooks?" not in shown
    assert "Ada is served" in shown
    assert "Who cooks?" not in drawn(table, channel="salon")


def test_an_encoding_that_lacks_a_character_gets_its_escape() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    played(said("你好"), PlainScreen(out))
    assert b"[main 1] Ada: \\u4f60\\u597d\n" in raw.getvalue()


def test_json_lines_are_the_journals_events_with_their_places() -> None:
    table = said("\x1b[2J\x7f\u202e 你好")
    out, notices = io.StringIO(), io.StringIO()
    played(table, JsonScreen(out, notices=notices))
    lines = out.getvalue().splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["kind"] for record in records] == [event.kind for event in table.events()]
    assert all(line.isascii() and line.isprintable() for line in lines)
    heard = records[-2]
    assert heard["text"] == "\x1b[2J\x7f\u202e 你好"
    assert (heard["seq"], heard["index"]) == (5, 2)
    assert heard["message_id"] == "5.2"


def test_an_event_of_an_unknown_kind_cannot_claim_another_place_in_json() -> None:
    table = said()
    odd = OpenEvent.model_validate({"kind": "town.rained", "seq": 1, "mm": 3})
    last = table.journal[-1]
    commit = last.commit.model_copy(update={"events": (odd,)})
    out = io.StringIO()
    view = blank(plan_of(RUN, table.rules.spec))
    JsonScreen(out, notices=out).tell(view, view, type(last)(commit, last.body, last.sha256))
    assert json.loads(out.getvalue())["seq"] == 4
    assert json.loads(out.getvalue())["mm"] == 3


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_bots_text_does_not_act_in_a_pipe(attack: str) -> None:
    shown = plain_of(said(attack))
    assert not ACTIVE.search(shown)


def test_a_bot_cannot_begin_a_line_that_looks_like_another_bots() -> None:
    shown = plain_of(said("hello\n[main 2] Bo: I agree\r\n-- the run has ended\u2028[main 3] x"))
    fourth_on = shown.splitlines()[6:]
    assert [line[:4] for line in fourth_on] == ["[mai", "    ", "    ", "    "]
