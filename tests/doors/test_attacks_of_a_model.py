"""A model that answers with every attack, over HTTP, to real processes; then the real commands."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import pytest

from tests.bots.raw_server import DONE, RawServer, Visit, line
from tests.doors.attacked import NAMES
from tests.doors.corpus import CORPUS
from tests.doors.judges import acting, at_margin, named, opened, out_of_turn, running, tokens
from tests.processes import processes
from tests.scenes import spec_of
from tests.swarm import happened
from utils.journal import Sealed
from utils.protocol import MAX_TEXT_CHARS, Heard
from utils.spec import EndSpec, FloorSpec, MemorySpec, ModelSpec, Spec

TURNS = 2 * len(CORPUS)
PIECE = 7_000
"""Characters of an answer that come in one chunk."""


class Attacker:
    """Answers whoever is Bo with one attack after the other, and Ada with a plain word."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.said = 0

    def __call__(self, visit: Visit) -> None:
        system = str(visit.server.chats[-1]["messages"][0]["content"])
        text = "I heard that."
        if system.startswith("You are Bo"):
            with self._lock:
                text = CORPUS[self.said % len(CORPUS)].text
                self.said += 1
        pieces = [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
        visit.stream(*(line(piece) for piece in pieces), DONE)


def spec() -> Spec:
    return spec_of(
        bots=("bo", "ada"),
        model=ModelSpec(mind="ollama", model="tiny"),
        end=EndSpec(turns=TURNS),
        floor=FloorSpec(max_chars=MAX_TEXT_CHARS, allow_s=60),
        memory=MemorySpec(amount=6),
    )


class Attacked:
    """What came of it.

    Attributes:
        chats: Every request as the model server got it.
        shown: Command to what it printed.
    """

    def __init__(self, journal: list[Sealed], server: RawServer, dataset: Path) -> None:
        self.journal, self.chats, self.dataset = journal, server.chats, dataset
        self.shown: dict[str, str] = {}

    @property
    def heard(self) -> list[Heard]:
        return happened(self.journal, "heard")


@pytest.fixture(scope="module")
def attack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp("attacked")
    with (
        RawServer(Attacker()) as server,
        processes(folder, OLLAMA_HOST=server.url) as swarm,
    ):
        run = swarm.seed(spec())
        swarm.start("orchestrator")
        swarm.start("bots", "--seats-per-process", "2")
        came = Attacked(swarm.finish(run), server, folder / "dataset")
        for command in (
            ["watch", run, "--plain"],
            ["watch", run, "--json"],
            ["status", run],
            ["status", run, "--json"],
            ["export", run, "--out", str(came.dataset)],
        ):
            done = subprocess.run(
                [sys.executable, "-m", "parley", *command],
                capture_output=True,
                env={"REDIS_URL": swarm.streams.url, "PATH": "/usr/bin", "LANG": "C.UTF-8"},
                timeout=120,
            )
            assert done.returncode == 0, done.stderr
            came.shown[" ".join(one for one in command if one != run)] = done.stdout.decode()
        yield came


def test_every_turn_is_taken_by_whoever_had_it(attack: Attacked) -> None:
    granted = {(one.channel, one.turn): one.bot for one in happened(attack.journal, "granted")}
    words = [(one.channel, one.turn, one.speaker) for one in attack.heard if one.speaker]
    assert out_of_turn(words, granted) == 0
    outcomes = [one.outcome for one in happened(attack.journal, "turn_closed")]
    assert len(outcomes) == TURNS
    assert set(outcomes) == {"acted", "passed"}
    assert not happened(attack.journal, "incident", "rejected", "revoked")
    assert outcomes.count("acted") > TURNS - 10


def test_nobody_is_heard_in_anothers_name(attack: Attacked) -> None:
    said_by_bo = [one.text for one in attack.heard if one.speaker == "bo"]
    assert not [text for text in said_by_bo for line in text.splitlines() if named(line, ["Ada"])]
    answered = [one.text for one in CORPUS]
    assert sum(named(line, ["Ada"]) is not None for one in answered for line in one.splitlines())
    assert max(map(len, said_by_bo)) == MAX_TEXT_CHARS


def test_in_every_prompt_that_was_sent_only_who_spoke_stands_at_the_margin(
    attack: Attacked,
) -> None:
    assert len(attack.chats) == TURNS
    for chat in attack.chats:
        (me,) = re.findall(r"\AYou are (Ada|Bo)", chat["messages"][0]["content"])
        (other,) = set(NAMES.values()) - {me, "Cy"}
        for message in chat["messages"][1:]:
            assert not tokens(message["content"])
            if message["role"] == "user":
                heads = [line.partition(": ")[0] for line in at_margin(message["content"])]
                ask = f"Write {me}'s next message, and nothing else."
                wanted = {other, ask, "(opening) What is a town for?"}
                assert set(heads) <= wanted


def test_what_the_commands_print_is_inert(attack: Attacked) -> None:
    for command, shown in attack.shown.items():
        assert not acting(shown), command
    lines = attack.shown["watch --plain"].split("\n")
    assert all(re.match(r"\[main[ \]]|-- |    |\Z", one) for one in lines)
    heard = [one for one in lines if re.match(r"\[main [0-9]+\] (?!--)", one)]
    assert len(heard) == len(attack.heard)
    for one in attack.shown["watch --json"].splitlines():
        json.loads(one)


def test_the_dataset_runs_nowhere_and_holds_every_text(attack: Attacked) -> None:
    csv.field_size_limit(2**24)
    for path in sorted((attack.dataset / "tables").glob("*.csv")):
        raw = path.read_text("utf-8")
        for separators in (",", ",;\t|"):
            assert not [cell for cell in opened(raw, separators) if running(cell)], path.name
    calls = (attack.dataset / "raw" / "calls.jsonl").read_text("utf-8").splitlines()
    answers = [json.loads(json.loads(one)["b"])["response"] for one in calls]
    whole = [one.text.encode("utf-8", "replace").decode() for one in CORPUS]
    assert [len(one) for one in answers[::2]] == [len(one) for one in whole]
