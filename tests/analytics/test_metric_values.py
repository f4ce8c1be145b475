"""Metrics against values worked by hand, published ones, and other programs' formulas."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from analytics.catalogue import metric
from analytics.metrics import drift, influence, lexical, turn_taking
from analytics.metrics.convergence import windowed_similarity
from analytics.metrics.frames import Frames
from analytics.metrics.readability import count, reading_ease
from analytics.metrics.sentiment import compound
from analytics.metrics.vectors import tfidf
from tests.analytics.measured import BOTS, Line, frames_of, read
from utils.evenness import entropy_of, gini_of

TALK: list[Line] = [
    (None, "What is a town for?"),
    ("ada", "A town is for markets, Bo."),
    ("bo", "Markets need a town square."),
    ("ada", "A town is for markets and a square."),
    ("cy", "Quiet, all of you! ada is right."),
]


def by_bot(name: str, frames: Frames) -> dict[str | None, float | None]:
    return {one.bot: one.value for one in read(metric(name), frames)}


def by_pair(name: str, frames: Frames) -> dict[tuple[str | None, str | None], float | None]:
    return {(one.bot, one.other): one.value for one in read(metric(name), frames)}


# Participation

counts = st.lists(st.integers(0, 500), min_size=2, max_size=12).filter(any)


@given(counts)
def test_gini_is_the_mean_absolute_difference_over_twice_the_mean(counts: list[int]) -> None:
    values = np.array(counts, float)
    difference = np.abs(values[:, None] - values[None, :]).mean()
    assert gini_of(counts) == pytest.approx(difference / (2 * values.mean()))


@given(counts)
def test_entropy_is_scipys(counts: list[int]) -> None:
    assert entropy_of(counts) == pytest.approx(float(stats.entropy(counts, base=2)), abs=1e-9)


def test_shares_of_messages_and_of_words_count_the_silent() -> None:
    frames = frames_of(TALK, bots=(*BOTS, "dee"))
    assert by_bot("message_share", frames) == {"ada": 0.5, "bo": 0.25, "cy": 0.25, "dee": 0}
    words = by_bot("word_share", frames)
    assert words == {"ada": 14 / 26, "bo": 5 / 26, "cy": 7 / 26, "dee": 0}


# Turn-taking


def test_who_speaks_after_whom_is_counted_channel_by_channel() -> None:
    said = pd.DataFrame(
        {
            "channel": ["a", "b", "a", "b", "a"],
            "speaker": ["ada", "bo", "bo", "cy", "ada"],
        }
    )
    assert turn_taking.adjacency(said) == {
        ("bo", "ada"): 1.0,
        ("cy", "bo"): 0.5,
        ("ada", "bo"): 0.5,
    }


def test_a_revoked_turn_has_no_latency_but_counts_as_not_yet_answered() -> None:
    turns = pd.DataFrame(
        {
            "run_id": "tea",
            "bot": "ada",
            "outcome": ["acted", "revoked", "acted", "passed", "live"],
            "reason": None,
            "latency_ms": pd.array([100, 150, 200, 300, None], "Int64"),
        }
    )
    frames = frames_of(TALK, turns=turns)
    assert by_bot("latency_median_ms", frames) == {None: 200, "ada": 200, "bo": None, "cy": None}
    assert by_bot("answer_median_ms", frames) == {None: 200}


# Lexical variety


def test_mtld_of_the_authors_example_has_one_factor_of_nine_words() -> None:
    words = "of the people by the people for the people".split()
    assert lexical.mtld(words).value == 9  # backwards it is full at the fifth word


def test_mtld_takes_the_part_of_a_last_factor_that_was_gone() -> None:
    words = "a b c a".split()  # 3/4: (1 - 0.75) / (1 - 0.72) of a factor, both ways
    assert lexical.mtld(words).value == pytest.approx(4 / (0.25 / 0.28))


def test_mtld_is_that_of_another_program_on_the_text_it_publishes() -> None:
    text = (
        "measure of textual lexical diversity computed as the mean length of sequential words in a "
        "text that maintains a minimum threshold ttr score iterates over words until ttr scores "
        "falls below a threshold then increase factor counter by and start over mccarthy and "
        "jarvis pg recommends a factor threshold in the range of mccarthy mccarthy and jarvis"
    ).split()
    assert (len(text), len(set(text))) == (57, 39)
    assert lexical.mtld(text).value == pytest.approx(46.79226361031519)  # lexicalrichness


def test_mtld_of_words_that_never_come_twice_has_no_value() -> None:
    assert lexical.mtld(["a", "b"]) == (None, "no word comes twice")


def test_distinct_runs_of_words_do_not_go_over_the_end_of_a_message() -> None:
    texts = [["to", "be"], ["or", "not", "to", "be"]]
    assert [lexical.distinct(texts, n).value for n in (1, 2, 3)] == [4 / 6, 3 / 4, 1]


def test_self_repetition_counts_only_what_the_same_bot_said_in_an_earlier_message() -> None:
    frames = frames_of([("ada", "a b c"), ("bo", "a b c"), ("ada", "a b c d e"), ("bo", "x y z")])
    assert by_bot("self_repetition", frames) == {None: 1 / 4, "ada": 1 / 3, "bo": 0, "cy": None}


# Sentiment and readability: published scores


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("VADER is smart, handsome, and funny.", 0.8316),
        ("VADER is VERY SMART, handsome, and FUNNY!!!", 0.9342),
        ("Today SUX!", -0.5461),
        ("", 0.0),
    ],
)
def test_sentiment_is_what_the_authors_publish(text: str, score: float) -> None:
    assert compound(text) == score


def test_reading_ease_of_known_sentences() -> None:
    cat = count(["The cat sat on the mat."])
    assert tuple(cat) == (1, 6, 6)
    assert reading_ease(cat).value == pytest.approx(116.145)
    platypus = ["The Australian platypus is seemingly a hybrid of a mammal and reptilian creature."]
    assert reading_ease(count(platypus)).value == pytest.approx(37.5, abs=0.1)


# Convergence and drift


def test_similarity_in_a_window_is_the_mean_over_all_pairs_by_different_speakers() -> None:
    speakers = np.array(["ada", "bo", "ada", "cy", "cy", "bo", "bo"])
    texts = [f"tea {'milk ' * (at % 3)} {at % 2}".split() for at in range(len(speakers))]
    vectors = TfidfVectorizer(analyzer=lambda words: words).fit_transform(texts)
    alike = cosine_similarity(vectors)
    expected = [
        np.mean(
            [
                alike[one, other]
                for one, other in combinations(range(start, start + 4), 2)
                if speakers[one] != speakers[other]
            ]
        )
        for start in range(4)
    ]
    assert windowed_similarity(tfidf(texts), speakers, 4) == pytest.approx(expected)
    assert windowed_similarity(vectors.toarray(), speakers, 4) == pytest.approx(expected)


def test_a_window_with_one_speaker_has_no_similarity() -> None:
    alone = windowed_similarity(tfidf([["a"], ["a"], ["a"]]), np.array(["ada", "ada", "bo"]), 2)
    assert np.isnan(alone[0])
    assert alone[1] == pytest.approx(1)


def test_embeddings_take_the_place_of_words_where_they_are_given() -> None:
    frames = frames_of(TALK)
    ids = frames["messages"]["message_id"]
    vectors = pd.DataFrame([[3.0, 0.0], [3.0, 0.0], [0.0, 2.0], [1.0, 0.0], [0.0, -1.0]], index=ids)
    given = Frames({name: frames[name] for name in ("messages", "bots")}, embeddings=vectors)
    (reading,) = read(metric("similarity_embedded"), given)
    assert reading.value == pytest.approx((0 + 0 + 0 - 1 + 0) / 5)


def test_distance_is_none_to_the_same_words_and_all_to_others() -> None:
    lines = [(None, "tea and milk"), ("ada", "Milk and TEA!"), ("bo", "Markets."), ("cy", "...")]
    values = drift.distances(frames_of(lines))["distance"]
    assert list(values.round(9))[:2] == [0, 1]
    assert np.isnan(values.iloc[2])


# Who names whom, and who takes what from whom


def test_a_bot_is_named_by_name_as_a_word_in_any_case_but_not_by_itself() -> None:
    frames = frames_of(
        [("ada", "BO, and bo!"), ("bo", "Adaptable, ada's?"), ("cy", "cy, Ada"), ("bo", "Cy.")]
    )
    pairs = {("ada", "bo"): 1, ("bo", "ada"): 1, ("cy", "ada"): 1, ("bo", "cy"): 1}
    assert by_pair("named", frames) == pairs
    assert by_bot("named_by", frames) == {"ada": 1, "bo": 0.5, "cy": 0.5}
    assert by_bot("names", frames) == {"ada": 0.5, "bo": 1, "cy": 0.5}
    assert by_bot("address_reciprocity", frames) == {None: 0.5}
    assert by_bot("address_betweenness", frames) == {"ada": 0.5, "bo": 0.5, "cy": 0}


def test_a_word_is_taken_from_the_earliest_message_in_the_prompt_that_has_it() -> None:
    heard = frames_of(
        [(None, "tea"), ("ada", "tea milk"), ("bo", "milk sugar"), ("ada", "sugar milk salt")]
    ).heard
    exposed = {"call-1": ["1.0"], "call-2": ["2.0", "1.0"], "call-3": ["2.0"]}
    taken = influence.uptake(heard, exposed)
    assert taken["ada"] == (4, {"": 1, "ada": 0})  # sugar was not in its prompt, milk its own
    assert taken["bo"] == (2, {"ada": 1, "": 0})


def test_uptake_of_a_run_is_over_all_words_said_for_the_first_time() -> None:
    frames = frames_of([(None, "tea"), ("ada", "tea milk"), ("bo", "milk sugar")])
    assert by_bot("uptake", frames) == {None: 0.5, "ada": 0.5, "bo": 0.5, "cy": None}
    assert by_pair("influence", frames) == {("bo", "ada"): 0.5}
