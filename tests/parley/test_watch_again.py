"""`parley watch` of what is over: a dataset, or a finished run, at any speed."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analytics.export import export_run
from parley.commands import watch
from parley.replay import Shown, Wished, record_in, record_of, replay
from tests.analytics.recorded import Recorded
from tests.analytics.test_replaying import Naps
from tests.parley.stage import Stage
from tests.scenes import spec_of
from utils.errors import BadEntry, BadInput


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run = Recorded(spec_of(turns=4)).begin()
    for number in range(4):
        run.say(f"Line {number}.", after_ms=3_000)
    run.close().write()
    return export_run(run.streams, run.run, tmp_path / "tea").folder


def watched(*arguments: object) -> Result:
    return CliRunner().invoke(watch.command, [str(one) for one in arguments])


def played(folder: Path, speed: str | None = None, seek: str | None = None, **shown: object) -> str:
    """Play a dataset on plain lines; what was shown, with the time that was waited before."""
    clock, out = Naps(), io.StringIO()
    record, wished = record_in(str(folder)), Wished.parse(speed, seek, channel=None)
    replay(record, wished, Shown("plain", **shown), out=out, clock=clock)  # type: ignore[arg-type]
    return f"{sum(clock.slept_ms):.0f} ms\n{out.getvalue()}"


def test_a_dataset_is_shown_to_its_end_and_nothing_is_waited_for(folder: Path) -> None:
    told = watched(folder)
    assert told.exit_code == 0, told.exception
    lines = told.stdout.splitlines()
    assert lines[0].startswith("-- run tea-1: tea, seed 7")
    assert [line for line in lines if ": Line" in line] == [
        f"[main {number + 1}] {'Ada Bo Cy Ada'.split()[number]}: Line {number}."
        for number in range(4)
    ]
    assert lines[-1] == "-- the record is closed: 4 turns, 4 calls"


def test_as_json_every_event_is_a_line_as_of_a_live_run(folder: Path) -> None:
    lines = [json.loads(line) for line in watched(folder, "--json").stdout.splitlines()]
    journal = record_in(str(folder)).commits()
    assert [one["kind"] for one in lines] == [
        event.kind for sealed in journal for event in sealed.commit.events
    ]


def test_asked_for_a_speed_plain_lines_wait_too(folder: Path) -> None:
    waits = {speed: played(folder, speed).split("\n", 1) for speed in ("1", "4", "max", "0")}
    assert {speed: first for speed, (first, _) in waits.items()} == {
        "1": "12000 ms",
        "4": "3000 ms",
        "max": "0 ms",
        "0": "0 ms",
    }
    assert len({rest for _, rest in waits.values()}) == 1


def test_what_is_before_the_place_sought_is_not_shown(folder: Path) -> None:
    shown = played(folder, "1", "turn:3")
    assert shown.startswith("6000 ms\n")
    assert "Line 1." in shown, "it is said in the commit that grants turn 3"
    assert "Line 0." not in shown


def test_a_run_that_is_over_is_played_from_the_server_and_one_that_is_not_is_refused() -> None:
    stage = Stage()
    stage.begin()
    with pytest.raises(BadInput, match="is not over, and cannot be played again yet; watch it"):
        record_of(stage.streams, stage.run)
    stage.close()
    stage.streams.retire(stage.run)
    out = io.StringIO()
    replay(record_of(stage.streams, stage.run), Wished(), Shown("plain"), out=out, clock=Naps())
    assert out.getvalue().endswith("-- the record is closed: 0 turns, 0 calls\n")


def test_a_record_that_was_cut_off_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    run = Recorded(spec_of(turns=4)).begin().talk(2).write()
    folder = export_run(run.streams, run.run, tmp_path / "tea").folder
    assert played(folder).rstrip().endswith("Bo: Line 1.")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--speed", "quick"), "--speed: 'quick' is no speed; give a number, such as 4, or max"),
        (("--speed", "-1"), "--speed: '-1' is no speed"),
        (("--speed", "nan"), "--speed: 'nan' is no speed"),
        (("--seek", "turn:9"), "--seek: the record ends before turn:9"),
        (("--seek", "nowhere"), "--seek: 'nowhere' is no place in a run"),
        (("--from", "now"), "--from: a record has no now; leave it out"),
        (("--channel", "mian"), "--channel: run tea-1 has no channel 'mian'; did you mean 'main'?"),
    ],
)
def test_what_cannot_be_is_bad_input(folder: Path, arguments: tuple[str, str], why: str) -> None:
    told = watched(folder, *arguments)
    assert isinstance(told.exception, BadInput)
    assert str(told.exception).startswith(why)


def test_a_folder_that_is_no_dataset_and_one_that_is_damaged_are_said_to_be(folder: Path) -> None:
    told = watched(folder / "raw")
    assert isinstance(told.exception, BadInput)
    assert "no dataset at" in str(told.exception)
    journal = folder / "raw" / "journal.jsonl"
    journal.write_text(journal.read_text()[:-9])
    told = watched(folder)
    assert isinstance(told.exception, BadEntry)
    assert "journal.jsonl:" in str(told.exception)


def test_interrupted_it_says_where_to_go_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Impatient(Naps):
        def sleep_s(self, seconds: float) -> None:
            raise KeyboardInterrupt

    record = record_in(str(folder))
    with pytest.raises(SystemExit) as left:
        replay(record, Wished(1.0), Shown("plain"), out=io.StringIO(), clock=Impatient())
    assert left.value.code == 130
    assert capsys.readouterr().err == f"go on with: parley watch {folder} --seek 5\n"
