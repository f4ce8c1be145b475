"""The context is a budget: a prompt fits, with room for the answer, and what did not is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from analytics.export import export_run
from bots.around import Around
from bots.company import Company
from bots.fleet import Fleet
from bots.memory.seam import Recalled
from bots.minds.attempts import Attempt
from bots.minds.seam import NOTHING_KNOWN
from bots.offline.models import Offered
from bots.offline.server import OfflineServer
from bots.prompt import Place, Prompt, build, frame
from bots.tokens import LEAST_SCALE, MOST_SCALE, Scale, estimate_chat
from bots.work import learned
from tests.bots.asking import request
from tests.bots.test_queues import played
from tests.scenes import spec_of
from tests.swarm import Swarm, fake_swarm, happened, transcript
from utils.calls import CallRecord
from utils.clock import SYSTEM_CLOCK
from utils.errors import MindFailed
from utils.protocol import AskSay, Heard
from utils.slots import Slots
from utils.spec import FloorSpec, MemorySpec, ModelSpec, Option, Spec
from utils.streams import Streams

TURNS = 500
NUM_CTX, NUM_PREDICT = 2_048, 120
MODEL = ModelSpec(model="parley-offline", options={"num_ctx": NUM_CTX, "num_predict": NUM_PREDICT})


def heard(number: int, speaker: str, text: str) -> Heard:
    return Heard(
        message_id=f"{number}.0",
        channel="main",
        turn=number,
        round=1,
        speaker=speaker,
        audience="all",
        text=text,
    )


def prompt_of(said: Sequence[tuple[str, str]], room: int, *, scope: str = "channel") -> Prompt:
    spec = spec_of(memory=MemorySpec.model_validate({"scope": scope}))
    place = Place(channel="main", displays=spec.displays(), members=("ada", "bo", "cy"))
    messages = tuple(heard(at, *one) for at, one in enumerate(said, 1))
    framing = frame(spec.bots[0], place)
    return build(framing, Recalled(messages), AskSay(max_chars=400), room_tokens=room)


LEAST = estimate_chat(prompt_of([], 10_000).messages)

lines = st.tuples(
    st.sampled_from(["ada", "bo", "cy"]),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=400),
)


@given(st.lists(lines, max_size=30), st.integers(LEAST, 3_000), st.sampled_from(["channel", "all"]))
def test_whatever_was_said_a_prompt_fits_and_accounts_for_all_of_it(
    said: list[tuple[str, str]], room: int, scope: str
) -> None:
    prompt = prompt_of(said, room, scope=scope)
    assert estimate_chat(prompt.messages) <= room
    assert [one.item for one in prompt.exposures] == [f"{at}.0" for at in range(1, len(said) + 1)]
    seen = [one.seen for one in prompt.exposures]
    assert seen == sorted(seen), "what is left out is the oldest"


def test_a_message_that_is_larger_than_all_there_is_is_left_out_and_that_is_told() -> None:
    prompt = prompt_of([("bo", "Hm."), ("cy", "x" * 9_000)], 1_000)
    assert estimate_chat(prompt.messages) <= 1_000
    assert [(one.item, one.seen, one.why) for one in prompt.exposures] == [
        ("1.0", False, "budget"),
        ("2.0", False, "budget"),
    ]


# --- what servers' counts teach ---------------------------------------------------------


def test_a_scale_rises_at_once_and_falls_slowly_to_what_is_counted() -> None:
    scale = Scale().after(estimated=1_000, counted=600)
    assert scale == Scale(0.63, is_measured=True)
    assert scale.after(estimated=1_000, counted=2_000).factor == 2.1
    for _ in range(40):
        scale = scale.after(estimated=1_000, counted=500)
    assert 0.525 <= scale.factor <= 0.53


@given(st.lists(st.tuples(st.integers(0, 10**6), st.none() | st.integers(0, 10**6)), max_size=20))
def test_no_count_makes_a_scale_that_cannot_be(counts: list[tuple[int, int | None]]) -> None:
    scale = Scale()
    for estimated, counted in counts:
        scale = scale.after(estimated=estimated, counted=counted)
        assert LEAST_SCALE <= scale.factor <= MOST_SCALE
        assert scale.factor == round(scale.factor, 3)


def test_a_prompt_that_the_server_cut_in_half_is_told_and_teaches_nothing() -> None:
    scale = Scale().after(estimated=1_500, counted=950)
    assert scale.is_short(estimated=1_500, counted=475)
    assert scale.after(estimated=1_500, counted=475) == scale
    assert not scale.is_short(estimated=1_500, counted=800)


def test_a_prompt_that_did_not_fit_makes_the_next_one_shorter() -> None:
    failure = MindFailed("context_overflow", "the input length exceeds the context length")
    attempt = Attempt(1, request(), 0, 1.0, NOTHING_KNOWN, error=failure)
    assert learned(Scale(), [attempt]).factor == 1.25


# --- a long conversation ----------------------------------------------------------------


def test_500_turns_in_a_context_of_2048_never_overflow_and_every_message_is_accounted_for(
    empty_server: str,
) -> None:
    spec = spec_of(
        turns=TURNS, model=MODEL, memory=MemorySpec(amount=200), floor=FloorSpec(allow_s=20)
    )
    swarm = Swarm(lambda: Streams(empty_server), lease_ms=30_000)
    with OfflineServer(models=[Offered("parley-offline")]) as server:
        swarm.settings = swarm.settings.model_copy(update={"ollama_host": server.url})
        swarm.orchestrator()
        swarm.host(3)
        journal, calls = played(swarm, spec)
        swarm.close()
    assert len(happened(journal, "turn_closed")) == TURNS
    assert {call.outcome for call in calls} == {"answered"}
    assert all(call.noticed == () for call in calls)
    assert max(call.prompt_tokens or 0 for call in calls) <= NUM_CTX - NUM_PREDICT
    assert max(call.prompt_tokens or 0 for call in calls) > (NUM_CTX - NUM_PREDICT) * 0.8
    messages = [
        (sealed.seq, one.message_id) for sealed in journal for one in happened([sealed], "heard")
    ]
    granted = {one.epoch: sealed.seq for sealed in journal for one in happened([sealed], "granted")}
    left_out = 0
    for call in calls:
        before = [message for seq, message in messages if seq <= granted[call.epoch]]
        older = [one.item for one in call.exposures if one.kind == "messages_up_to"]
        named = [one.item for one in call.exposures if one.kind == "message"]
        assert before == before[: before.index(older[0]) + 1 if older else 0] + named
        left_out += sum(not one.seen for one in call.exposures)
    assert left_out > TURNS


Talked = tuple[Swarm, str, list[tuple[str, int, str | None, str]], list[CallRecord]]
SMALL: dict[str, Option] = {"num_ctx": 512, "num_predict": 60}


def talked(model: ModelSpec, *, hosts: int, url: str = "http://127.0.0.1:1") -> Talked:
    """Talk for 40 turns in a context that holds a few of them."""
    spec = spec_of(turns=40, model=model, memory=MemorySpec(amount=50), floor=FloorSpec(allow_s=20))
    with fake_swarm(lease_ms=30_000) as swarm:
        swarm.settings = swarm.settings.model_copy(update={"ollama_host": url})
        swarm.orchestrator()
        for _ in range(hosts):
            swarm.host(3 // hosts)
        run = swarm.seed(spec)
        journal, calls = played(swarm, run)
        return swarm, run, transcript(journal), calls


def test_what_fits_depends_on_a_bots_own_calls_and_not_on_who_serves_it(tmp_path: Path) -> None:
    model = ModelSpec(model="parley-offline", options=SMALL)
    with OfflineServer() as server:
        swarm, run, said, calls = talked(model, hosts=1, url=server.url)
        _, _, apart, _ = talked(model, hosts=3, url=server.url)
        export_run(swarm.streams, run, tmp_path / "was")
    assert said == apart
    assert len({call.token_scale for call in calls}) > 3
    record = ModelSpec(mind="recorded", record=str(tmp_path / "was"), options=SMALL)
    _, _, again, replayed = talked(record, hosts=1)
    assert again == said
    assert [call.token_scale for call in replayed] == [call.token_scale for call in calls]


def test_a_bot_that_is_seated_anew_estimates_as_it_would_have_before() -> None:
    with OfflineServer() as server:
        model = ModelSpec(model="parley-offline", options=SMALL)
        swarm, run, _, calls = talked(model, hosts=1, url=server.url)
    last = [call for call in calls if call.bot == "ada"][-1]
    around = Around(ollama_hosts=("http://127.0.0.1:1",))
    slots = Slots(swarm.streams, each=1, ttl_ms=1_000)
    spec = Spec.read(run, swarm.streams.spec(run))
    company = Company(run, spec, around=around, fleet=Fleet(slots, SYSTEM_CLOCK))
    company.seat(spec.bot("ada"), now_ms=0)
    company.learn(swarm.streams, "ada")
    before = Scale(last.token_scale, is_measured=True)
    after = before.after(estimated=last.estimated_tokens or 0, counted=last.prompt_tokens)
    assert company.seats["ada"].scale == after
