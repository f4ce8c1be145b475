"""Journals of what once went wrong and was mended: decided again, each comes out the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator import engine
from orchestrator.leader import Leader
from orchestrator.plugins import rules_for
from orchestrator.rules import Rules
from orchestrator.state import State
from tests.journals.made import FOLDER, JOURNALS, clock_back, unsaid
from tests.swarm import happened
from utils.journal import Sealed, chain, from_line
from utils.protocol import Observed
from utils.spec import Spec

Broken = Callable[[State, Sealed], State]


def read(name: str) -> tuple[Rules, list[Sealed]]:
    """Read a journal of this folder, its chain checked, and the rules of its run."""
    spec = Spec.model_validate_json((FOLDER / f"{name}.spec.json").read_text("utf-8"))
    lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    return rules_for(spec), list(chain(from_line(line) for line in lines))


def differs_at(name: str, spoil: Broken = lambda state, sealed: state) -> int:
    """Decide every commit again; the first that comes out otherwise, 0 for none."""
    rules, journal = read(name)
    state = engine.initial(rules)
    for sealed in journal:
        commit = sealed.commit
        causes = engine.Causes(inputs=commit.inputs, noticed=commit.noticed)
        before = spoil(state, sealed)
        again = engine.compose(rules, before, causes, at_ms=commit.at_ms, cursor=commit.cursor)
        if again is None or again.body != sealed.body:
            return sealed.seq
        state = engine.evolve(rules, state, sealed)
    return 0


def test_every_journal_here_is_known() -> None:
    assert {path.stem for path in FOLDER.glob("*.jsonl")} == set(JOURNALS)
    page = Path(FOLDER, "README.md").read_text("utf-8")
    assert [name for name in JOURNALS if f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", JOURNALS)
def test_a_journal_is_decided_again_as_it_was(name: str) -> None:
    assert differs_at(name) == 0


def outline(journal: list[Sealed]) -> list[tuple[object, ...]]:
    """Tell what each commit read and says, but for what any run has of its own."""
    return [
        (
            sealed.commit.at_ms,
            sealed.commit.cursor,
            [one.id for one in sealed.commit.inputs],
            [event.kind for event in sealed.commit.events],
        )
        for sealed in journal
    ]


@pytest.mark.parametrize("name", JOURNALS)
def test_a_journal_is_made_again_as_it_is_here(name: str) -> None:
    _, journal = read(name)
    _, again = JOURNALS[name]()
    assert outline(again) == outline(journal)


class ReadsOn(Leader):
    """A leader that mends and reads on from where it stood: the fault as it was."""

    def _own_up(self, now_ms: int) -> None:
        if self._mended is not None:
            self._commit((), (Observed(name="mended", detail="appended again"),), now_ms)
            self._mended = None


class LooksAtNothing(Leader):
    """A leader that does not look whether the one before it passed something over."""

    def _look_at_floor(self, now_ms: int) -> None:
        return


@pytest.mark.parametrize(
    ("name", "make", "leads"),
    [("clock-back", clock_back, ReadsOn), ("unsaid", unsaid, LooksAtNothing)],
)
def test_a_leader_with_the_old_fault_makes_another_journal(
    name: str, make: Callable[[type[Leader]], tuple[Spec, list[Sealed]]], leads: type[Leader]
) -> None:
    _, journal = read(name)
    _, again = make(leads)
    assert outline(again) != outline(journal)
    assert happened(again, "intervened") == [], "nobody read what was said"
    assert happened(journal, "intervened") != []


def test_who_remembers_64_nonces_seats_a_host_of_80_twice() -> None:
    def forget(state: State, sealed: Sealed) -> State:
        said = {who: [one for page in pages for one in page] for who, pages in state.nonces.items()}
        return state._replace(nonces={who: (dict.fromkeys(said[who][-64:]),) for who in said})

    assert differs_at("many-seats", forget) > 0
    _, journal = read("many-seats")
    assert len(happened(journal, "seated")) == len(happened(journal, "rejected")) == 80


def test_a_leader_that_mends_over_a_clock_gone_back_reads_the_floor_again() -> None:
    _, journal = read("clock-back")
    cursors = [int(sealed.commit.cursor.partition("-")[0]) for sealed in journal]
    (mended,) = [sealed for sealed in journal if happened([sealed], "incident")]
    assert cursors[mended.seq - 1] < cursors[mended.seq - 2]
    assert [event.verb for event in happened(journal, "intervened")] == ["mark"]
    assert [event.turn for event in happened(journal, "acted")] == [1, 2, 3, 4, 5]


def test_who_leads_on_after_a_death_in_the_mending_says_what_is_read_again() -> None:
    _, journal = read("unsaid")
    (mended,) = happened(journal, "incident")
    assert mended.detail.startswith("the floor was rolled back; read again from ")
    assert [event.verb for event in happened(journal, "intervened")] == ["mark"]


def test_who_forgets_in_a_pause_whose_grant_was_revoked_closes_the_round_without_them() -> None:
    def forget(state: State, sealed: Sealed) -> State:
        floors = {name: at._replace(revoked=()) for name, at in state.floors.items()}
        return state._replace(floors=floors) if state.is_paused else state

    assert differs_at("paused-round", forget) > 0
    _, journal = read("paused-round")
    assert happened(journal, "turn_closed")[0].answered == 3


def test_garbage_is_rejected_in_words_that_stay() -> None:
    _, journal = read("garbage")
    assert len(happened(journal, "rejected")) >= 60


def test_who_forgets_that_a_commit_is_missed_says_so_twice() -> None:
    def forget(state: State, sealed: Sealed) -> State:
        return state._replace(missed=(-1, ""))

    assert differs_at("vanished", forget) > 0
    _, journal = read("vanished")
    assert [event.name for event in happened(journal, "incident")] == ["vanished"]
