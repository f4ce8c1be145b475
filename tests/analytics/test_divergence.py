"""How far two conversations are apart, and whether that is more than two unchanged ones are."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.comparison import compare
from analytics.divergence import (
    Said,
    Talk,
    curve,
    mean_curve,
    parting,
    share_distance,
    shared_commits,
    word_distance,
)
from analytics.effect import LEAST_RUNS, effect
from parley.commands.compare import lines_of
from utils.seeds import Chance

SHARED = ("c1", "c2")
TOWN = [
    "the",
    "bridge",
    "holds",
    "a",
    "town",
    "and",
    "its",
    "bread",
    "is",
    "warm",
    "today",
    "again",
]


def talk(run: str, *texts: str, seed: int = 7, speakers: str = "ab", **labels: str) -> Talk:
    """A conversation after two shared commits: one message a commit, speakers in turn."""
    said = [Said(1, "main", 0, None, "What is a town for?", is_answer=False)]
    for turn, text in enumerate(texts, 1):
        said.append(Said(2 + turn, "main", turn, speakers[turn % len(speakers)], text))
    own = tuple(f"{run}-{number:04x}f00" for number in range(len(texts)))
    return Talk(run, seed, labels, tuple(said), (*SHARED, *own))


def drawn(run: str, seed: int, words: Sequence[str], *, turns: int = 10) -> Talk:
    chance = Chance(seed)
    texts = [
        " ".join(chance.pick(words, run[0], turn, place) for place in range(6))
        for turn in range(turns)
    ]
    return talk(f"{run}{seed:x}", *texts, seed=seed, replicate=str(seed))


def test_runs_that_say_the_same_do_not_part() -> None:
    one, other = talk("d", "yes", "no"), talk("e", "yes", "no")
    assert parting(one, other) is None
    assert [(at.words, at.participation) for at in curve(one, other)] == [(0, 0), (0, 0)]


def test_runs_part_at_the_first_message_that_differs_and_the_curve_begins_there() -> None:
    one, other = talk("d", "yes", "a town", "no"), talk("e", "yes", "a house", "no")
    met = parting(one, other)
    assert met is not None
    assert (met.a and met.a.text, met.b and met.b.text) == ("a town", "a house")
    assert shared_commits(one, other) == 2
    assert [at.words for at in curve(one, other)] == [0, pytest.approx(2 / 3), 0]


def test_a_run_that_ends_earlier_parts_where_it_ends() -> None:
    met = parting(talk("d", "yes"), talk("e", "yes", "no"))
    assert met is not None
    assert met.a is None
    assert met.b is not None
    assert met.b.turn == 2
    assert curve(talk("d", "yes"), talk("e", "yes", "no"))[1].words == 1


def test_participation_is_compared_up_to_each_turn() -> None:
    one, other = talk("d", *"wxyz", speakers="ab"), talk("e", *"wxyz", speakers="aa")
    assert [at.participation for at in curve(one, other)] == [1, 0.5, pytest.approx(2 / 3), 0.5]


def test_what_was_put_into_the_conversation_from_outside_is_not_what_it_came_to() -> None:
    one, other = talk("d", "yes", "no"), talk("e", "yes", "no")
    told = Said(3, "main", 1, None, "It rains.", is_answer=False)
    put = Talk("f", 7, {}, (*other.messages[:1], told, *other.messages[1:]), other.commits)
    met = parting(one, put)
    assert met is not None
    assert met.b == told
    assert [at.words for at in curve(one, put)] == [0, 0]


words = st.frozensets(st.sampled_from(TOWN))
shares = st.dictionaries(st.sampled_from("abc"), st.integers(1, 9))


@given(words, words)
def test_a_distance_of_words_is_symmetric_bounded_and_0_only_for_the_same(
    a: frozenset[str], b: frozenset[str]
) -> None:
    assert word_distance(a, b) == word_distance(b, a)
    assert 0 <= word_distance(a, b) <= 1
    assert (word_distance(a, b) == 0) is (a == b)


@given(shares, shares)
def test_a_distance_of_shares_is_symmetric_and_bounded(
    a: dict[str, int], b: dict[str, int]
) -> None:
    assert share_distance(a, b) == pytest.approx(share_distance(b, a))
    assert -1e-12 <= share_distance(a, b) <= 1 + 1e-12
    assert share_distance(a, a) == 0


def test_curves_are_averaged_turn_by_turn_over_those_that_have_the_turn() -> None:
    short = curve(talk("d", "yes"), talk("e", "no"))
    long = curve(talk("d", "yes", "a"), talk("e", "yes", "b"))
    assert [(one.turn, one.words) for one in mean_curve([short, long])] == [(1, 0.5), (2, 1.0)]


# --- the effect ---------------------------------------------------------------------------


def test_runs_drawn_alike_show_no_effect_and_runs_drawn_otherwise_do() -> None:
    controls = [drawn("c", seed, TOWN) for seed in range(6)]
    alike = [drawn("t", seed, TOWN) for seed in range(6)]
    other = [drawn("t", seed, [*TOWN[:6], "sea", "salt", "ship"]) for seed in range(6)]
    same, differs = compare(controls, alike), compare(controls, other)
    assert same.effects["words"].is_there is False
    assert differs.effects["words"].is_there is True
    assert (differs.effects["words"].size or 0) > (same.effects["words"].size or 0)
    assert "No effect beyond what two unchanged runs differ by." in "\n".join(lines_of(same))
    assert "B differs by more than two unchanged runs do." in "\n".join(lines_of(differs))


def test_pairs_of_one_seed_are_left_out_where_the_controls_have_seeds_of_their_own() -> None:
    controls = [drawn("c", seed, TOWN) for seed in range(6)]
    pairs = compare(controls, controls).pairs
    assert sum(pair.kind == "aa" for pair in pairs) == 15
    assert sum(pair.kind == "ab" for pair in pairs) == 30
    assert all(pair.a.seed != pair.b.seed for pair in pairs)


def test_the_same_runs_give_the_same_interval_each_time() -> None:
    controls = [drawn("c", seed, TOWN) for seed in range(5)]
    treated = [drawn("t", seed, TOWN) for seed in range(5)]
    assert compare(controls, treated).effects == compare(controls, treated).effects


def test_with_few_runs_no_interval_is_given_and_that_is_said() -> None:
    few = LEAST_RUNS - 1
    controls = [drawn("c", seed, TOWN) for seed in range(few)]
    treated = [drawn("t", seed, TOWN) for seed in range(few)]
    comparison = compare(controls, treated)
    assert comparison.effects["words"].is_there is None
    assert f"no verdict with fewer than {LEAST_RUNS} runs of each" in "\n".join(
        lines_of(comparison)
    )
    one = compare(controls[:1], treated[:1])
    assert one.effects["words"].size is None
    assert "what two unchanged runs differ by is not known" in "\n".join(lines_of(one))


def test_an_interval_holds_what_it_should_when_nothing_differs() -> None:
    found = 0
    for trial in range(12):
        controls = [drawn("c", 100 * trial + one, TOWN, turns=4) for one in range(6)]
        treated = [drawn("t", 100 * trial + one, TOWN, turns=4) for one in range(6)]
        found += bool(compare(controls, treated).effects["words"].is_there)
    assert found <= 2


def test_an_effect_without_a_pair_to_compare_is_none() -> None:
    chance = Chance(1)
    assert effect(lambda a, b: None, lambda a, b: 0.0, treated=1, controls=1, chance=chance) is None
