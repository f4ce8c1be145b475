"""Commits, their chain, JSON Lines, and the one door by which floor entries come in."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tests.scenes import Table, spec_of
from utils.errors import BadEntry
from utils.journal import (
    NO_HASH,
    Commit,
    Consumed,
    Garbage,
    Sealed,
    chain,
    consume,
    fold,
    follow,
    from_line,
    parse,
    seal,
    sha256_of,
    to_line,
    unseal,
)
from utils.protocol import EVENT, MAX_INPUT_BYTES, Heard, Joined, OpenEvent, Proposed, Short

ODD = [
    "",
    " ",
    "\u2028",
    "\u2029",
    "\x85",
    "\r\n",
    "\x00",
    "\x1b[31m",
    "\U0001f600",
    "e\u0301",
    "\ufeff",
]
CLOSING = {"author": "h", "nonce": "n", "bot": "ada", "seat": 1, "epoch": 1, "grant": "0" * 64}

any_text = st.text(st.characters())
"""Text with lone surrogates: what `surrogateescape` makes of bytes, and worse."""

utf8_text = st.text(st.characters(codec="utf-8"))

plain_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=8,
)


@st.composite
def nearly_inputs(draw: st.DrawFn) -> str:
    """An input's JSON with something added, changed or taken away."""
    action = {"kind": "act", "name": "step", "args": draw(plain_json)}
    said = {"kind": "say", "text": draw(any_text)}
    body: dict[str, object] = {
        "kind": "proposed",
        **CLOSING,
        "action": draw(st.just(action) | st.just(said)),
    }
    for key in draw(st.lists(st.sampled_from([*body, "why"]) | any_text, max_size=3)):
        if draw(st.booleans()):
            body[key] = draw(plain_json)
        else:
            body.pop(key, None)
    return json.dumps(body, ensure_ascii=draw(st.booleans()))


def commits(texts: list[str]) -> Iterator[Sealed]:
    """A chain of commits, each with one thing heard."""
    prev = NO_HASH
    for seq, text in enumerate(texts, 1):
        heard = Heard(channel="c", turn=1, round=1, speaker="ada", audience="all", text=text)
        sealed = seal(Commit(seq=seq, prev=prev, at_ms=seq, cursor="0-0", events=(heard,)))
        prev = sealed.sha256
        yield sealed


@given(st.lists(utf8_text.map(lambda text: text.replace("\x00", "")), max_size=4))
@example([text.replace("\x00", "") for text in ODD])
def test_a_commit_comes_back_from_its_bytes_and_from_a_line_of_json(texts: list[str]) -> None:
    for sealed in commits(texts):
        assert unseal(sealed.seq, sealed.body, sealed.sha256) == sealed
        line = to_line(sealed)
        assert line.splitlines() == [line.removesuffix("\n")]
        assert line.isascii()
        assert from_line(line) == sealed


@given(utf8_text)
@example("".join(ODD))
def test_what_an_author_wrote_is_in_the_commit_whole(raw: str) -> None:
    consumed = consume("5-0", {"b": raw})
    sealed = seal(Commit(seq=1, prev=NO_HASH, at_ms=1, cursor="5-0", inputs=(consumed,), events=()))
    assert from_line(to_line(sealed)).commit.inputs[0].raw == raw


@pytest.mark.parametrize(
    ("seq", "body", "sha256", "why"),
    [
        (1, "x", "f" * 64, "its hash"),
        (1, "\udcff", "f" * 64, "its hash"),
        (1, "not json", sha256_of("not json"), "no commit: not a JSON object"),
        (1, "[" * 9999, sha256_of("[" * 9999), "no commit"),
        (1, '{"v":2}', sha256_of('{"v":2}'), "no commit: field v"),
    ],
)
def test_bytes_that_are_no_commit_are_a_bad_entry(
    seq: int, body: str, sha256: str, why: str
) -> None:
    with pytest.raises(BadEntry, match=why):
        unseal(seq, body, sha256)


