"""`parley offline-model`, refused and run as a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from parley.commands.offline_model import command
from utils.errors import BadInput


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--model", "tiny,speed=3"], "'tiny,speed=3' is no model to offer; write NAME"),
        (["--model", "tiny,slots=0"], "0 slots; give a number above 0"),
        (["--faults", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(command, ["--port", "0", *arguments])
    assert isinstance(result.exception, BadInput)
    assert told in str(result.exception)


def test_the_server_offers_and_plays_what_it_is_told(tmp_path: Path) -> None:
    plan = tmp_path / "faults.yaml"
    plan.write_text("faults: [{fault: busy, calls: [1]}]\n")
    told = ["--port", "0", "--model", "tiny,size_mb=1300,slots=1", "--faults", str(plan)]
    asked = {"model": "tiny", "messages": [{"role": "user", "content": "What is a town for?"}]}
    with subprocess.Popen(
        [sys.executable, "-m", "parley", "offline-model", *told], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        with httpx.Client(base_url=url, trust_env=False, timeout=20) as http:
            (listed,) = http.get("/api/tags").json()["models"]
            statuses = [http.post("/api/chat", json=asked).status_code for _ in range(2)]
        process.terminate()
    assert (listed["name"], listed["size"]) == ("tiny:latest", 1_300_000_000)
    assert statuses == [503, 200]
    assert process.returncode == 0
