"""A model server's key: taken out of all that comes back, however the server writes it."""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape
from urllib.parse import quote

import pytest

from bots.minds.openai import KEY_VARIABLE, OpenAIMind
from bots.minds.seam import About, Answer
from bots.minds.secret import PIECE, SHORTEST, Secret
from bots.minds.stop import Stop
from tests.bots.asking import request
from tests.bots.raw_server import RawServer, Visit
from utils.errors import BadInput, MindFailed, Missing
from utils.spec import ModelSpec

KEY = 'sk-earl/grey&0d41"b7e2'


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Secret:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    return Secret(KEY_VARIABLE)


@pytest.mark.parametrize(
    "form",
    [
        KEY,
        json.dumps(KEY)[1:-1],
        json.dumps(KEY)[1:-1].replace("/", "\\/"),
        escape(KEY),
        quote(KEY, safe=""),
        quote(KEY, safe="").replace("%2F", "%2f"),
    ],
)
def test_the_key_is_found_as_anything_writes_it(form: str, secret: Secret) -> None:
    assert (
        secret.hide(f"no {form}, and {form}{form}") == f"no [{KEY_VARIABLE}], and [{KEY_VARIABLE}]"
    )
    assert secret.hide(f"{form[: PIECE + 1]}...") == f"[{KEY_VARIABLE}]..."
    assert secret.hide(f"...{form[-PIECE:]}") == f"...[{KEY_VARIABLE}]"
    assert secret.hide(form[: PIECE - 1]) == form[: PIECE - 1]


@pytest.mark.parametrize("key", ["", "none", "EMPTY", "ollama", "x" * (SHORTEST - 1)])
def test_a_word_in_place_of_a_key_is_left_in_what_is_said(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    assert Secret(KEY_VARIABLE).hide(f"There was {key} left.") == f"There was {key} left."


@pytest.mark.parametrize("key", ["not-needed", "password", "lm-studio", "sk-no-key-required"])
def test_a_word_that_stands_for_a_key_may_be_said_and_is_in_no_error(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    secret = Secret(KEY_VARIABLE)
    said = f"A key is {key} here."
    assert secret.hide_in_answer(Answer(text=said, thinking=said)).text == said
    failure = MindFailed(kind="refused", detail=said, partial=said)
    secret.hide_in_failure(failure)
    assert (failure.partial, failure.detail) == (said, f"A key is [{KEY_VARIABLE}] here.")


def test_a_key_is_found_in_all_that_a_server_says_of_a_model(secret: Secret) -> None:
    about = About(server=KEY, digest=KEY, quantization=KEY, capabilities=("tools", KEY))
    assert KEY not in repr(secret.hide_in_about(about))
    assert secret.hide_in_about(about).capabilities == ("tools", f"[{KEY_VARIABLE}]")


def test_the_end_of_an_exchange_is_not_kept_where_the_key_stood_in_a_text(secret: Secret) -> None:
    """It may stand there in pieces, too short to be found."""
    tail = f'"{KEY[:6]}" ... "{KEY[6:11]}" ... "{KEY[11:]}"'
    failure = MindFailed(kind="protocol", detail="", partial=f"Mine is {KEY}")
    failure.exchange = replace(failure.exchange, tail=tail)
    secret.hide_in_failure(failure)
    assert failure.exchange.tail == f"[{KEY_VARIABLE}]"


def test_a_key_is_stripped_and_one_that_fits_no_header_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, " sk-earl-0d41b7e2\n")
    assert Secret(KEY_VARIABLE).key == "sk-earl-0d41b7e2"
    for bad in ("sk-earl\n-0d41b7e2", "sk-\u00e9arl-0d41b7e2"):
        monkeypatch.setenv(KEY_VARIABLE, bad)
        with pytest.raises(BadInput, match=KEY_VARIABLE) as refused:
            OpenAIMind(ModelSpec(mind="openai", model="tiny"))
        assert "0d41b7e2" not in str(refused.value)


def test_what_is_kept_of_a_failure_is_without_the_key(secret: Secret) -> None:
    def fail(visit: Visit) -> None:
        padding = " " * 280  # the error is cut in the middle of the key
        why = json.dumps({"error": {"message": f"refused:{padding}{KEY}"}})
        visit.status(401, why.encode())

    with RawServer(fail) as server:
        mind = OpenAIMind(ModelSpec(mind="openai", model="tiny", host=f"{server.url}/api"))
        with pytest.raises(MindFailed) as failed:
            mind.answer(request(), Stop())
        mind.close()
    kept = repr((failed.value.detail, str(failed.value), failed.value.exchange))
    assert (KEY[:PIECE] in kept, KEY_VARIABLE in kept) == (False, True)


def test_a_server_that_names_its_models_by_the_key_is_told_without_it(secret: Secret) -> None:
    about = {"/api/models": json.dumps({"data": [{"id": KEY}]}).encode()}
    with RawServer(lambda visit: visit.reset(), about=about) as server:
        mind = OpenAIMind(ModelSpec(mind="openai", model="tiny", host=f"{server.url}/api"))
        with pytest.raises(Missing, match=rf"there is \[{KEY_VARIABLE}\]"):
            mind.preflight()
        mind.close()