def test_a_commit_under_another_number_is_a_bad_entry() -> None:
    (sealed,) = commits(["x"])
    with pytest.raises(BadEntry, match="it says it is commit 1"):
        unseal(2, sealed.body, sealed.sha256)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "7",
        "null",
        "{}",
        '{"seq": 1, "h": "x"}',
        '{"seq": "one", "h": "x", "b": ""}',
        '{"seq": Infinity, "h": "x", "b": ""}',
        '{"seq": 1, "h": "x", "b": "\\ud800"}',
        '{"seq": %s, "h": "x", "b": ""}' % ("1" * 9999),
        "[" * 99_999,
    ],
)
def test_a_line_that_is_no_commit_is_a_bad_entry(line: str) -> None:
    with pytest.raises(BadEntry):
        from_line(line)


def test_a_chain_lets_commits_through_as_they_are() -> None:
    journal = list(commits(["a", "b", "c"]))
    assert list(chain(journal)) == journal


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ([1, 2], "2: it does not follow commit 0"),
        ([0, 2], "3: it does not follow commit 1"),
        ([0, 0], "1: it does not follow commit 1"),
        ([0, 1, 1], "2: it does not follow commit 2"),
    ],
)
def test_a_chain_with_a_commit_missing_or_out_of_order_is_refused(
    order: list[int], why: str
) -> None:
    journal = list(commits(["a", "b", "c"]))
    with pytest.raises(BadEntry, match=why):
        list(chain(journal[place] for place in order))


def test_a_commit_on_top_of_another_history_is_refused() -> None:
    first, _ = commits(["a", "b"])
    _, other = commits(["x", "b"])
    with pytest.raises(BadEntry, match="2: it names another commit 1"):
        follow(first, other)


def test_a_first_commit_must_name_no_other() -> None:
    commit = Commit(seq=1, prev="f" * 64, at_ms=1, cursor="0-0", events=())
    with pytest.raises(BadEntry, match="it names another commit 0"):
        follow(None, seal(commit))


def test_time_that_goes_back_is_refused() -> None:
    (first,) = commits(["a"])
    commit = Commit(seq=2, prev=first.sha256, at_ms=0, cursor="0-0", events=())
    with pytest.raises(BadEntry, match="its time goes back"):
        follow(first, seal(commit))


def test_a_fold_takes_every_commit_once_and_in_order() -> None:
    journal = list(commits(["a", "b", "c"]))
    assert fold(lambda seen, sealed: [*seen, sealed.seq], journal, [0]) == [0, 1, 2, 3]
    with pytest.raises(BadEntry):
        fold(lambda seen, sealed: [*seen, sealed.seq], journal[1:], [0])


def test_one_changed_character_is_found() -> None:
    journal = list(commits(["a", "b", "c"]))
    lines = [to_line(sealed) for sealed in journal]
    lines[1] = lines[1].replace('\\"b\\"', '\\"B\\"')
    with pytest.raises(BadEntry, match="journal 2: its hash is not that of its bytes"):
        list(chain(from_line(line) for line in lines))


@given(st.dictionaries(utf8_text, st.integers() | utf8_text | st.lists(utf8_text), max_size=4))
@example({"model_config": 1, "copy": "x", "mm": {"deep": [1, None, {"a": 0.5}]}})
def test_an_event_of_an_unknown_kind_survives_a_round_trip_whole(extra: dict[str, object]) -> None:
    written = {**extra, "kind": "town.rained"}
    event = EVENT.validate_python(written)
    assert isinstance(event, OpenEvent)
    sealed = seal(Commit(seq=1, prev=NO_HASH, at_ms=1, cursor="0-0", events=(event,)))
    back = from_line(to_line(sealed)).commit.events[0]
    assert back.model_dump() == written
    assert back == event


