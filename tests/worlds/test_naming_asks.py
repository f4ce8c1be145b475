"""The naming game: what it asks of whom, and what of the answers is heard by whom."""

from __future__ import annotations

from tests.worlds.naming_played import game, mets, played

# --- what is asked ---------------------------------------------------------------------


def test_a_speaker_is_asked_for_one_of_its_words_and_without_any_for_a_new_one() -> None:
    table = played(game(4, variant="minimal", encounters=30))
    asks = [event.ask for event in table.events("granted") if event.ask.name == "utter"]
    first, *_, last = asks
    assert first.legal == ()
    assert first.answer_schema["pattern"] == "^[a-z]{1,24}$"
    assert "Make up a word" in first.text
    assert last.legal == tuple(last.answer_schema["enum"]) == tuple(last.view["inventory"])
    assert all(f'"{word}"' in last.text for word in last.legal)


def test_a_hearer_is_asked_whether_it_knows_the_word() -> None:
    table = played(game(4, variant="minimal", encounters=30))
    asks = [event.ask for event in table.events("granted") if event.ask.name == "know"]
    assert {ask.legal for ask in asks} == {(True, False)}
    assert all(f'"{ask.view["word"]}"' in ask.text for ask in asks)


def test_each_player_is_shown_the_words_in_an_order_of_its_own() -> None:
    shuffled, plain = (
        [event.ask.legal for event in played(spec).events("granted")]
        for spec in (game(6, encounters=40), game(6, encounters=40, shuffle=False))
    )
    assert set(shuffled) == {("F", "J"), ("J", "F")}
    assert any(one != other for one, other in zip(shuffled[::2], shuffled[1::2], strict=True))
    assert set(plain) == {("F", "J")}


def test_no_ask_tells_of_a_crowd_or_that_all_should_agree() -> None:
    for variant in ("minimal", "coordination"):
        table = played(game(4, variant=variant, encounters=30))
        for event in table.events("granted"):
            words = set(event.ask.text.lower().replace(",", " ").replace(".", " ").split())
            assert words.isdisjoint({"agree", "consensus", "convention", "everybody", "group"})


def test_a_player_sees_its_last_encounters_and_all_its_points() -> None:
    table = played(game(2, encounters=9, memory=3))
    last = table.events("granted")[-1].ask
    told = mets(table)[:-1]
    assert last.view["points"] == sum(met["points"][0] for met in told)
    assert [points for _, _, points in last.view["history"]] == [
        met["points"][0] for met in told[-3:]
    ]
    assert f"You have {last.view['points']} by now." in last.text


# --- what is heard ---------------------------------------------------------------------


def test_a_word_and_the_answer_to_it_are_heard_in_the_encounters_channel() -> None:
    table = played(game(2, variant="minimal", encounters=3))
    lines = [(one.channel, one.turn, one.speaker, one.text) for one in table.events("heard")]
    met = mets(table)[0]
    word = met["words"][0]
    assert lines[:2] == [
        ("met-1", 1, met["speaker"], word),
        ("met-1", 2, met["hearer"], "no"),
    ]
    assert lines[3][3] == "yes"


def test_either_player_is_told_alone_what_came_of_it() -> None:
    table = played(game(2, encounters=1, payoff=[3, -1]))
    (met,) = mets(table)
    own, other = table.events("heard")[:2]
    assert [own.audience, other.audience] == [(met["speaker"],), (met["hearer"],)]
    outcomes = [one for one in table.events("heard") if one.speaker is None]
    assert [one.audience for one in outcomes] == [(met["speaker"],), (met["hearer"],)]
    gain = "get 3 points" if met["success"] else "lose 1 point"
    mine, theirs = met["words"]
    total = 3 if met["success"] else -1
    assert outcomes[0].text == (
        f'You named "{mine}", the other player named "{theirs}". '
        f"You {gain}, and have {total} by now."
    )
