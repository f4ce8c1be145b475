"""What was answered once is answered again: from a dataset, from a run, and from nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from analytics.export import export_run
from bots.minds.recorded import RecordedMind, difference
from bots.minds.recording import Place, Recording
from bots.minds.stop import Stop
from parley.library import scenarios
from parley.resolve import Overrides, resolve_file
from tests.bots.asking import MESSAGES, request
from tests.scenes import spec_of
from tests.swarm import Swarm, fake_swarm, happened, transcript
from utils import keys
from utils.calls import CallRecord, ChatMessage, messages_sha256
from utils.errors import BadInput, MindFailed, Missing
from utils.journal import Commit, Sealed, seal, sha256_of
from utils.persona import Persona
from utils.protocol import Act, Acted, AskAct, Say
from utils.spec import ChannelSpec, GuardsSpec, MemorySpec, ModelSpec, Spec
from utils.streams import Streams

TALKS = ModelSpec(mind="scripted", lines=("Shade.", "", "A <think>no</think> wall.", "Bo: hm."))


def salon(model: ModelSpec = TALKS, turns: int = 14) -> Spec:
    channels = [
        ChannelSpec(name="main", members=("ada", "bo", "cy"), opening="Well?", turns=turns),
        ChannelSpec(name="side", members=("cy", "ada"), policy="simultaneous", turns=3),
    ]
    return spec_of(channels=channels, turns=None, model=model, memory=MemorySpec(amount=5))


def played(swarm: Swarm, spec: Spec) -> tuple[str, list[Sealed]]:
    run = swarm.seed(spec)
    return run, swarm.finish(run)


def in_its_channel(lines: list[tuple[str, int, str | None, str]]) -> list[object]:
    return [*sorted(lines, key=lambda line: line[:2])]


@pytest.fixture
def dataset(tmp_path: Path) -> tuple[Path, list[Sealed]]:
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(3)
        run, journal = played(swarm, salon())
        export_run(swarm.streams, run, tmp_path / "was")
    return tmp_path / "was", journal


def again(record: Path | str, **changes: object) -> tuple[list[Sealed], list[CallRecord]]:
    """Play the same salon with minds that answer from a record."""
    spec = salon(ModelSpec(mind="recorded", record=str(record))).model_copy(update=changes)
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(3)
        run, journal = played(swarm, spec)
        return journal, calls_of(swarm, run)


def calls_of(swarm: Swarm, run: str) -> list[CallRecord]:
    bodies = [one.body for one in swarm.streams.all(keys.calls(run))]
    return [CallRecord.model_validate_json(body) for body in bodies]


def outcomes(swarm: Swarm, run: str) -> Counter[str]:
    return Counter(call.outcome for call in calls_of(swarm, run))


def test_a_salon_is_said_again_word_for_word(dataset: tuple[Path, list[Sealed]]) -> None:
    folder, was = dataset
    journal, calls = again(folder)
    assert in_its_channel(transcript(journal)) == in_its_channel(transcript(was))
    assert len(happened(journal, "passed")) == len(happened(was, "passed")) > 0
    assert {call.source for call in calls} == {"recorded"}
    assert {call.thinking for call in calls} == {"", "no"}


@pytest.mark.parametrize("name", ["naming", "convention"])
def test_a_naming_game_of_rules_is_played_again_by_its_record(tmp_path: Path, name: str) -> None:
    spec = resolve_file(scenarios()[name], Overrides(turns=120))
    kept = spec.models["main"].model_copy(
        update={"mind": "recorded", "record": str(tmp_path / "w")}
    )
    with fake_swarm(lease_ms=60_000) as swarm:
        swarm.orchestrator()
        swarm.host(len(spec.bots))
        run, was = played(swarm, spec)
        export_run(swarm.streams, run, tmp_path / "w")
        _, journal = played(swarm, spec.model_copy(update={"models": {"main": kept}}))
    assert transcript(journal) == transcript(was)
    assert [one.action for one in happened(journal, "acted")] == [
        one.action for one in happened(was, "acted")
    ]
    assert len(happened(journal, "acted")) > 100


def test_what_a_guard_kept_back_is_kept_back_again(tmp_path: Path) -> None:
    guards = GuardsSpec(empty=True)
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(3)
        run, was = played(swarm, salon().model_copy(update={"guards": guards}))
        export_run(swarm.streams, run, tmp_path / "was")
        then = outcomes(swarm, run)
    journal, calls = again(tmp_path / "was", guards=guards)
    assert in_its_channel(transcript(journal)) == in_its_channel(transcript(was))
    assert then["guarded"] > 0
    assert Counter(call.outcome for call in calls) == then


def test_a_changed_persona_is_found_at_the_first_turn_and_shown(
    dataset: tuple[Path, list[Sealed]],
) -> None:
    folder, _ = dataset
    bots = list(salon().bots)
    bots[0] = bots[0].model_copy(update={"persona": Persona(name="ada", role="a  baker")})
    journal, calls = again(folder, bots=tuple(bots))
    first = happened(journal, "revoked")[0]
    assert (first.bot, first.turn) == ("ada", 1)
    assert first.detail.startswith("protocol: the prompt at main, turn 1, ada is not that of")
    assert "message 1, character" in first.detail
    assert "a  baker" in first.detail
    assert {call.attempt for call in calls} == {1}, "asking again would not help"


def test_what_nobody_was_asked_then_is_an_error(dataset: tuple[Path, list[Sealed]]) -> None:
    folder, _ = dataset
    mind = RecordedMind(ModelSpec(mind="recorded", record=str(folder)))
    with pytest.raises(MindFailed, match="no answer at main, turn 99, ada; nobody asked") as raised:
        mind.answer(request(turn=99), Stop())
    assert (raised.value.kind, raised.value.retryable) == ("not_found", False)


def test_a_run_is_answered_from_the_server_that_holds_it(empty_server: str) -> None:
    swarm = Swarm(lambda: Streams(empty_server), lease_ms=60_000)
    swarm.settings = swarm.settings.model_copy(update={"redis_url": empty_server})
    swarm.orchestrator()
    swarm.host(3)
    run, was = played(swarm, salon())
    spec = salon(ModelSpec(mind="recorded", record=f"run:{run}"))
    _, journal = played(swarm, spec)
    swarm.close()
    assert in_its_channel(transcript(journal)) == in_its_channel(transcript(was))


# --- which answer is the answer ---------------------------------------------------------


def call(number: int = 1, **changes: object) -> str:
    record = CallRecord.model_validate(
        {
            "run": "tea",
            "call_id": "1.1",
            "attempt": number,
            "bot": "ada",
            "host": "host-1",
            "seat": 1,
            "channel": "main",
            "turn": 1,
            "tries": 0,
            "epoch": 1,
            "source": "model",
            "mind": "ollama",
            "model": "tiny",
            "prompt": "default",
            "prompt_sha256": "0" * 64,
            "messages": MESSAGES,
            "messages_sha256": messages_sha256(MESSAGES),
            "options": {"top_k": 1},
            "seed": 7,
            "outcome": "answered",
            "response": f"Answer {number}.",
            "started_ms": 1,
            "took_ms": 1.0,
            **changes,
        }
    )
    return record.model_dump_json()


def recording(proposed: str, calls: Iterable[str]) -> Recording:
    acted = Acted(
        channel="main",
        turn=1,
        bot="ada",
        epoch=1,
        call_sha256=sha256_of(proposed),
        action=Say(text="Yes."),
    )
    commit = Commit(seq=1, prev="0" * 64, at_ms=1, cursor="0-0", events=(acted,))
    return Recording("tea", [seal(commit)], calls)


def texts(found: Recording) -> list[str]:
    return [one.record.response for one in found.at(Place("main", 1, "ada", 0))]


def test_an_attempt_that_failed_is_no_answer_and_the_one_proposed_is() -> None:
    failed, good = call(1, outcome="timeout", response="A tow"), call(2)
    found = recording(good, [failed, good, good, "garbage"])
    assert texts(found) == ["Answer 2."]
    assert found.failed(Place("main", 1, "ada", 0)) == ["timeout"]


def test_an_answer_of_a_seat_that_was_lost_is_not_the_answer() -> None:
    lost, good = call(1), call(2, call_id="1.2", seat=2)
    assert texts(recording(good, [lost, good])) == ["Answer 2."]


def test_what_was_answered_and_never_taken_is_no_answer() -> None:
    assert texts(recording(call(3), [call(1)])) == []


def test_an_action_is_done_again() -> None:
    did = Act(name="name", args="F")
    ask = AskAct(name="name", text="Name it.", answer_schema={"enum": ["F", "J"]})
    body = call(1, response="", action=did)
    mind = RecordedMind(ModelSpec(mind="recorded", record="somewhere"))
    mind._recording = recording(body, [body])
    assert mind.answer(request(ask=ask), Stop()).action == did


def test_prompts_that_differ_in_length_or_role_are_told_apart() -> None:
    one, two = MESSAGES
    assert difference((one,), (one, two)) == "then it had 1 messages, now 2"
    user = ChatMessage(role="user", content=one.content)
    assert difference((one,), (user,)) == "message 1: then of the system, now of the user"
    longer = ChatMessage(role="system", content=one.content + " ")
    assert "character 13: then 'You are Ada.', now 'You are Ada. '" in difference((one,), (longer,))


# --- where it is ------------------------------------------------------------------------


def test_a_record_that_is_not_there_says_what_to_name(tmp_path: Path, empty_server: str) -> None:
    with pytest.raises(Missing, match=r"no dataset at .*; name a folder that parley export wrote"):
        RecordedMind(ModelSpec(mind="recorded", record=str(tmp_path))).preflight()
    with pytest.raises(Missing, match="no run tea-0 at this server"):
        RecordedMind(ModelSpec(mind="recorded", record="run:tea-0", host=empty_server)).preflight()
    with pytest.raises(BadInput, match="where is run:tea-0"):
        RecordedMind(ModelSpec(mind="recorded", record="run:tea-0")).preflight()
    with pytest.raises(BadInput, match="needs a record"):
        RecordedMind(ModelSpec(mind="recorded"))


def test_a_record_that_was_changed_is_refused(dataset: tuple[Path, list[Sealed]]) -> None:
    folder, _ = dataset
    journal = folder / "raw" / "journal.jsonl"
    lines = journal.read_text().splitlines()
    first = json.loads(lines[0])
    lines[0] = json.dumps({**first, "b": first["b"].replace("tea", "tee", 1)})
    journal.write_text("\n".join(lines) + "\n")
    with pytest.raises(Missing, match=r"cannot be used: .*journal.jsonl:1: journal 1"):
        RecordedMind(ModelSpec(mind="recorded", record=str(folder))).preflight()