@settings(max_examples=200)
@given(st.dictionaries(any_text | st.just("b"), any_text | nearly_inputs(), max_size=3))
@example({"\udc80" * 100: "x"})
@example({"\x00" * 600: "\x00"})
@example({"b": "{" * 200_000})
@example({"b": "\U0001f600" * 40_000, "c": "\udcff"})
@example({"b": '{"kind":"stop","author":"a","nonce":"b","\\u0000":1}'})
@example({"b": '{"kind":"stop","author":"a","nonce":"b","' + "k" * 1000 + '":1}'})
@example({"b": '{"kind":"stop","author":"a","nonce":"b","why":"\\ud800"}'})
def test_any_entry_is_consumed_and_a_verifier_finds_the_same_words(fields: dict[str, str]) -> None:
    consumed = consume("5-0", fields)
    kept = Consumed.model_validate_json(consumed.model_dump_json())
    verdict = parse(consumed)
    if isinstance(verdict, Garbage):  # this goes into `rejected`
        TypeAdapter(Short).validate_python(verdict.why)
    assert kept == consumed
    assert parse(kept) == verdict
    assert len(consumed.raw) <= MAX_INPUT_BYTES
    sealed = seal(Commit(seq=1, prev=NO_HASH, at_ms=1, cursor="5-0", inputs=(consumed,), events=()))
    assert from_line(to_line(sealed)) == sealed


@settings(max_examples=150)
@given(nearly_inputs())
def test_the_engine_takes_whatever_comes_and_the_commit_can_be_read_again(raw: str) -> None:
    table = Table(spec_of()).begin()
    events = table.say(raw)
    assert events
    assert all(from_line(to_line(sealed)) == sealed for sealed in table.journal)
    assert not table.events("acted")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "fields are not b alone: "),
        ({"a": "x"}, "fields are not b alone: a"),
        ({"b": "{}", "c": ""}, "fields are not b alone: b, c"),
        ({"b": "x" * (MAX_INPUT_BYTES + 1)}, f"over {MAX_INPUT_BYTES} bytes"),
        ({"b": "\u00e9" * (MAX_INPUT_BYTES // 2 + 1)}, f"over {MAX_INPUT_BYTES} bytes"),
        ({"b": "\udcff"}, "not UTF-8"),
        ({"b": "x"}, "not a JSON object"),
        ({"b": '{"kind": "prophecy"}'}, "field kind"),
        ({"b": '{"kind": "joined", "author": "h", "nonce": "n"}'}, "field joined.bot"),
        (
            {"b": '{"kind": "joined", "author": "H", "nonce": "n", "bot": "b"}'},
            "field joined.author",
        ),
    ],
)
def test_garbage_says_what_is_wrong_in_words_of_our_own(fields: dict[str, str], why: str) -> None:
    consumed = consume("5-0", fields)
    assert parse(consumed) == Garbage(why)
    assert (consumed.author, consumed.nonce) == ("", "")


def test_of_a_malformed_entry_only_the_beginning_is_kept() -> None:
    consumed = consume("5-0", {"b": "\udcff" * 10_000})
    assert consumed.raw == "\\udcff" * 500


def test_an_input_as_large_as_may_be_is_taken() -> None:
    body = '{"kind":"joined","author":"h","nonce":"n","bot":"ada"}'.ljust(MAX_INPUT_BYTES)
    consumed = consume("5-0", {"b": body})
    assert consumed.raw == body
    assert isinstance(parse(consumed), Joined)


@pytest.mark.parametrize("args", ["NaN", "-Infinity", "1e999", "[" * 150 + "]" * 150])
def test_arguments_that_a_commit_could_not_give_back_are_garbage(args: str) -> None:
    action = {"kind": "act", "name": "step", "args": 0}
    raw = json.dumps({"kind": "proposed", **CLOSING, "action": action}).replace("0}", f"{args}}}")
    assert parse(consume("5-0", {"b": raw})) == Garbage("field proposed.action.act.args")


def test_what_was_written_by_pydantic_or_by_another_json_library_is_the_same_input() -> None:
    said = Proposed.model_validate({**CLOSING, "action": {"kind": "say", "text": "".join(ODD[:5])}})
    ours = consume("5-0", {"b": said.model_dump_json()})
    theirs = consume("5-0", {"b": json.dumps(said.model_dump(mode="json"), indent=1)})
    assert parse(ours) == parse(theirs) == said
