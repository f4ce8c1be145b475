"""Who hears a speaker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worlds.audience import AUDIENCES, audience

RING = ("ada", "bo", "cy", "dee", "eve")

rings = st.lists(st.sampled_from([*RING, *"fghij"]), min_size=1, max_size=8, unique=True)


@given(rings, st.sampled_from(sorted(AUDIENCES)), st.data())
def test_speakers_always_hear_themselves_and_nobody_hears_twice_or_from_elsewhere(
    ring: list[str], hears: str, data: st.DataObject
) -> None:
    speaker = data.draw(st.sampled_from(ring))
    heard_by = audience(hears, ring, speaker)
    if heard_by != "all":
        assert speaker in heard_by
        assert set(heard_by) <= set(ring)
        assert len(set(heard_by)) == len(heard_by)


@given(rings, st.sampled_from(sorted(AUDIENCES)))
def test_words_from_outside_reach_everybody(ring: list[str], hears: str) -> None:
    assert audience(hears, ring, None) == "all"


def test_all_is_everybody_whoever_they_are_then() -> None:
    assert audience("all", RING, "cy") == "all"


@pytest.mark.parametrize(
    ("speaker", "beside"),
    [("ada", {"eve", "bo"}), ("cy", {"bo", "dee"}), ("eve", {"dee", "ada"})],
)
def test_neighbours_are_the_two_beside_the_speaker_around_the_ring(
    speaker: str, beside: set[str]
) -> None:
    assert set(audience("neighbours", RING, speaker)) == {speaker, *beside}


def test_of_two_each_is_the_others_only_neighbour_and_one_alone_has_none() -> None:
    assert sorted(audience("neighbours", ("ada", "bo"), "ada")) == ["ada", "bo"]
    assert audience("neighbours", ("ada",), "ada") == ("ada",)


@given(rings.filter(lambda ring: len(ring) > 2))
def test_neighbours_hear_each_other_both_ways(ring: list[str]) -> None:
    hears = {speaker: audience("neighbours", ring, speaker) for speaker in ring}
    assert all(one in hears[other] for one in ring for other in hears[one])
    assert all(len(names) == 3 for names in hears.values())


def test_to_whom_the_speaker_is_the_previous_one_hears() -> None:
    assert audience("previous", RING, "ada") == ("ada", "bo")
    assert audience("previous", RING, "eve") == ("eve", "ada")
    assert audience("previous", ("ada",), "ada") == ("ada",)


def test_itself_is_the_speaker_alone() -> None:
    assert audience("self", RING, "dee") == ("dee",)


def test_there_is_no_other_rule_and_no_other_speaker() -> None:
    with pytest.raises(KeyError):
        audience("graph", RING, "ada")
    with pytest.raises(ValueError, match="not in"):
        audience("neighbours", RING, "stranger")
