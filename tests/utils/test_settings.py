"""Settings: every variable, its default, and what happens when it makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from utils.errors import BadInput
from utils.settings import VARIABLES, Settings


def read(**env: str) -> Settings:
    return Settings.from_env({"HOME": "/tmp/ada", **env})


def test_without_a_word_there_is_an_embedded_server_and_a_local_ollama() -> None:
    assert read() == Settings(
        redis_url=None,
        home=Path("/tmp/ada/.local/state/parley"),
        fsync="always",
        ollama_host="http://127.0.0.1:11434",
        lease_ms=5_000,
    )


def test_every_variable_is_read() -> None:
    assert read(
        REDIS_URL="redis://far:6379/1",
        PARLEY_HOME="/data/parley",
        PARLEY_FSYNC="everysec",
        OLLAMA_HOST="http://gpu:1234",
        OLLAMA_HOSTS="gpu, http://gpu:11434,https://far ,",
        PARLEY_SLOTS="4",
        PARLEY_LEASE_MS="750",
        REDIS_PASSWORD_FILE="/run/secrets/password",
        PARLEY_MODEL="gemma3:1b",
        PARLEY_TYPED="./parley",
        PARLEY_RECORDINGS="/data/recordings",
        PARLEY_KEEP="500",
    ) == Settings(
        redis_url="redis://far:6379/1",
        redis_password_file=Path("/run/secrets/password"),
        model="gemma3:1b",
        typed="./parley",
        recordings=Path("/data/recordings"),
        keep=500,
        home=Path("/data/parley"),
        fsync="everysec",
        ollama_host="http://gpu:1234",
        ollama_hosts=("http://gpu:11434", "https://far:443"),
        slots=4,
        lease_ms=750,
    )


def test_an_empty_variable_is_no_variable() -> None:
    assert read(**dict.fromkeys([*VARIABLES.values(), "XDG_STATE_HOME"], "")) == read()


def test_several_model_servers_stand_in_the_place_of_the_one() -> None:
    assert read(OLLAMA_HOST="gpu").model_servers == ("http://gpu:11434",)
    several = read(OLLAMA_HOST="gpu", OLLAMA_HOSTS="a,b").model_servers
    assert several == ("http://a:11434", "http://b:11434")


@pytest.mark.parametrize(("value", "why"), [("0", "greater than or equal"), ("two", "whole")])
def test_slots_that_cannot_be_are_refused_by_name(value: str, why: str) -> None:
    with pytest.raises(BadInput, match=rf"^PARLEY_SLOTS: .*{why}"):
        read(PARLEY_SLOTS=value)


def test_the_home_is_in_the_users_state_folder_wherever_that_is() -> None:
    assert read(XDG_STATE_HOME="/state").home == Path("/state/parley")
    assert Settings.from_env({}).home == Path(".local/state/parley")


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("localhost", "http://localhost:11434"),
        ("gpu:8080", "http://gpu:8080"),
        ("http://gpu", "http://gpu:11434"),
        ("http://gpu:8080/", "http://gpu:8080"),
        ("https://gpu", "https://gpu:443"),
        ("https://gpu:8443", "https://gpu:8443"),
        ("https://gpu/models", "https://gpu/models"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("10.0.0.0", "http://10.0.0.0:11434"),
        (":8080", "http://127.0.0.1:8080"),
        ("http://", "http://127.0.0.1:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:8080", "http://[::1]:8080"),
        (" gpu \n", "http://gpu:11434"),
    ],
)
def test_ollama_host_is_read_as_ollama_reads_it(written: str, url: str) -> None:
    assert read(OLLAMA_HOST=written).ollama_host == url


@pytest.mark.parametrize("value", ["five", "-5", "1e3", "0.5", " 500", "0x10"])
def test_a_lease_that_is_no_number_is_refused_by_name(value: str) -> None:
    with pytest.raises(BadInput, match=r"^PARLEY_LEASE_MS: '.*' is not a whole number$"):
        read(PARLEY_LEASE_MS=value)


@pytest.mark.parametrize("value", ["0", "99", "600001", "9" * 10_000])
def test_a_lease_out_of_bounds_is_refused_by_name(value: str) -> None:
    with pytest.raises(BadInput, match=r"^PARLEY_LEASE_MS: .* (100|600000)$") as caught:
        read(PARLEY_LEASE_MS=value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("value", ["100", "600000", "00000000000500"])
def test_a_lease_within_bounds_is_taken(value: str) -> None:
    assert read(PARLEY_LEASE_MS=value).lease_ms == int(value)


def test_an_unknown_fsync_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match=r"^PARLEY_FSYNC: .*'always' or 'everysec'"):
        read(PARLEY_FSYNC="never")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read().lease_ms = 1  # type: ignore[misc]
