"""The manifest says what a reviewer would ask first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analytics.export import export_run
from analytics.review import FEW_NAMES, Review
from tests.analytics.recorded import RUN, Recorded
from tests.scenes import spec_of
from utils import keys
from utils.dataset import Dataset
from utils.journal import NO_HASH, Commit, seal
from utils.manifest import Manifest
from utils.protocol import Event, Heard, TurnClosed

FIRST, SECOND = "a" * 64, "b" * 64


def manifest_of(run: Recorded, folder: Path) -> Manifest:
    return Dataset.open(export_run(run.write().streams, RUN, folder / "tea").folder).manifest


def begun(turns: int = 4) -> Recorded:
    return Recorded(spec_of(turns=turns)).begin()


def test_of_a_run_in_which_all_went_well_nothing_is_said(tmp_path: Path) -> None:
    run = begun()
    for number in range(4):
        run.say(f"Line {number}.", model_digest=FIRST, server="ollama 1", quantization="Q4_0")
    manifest = manifest_of(run.close(), tmp_path)
    assert manifest.findings == ()
    (model,) = manifest.models
    assert (model.model, model.calls, model.digests) == ("llama3.2:1b", 4, (FIRST,))
    assert (model.quantizations, model.servers) == (("Q4_0",), ("ollama 1",))
    assert (manifest.seed, manifest.settings["floor"]["tries"]) == (7, 3)  # type: ignore[index, call-overload]
    assert manifest.not_deterministic[0].startswith("What a model answers")


def test_a_model_that_changed_in_mid_run_is_named(tmp_path: Path) -> None:
    run = begun()
    for digest in (FIRST, SECOND, FIRST, SECOND):
        run.say("Well.", model_digest=digest)
    manifest = manifest_of(run.close(), tmp_path)
    assert manifest.checks.changed_models == ("llama3.2:1b",)
    assert manifest.models[0].digests == (FIRST, SECOND)
    assert "Model llama3.2:1b changed in mid-run: 2 digests answered." in manifest.findings


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"language_model": False}, "llama3.2:1b is no language model, and says so."),
        ({"cut": (("stop", "Bo:"),)}, "4 of 4 answers were cut."),
        ({}, "No digest of model llama3.2:1b is known."),
    ],
)
def test_what_is_odd_about_answers_is_said(tmp_path: Path, call: dict[str, Any], said: str) -> None:
    run = begun()
    for number in range(4):
        run.say(f"Line {number}.", **call)
    assert said in manifest_of(run.close(), tmp_path).findings


def test_shares_are_of_all_grants_and_of_all_calls(tmp_path: Path) -> None:
    run = begun()
    run.call(outcome="guarded")
    run.table.fail()
    run.talk(4)
    checks = manifest_of(run.close(), tmp_path).checks
    assert checks.share_revoked == 1 / 5
    assert checks.share_revoked_for_time == 0
    assert checks.share_resampled == 1 / 5


def test_a_run_that_was_cut_and_one_whose_calls_are_missing_say_so(tmp_path: Path) -> None:
    live = manifest_of(begun().talk(2), tmp_path / "live")
    assert live.findings[0] == "The run was cut while running: its tables are not final."
    run = begun().talk(4).close()
    first = run.calls()[0].id
    run.streams._redis.xdel(keys.calls(RUN), first)
    run.streams._redis.xadd(keys.calls(RUN), {"b": "{"}, id="*")
    manifest = manifest_of(run, tmp_path / "closed")
    assert manifest.checks.calls_missing == 1
    assert "1 call is missing." in manifest.findings


def test_a_call_that_was_changed_is_one_that_nobody_names(tmp_path: Path) -> None:
    run = begun().talk(3)
    run.table.propose(text="Well.", call_sha256="f" * 64)
    manifest = manifest_of(run.close(), tmp_path)
    assert manifest.checks.calls_unknown == 1
    assert "1 grant names a call that is not there." in manifest.findings


def test_turns_that_a_channel_leaves_out_are_counted() -> None:
    review = Review(spec_of())
    events: list[Event] = [
        TurnClosed(channel=channel, turn=turn, outcome="acted", answered=1, asked=1)
        for channel, turn in (("main", 1), ("side", 1), ("main", 2), ("main", 5), ("side", 2))
    ]
    review.take(seal(Commit(seq=1, prev=NO_HASH, at_ms=1, cursor="0-0", events=tuple(events))))
    row = dict.fromkeys(("granted", "revoked", "revoked_deadline", "calls_guarded"), 0)
    row |= dict.fromkeys(("calls", "calls_cut"), 0)
    assert review.checks({**row, "calls_counted": None}).turns_missing == 2


@pytest.mark.parametrize("more", [0, FEW_NAMES])
def test_names_are_found_as_whole_words_only_however_many_bots_there_are(more: int) -> None:
    def renamed(bots: list[str], text: str) -> str | None:
        review = Review(spec_of([*bots, *(f"extra-{number}" for number in range(more))]))
        heard = Heard(channel="m", turn=1, round=1, speaker=bots[0], audience="all", text=text)
        review.take(seal(Commit(seq=1, prev=NO_HASH, at_ms=1, cursor="0-0", events=(heard,))))
        row = dict.fromkeys(("granted", "revoked", "revoked_deadline", "calls_guarded"), 0)
        row |= dict.fromkeys(("calls", "calls_cut"), 0)
        return review.checks({**row, "calls_counted": None}).renamed_sha256

    told = renamed(["ada", "bo"], "Bo and ada: bodega, bo-peep.")
    assert told == renamed(["mo", "pia"], "Pia and mo: bodega, bo-peep.")
    assert told != renamed(["mo", "pia"], "Mo and pia: bodega, bo-peep.")
    assert told != renamed(["ada", "bo"], "Bo and ada: bodega, pia-peep.")
