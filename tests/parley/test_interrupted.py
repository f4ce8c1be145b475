"""Ctrl-C in the middle: nothing is lost, and nothing is left running."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path


def test_ctrl_c_ends_the_run_in_order_writes_the_dataset_and_leaves_with_130(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "parley", "run", "salon", "--offline", "--turns", "5000"]
    with subprocess.Popen(
        [*command, "--plain", "--out", "tea"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PARLEY_HOME": str(tmp_path / "home"), "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("[main 5]"):
                break
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        said = process.stderr.read()
        assert process.wait(timeout=60) == 130, said
    assert "Traceback" not in said
    assert "dataset: tea" in rest
    with (tmp_path / "tea" / "tables" / "runs.csv").open(newline="") as file:
        (run,) = csv.DictReader(file)
    assert run["phase"] == "closed"
    assert 5 <= int(run["turns"]) < 5000
    assert not (tmp_path / "home" / "redis.sock").exists(), "the embedded server still runs"
