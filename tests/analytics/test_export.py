"""A run becomes a folder: whole, exact, and the same every time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.cells import restored
from analytics.export import export_run
from analytics.tables import TABLES
from tests.analytics.recorded import RUN, Recorded, every_file, read_table
from tests.scenes import spec_of
from tests.swarm import fake_streams, fake_swarm
from utils import keys
from utils.callfile import call_from_line
from utils.errors import BadEntry, BadInput
from utils.journal import Commit, chain, from_line, seal
from utils.spec import ModelSpec
from utils.streams import Entry, Streams

NASTY = [
    '=HYPERLINK("http://example.org/?"&A1)',
    "+1, -1, @all",
    "-2+3",
    "@SUM(A1)",
    "'tis quoted",
    'one\nline,\tand "another"\r\nof three',
    "\x1b[2J\x1b]0;title\x07 gone",
    "literally \\x1b",
    "a\u2028b\u2029c\x85d",
    "🎈🧑‍🚀 \u202e\u05e9\u05dc\u05d5\u05dd",
    "comma, semicolon; pipe|",
]


def closed_run(turns: int = 6) -> Recorded:
    return Recorded(spec_of(turns=turns)).begin().talk(turns).close().write()


# what is in it


def test_the_folder_holds_the_raw_records_the_tables_and_the_codebook(tmp_path: Path) -> None:
    run = closed_run()
    exported = export_run(run.streams, RUN, tmp_path / "tea")
    tables = sorted(TABLES)
    raw = ["calls.jsonl", "journal.jsonl", "spec.json"]
    expected = ["codebook.csv", "manifest.json", *(f"raw/{one}" for one in raw)]
    assert list(every_file(tmp_path / "tea")) == expected + [f"tables/{one}.csv" for one in tables]
    assert (exported.folder, exported.phase, exported.run) == (tmp_path / "tea", "closed", RUN)
    assert exported.rows == {table: len(read_table(exported.folder, table)) for table in tables}
    assert (exported.rows["messages"], exported.rows["turns"], exported.rows["calls"]) == (7, 6, 6)


def test_the_raw_records_are_exact(tmp_path: Path) -> None:
    run = closed_run()
    folder = export_run(run.streams, RUN, tmp_path / "tea").folder
    assert (folder / "raw" / "spec.json").read_bytes() == run.body.encode()
    with (folder / "raw" / "journal.jsonl").open() as lines:
        assert list(chain(from_line(line) for line in lines)) == run.table.journal
    with (folder / "raw" / "calls.jsonl").open() as lines:
        assert [call_from_line(line) for line in lines] == run.calls()


def test_every_file_has_line_ends_of_one_kind_and_no_mark_at_its_beginning(tmp_path: Path) -> None:
    run = Recorded(spec_of(turns=len(NASTY))).begin()
    for text in NASTY:
        run.say(text)
    export_run(run.write().streams, RUN, tmp_path / "tea")
    for name, octets in every_file(tmp_path / "tea").items():
        assert b"\r" not in octets, name
        assert not octets.startswith(b"\xef\xbb\xbf")
        assert octets.endswith(b"\n") or name == "raw/spec.json"


def test_nasty_text_is_safe_in_the_tables_and_comes_back(tmp_path: Path) -> None:
    run = Recorded(spec_of(turns=len(NASTY))).begin()
    for text in NASTY:
        run.say(text)
    folder = export_run(run.write().streams, RUN, tmp_path / "tea").folder
    cells = [row["text"] for row in read_table(folder, "messages")[1:]]
    assert [restored(one) for one in cells] == NASTY
    assert not any(one.startswith(("=", "+", "-", "@")) or "\x1b" in one for one in cells)
    answers = [restored(row["answer"]) for row in read_table(folder, "calls")]
    assert answers == NASTY
    said = [call.record.said for call in run.calls() if call.record]
    assert said == NASTY


def test_labels_are_the_last_columns_of_every_table_and_of_the_codebook(tmp_path: Path) -> None:
    spec = spec_of(turns=2).model_copy(update={"labels": {"study": "=s", "arm": "treated"}})
    run = Recorded(spec).begin().talk(2).close().write()
    folder = export_run(run.streams, RUN, tmp_path / "tea").folder
    for path in (folder / "tables").iterdir():
        rows = read_table(folder, path.stem)
        header = path.read_text().splitlines()[0].split(",")
        assert (header[0], header[-2:]) == ("run_id", ["label_arm", "label_study"])
        for row in rows:
            assert (row["run_id"], row["label_arm"], row["label_study"]) == (RUN, "treated", "'=s")
    assert (folder / "codebook.csv").read_text().count(",label_arm,") == len(TABLES)


def test_two_exports_of_a_closed_run_are_the_same_bytes(tmp_path: Path) -> None:
    run = closed_run()
    export_run(run.streams, RUN, tmp_path / "one")
    late = run.calls()[0].body
    run.streams.append(keys.calls(RUN), late)
    export_run(run.streams, RUN, tmp_path / "two")
    assert every_file(tmp_path / "one") == every_file(tmp_path / "two")


def test_a_run_of_a_whole_swarm_is_exported(tmp_path: Path) -> None:
    spec = spec_of(turns=12, model=ModelSpec(mind="scripted", lines=("Well.", "Bo, you?")))
    with fake_swarm() as swarm:
        swarm.orchestrator()
        for _ in spec.bots:
            swarm.host()
        run = swarm.seed(spec)
        swarm.finish(run)
        folder = export_run(swarm.streams, run, tmp_path / "tea").folder
    (row,) = read_table(folder, "runs")
    assert (row["phase"], row["turns"], row["messages"]) == ("closed", "12", "13")
    assert row["calls"] == row["calls_counted"]
    named = {row["call_sha256"] for row in read_table(folder, "messages")[1:]}
    assert named == {row["call_sha256"] for row in read_table(folder, "calls")}


# a run that goes on


def test_a_live_run_is_cut_at_one_commit_and_says_so(tmp_path: Path) -> None:
    run = Recorded().begin().talk(3).write()
    seen = len(run.table.journal)
    run.streams = Meanwhile(run)
    exported = export_run(run.streams, RUN, tmp_path / "tea")
    (row,) = read_table(exported.folder, "runs")
    assert (row["phase"], exported.phase) == ("running", "running")
    assert (row["commits"], row["messages"], row["calls"]) == (str(seen), "4", "3")
    assert len(run.table.journal) > seen
    assert read_table(exported.folder, "turns")[-1]["outcome"] == "live"


def test_a_run_that_nobody_leads_yet_has_tables_all_the_same(tmp_path: Path) -> None:
    exported = export_run(Recorded().streams, RUN, tmp_path / "tea")
    assert (exported.phase, exported.rows["messages"], exported.rows["bots"]) == ("new", 0, 3)


def test_a_run_of_many_pages_is_exported_whole_and_tells_how_far_it_is(tmp_path: Path) -> None:
    run = closed_run(turns=500)
    told: list[tuple[int, int]] = []
    exported = export_run(
        run.streams, RUN, tmp_path / "tea", progress=lambda done, of: told.append((done, of))
    )
    assert (exported.rows["messages"], exported.rows["calls"]) == (501, 500)
    assert told == [(done, 1_005) for done in (200, 400, 600, 800, 1_000)]


# what is refused


def test_an_unknown_run_is_refused_with_the_nearest_there_is(tmp_path: Path) -> None:
    run = closed_run()
    with pytest.raises(BadInput, match=r"unknown run 'tea-2'; did you mean 'tea-1'\?") as caught:
        export_run(run.streams, "tea-2", tmp_path / "tea")
    assert "parley runs" in str(caught.value)
    with pytest.raises(BadInput, match="unknown run 'quark'; parley runs"):
        export_run(run.streams, "quark", tmp_path / "tea")
    with pytest.raises(BadInput, match="is not a name"):
        export_run(run.streams, "../tea", tmp_path / "tea")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"exists; choose another, remove it, or add --replace"):
        export_run(closed_run().streams, RUN, tmp_path)


def test_an_interrupted_export_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(done: int, of: int) -> None:
        raise KeyboardInterrupt

    run = closed_run(turns=300)
    with pytest.raises(KeyboardInterrupt):
        export_run(run.streams, RUN, tmp_path / "tea", progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_nothing_looks_whole_before_it_is(tmp_path: Path) -> None:
    seen: set[str] = set()

    def look(done: int, of: int) -> None:
        seen.update(path.name for path in tmp_path.rglob("*"))

    run = closed_run(turns=300)
    export_run(run.streams, RUN, tmp_path / "tea", progress=look)
    assert {".tea.partial", "messages.csv"} <= seen
    assert not {"tea", "manifest.json"} & seen


@pytest.mark.parametrize("damage", ["byte", "gap", "prev", "bad utf-8", "not json"])
def test_a_broken_journal_is_one_line_that_says_where(tmp_path: Path, damage: str) -> None:
    run = closed_run()
    broken = fake_streams()
    for copied in (keys.calls(RUN), keys.RUNS):
        for entry in run.streams.all(copied):
            broken.append(copied, entry.body)
    broken._redis.set(keys.spec(RUN), run.body)
    for entry in damaged(run, damage):
        octets = {
            name: each.encode(errors="surrogateescape") for name, each in entry.fields.items()
        }
        broken._redis.xadd(keys.journal(RUN), octets, id=entry.id)
    with pytest.raises(BadEntry, match=r"^journal 5: ") as caught:
        export_run(broken, RUN, tmp_path / "tea")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def damaged(run: Recorded, damage: str) -> Iterator[Entry]:
    """List a journal's entries with something wrong in commit 5."""
    for entry in run.streams.all(keys.journal(RUN)):
        body, sha256 = entry.body, entry.fields["h"]
        if entry.id == "4-0" and damage == "gap":
            continue
        if entry.id == "5-0" and damage == "byte":
            body = body.replace("Line", "Lime")
        if entry.id == "5-0" and damage == "prev":
            forged = seal(Commit.model_validate_json(body).model_copy(update={"prev": "f" * 64}))
            body, sha256 = forged.body, forged.sha256
        if entry.id == "5-0" and damage == "bad utf-8":
            body += "\udcff"
        if entry.id == "5-0" and damage == "not json":
            body = "{"
        yield Entry(entry.key, entry.id, {"b": body, "h": sha256})


def test_a_journal_that_lost_its_end_meanwhile_is_refused(tmp_path: Path) -> None:
    run = closed_run()

    class Forgetful(type(run.streams)):  # type: ignore[misc]
        def top(self, key: str) -> Entry | None:
            top: Entry | None = super().top(key)
            self._redis.xdel(key, top.id if top else "0-0")
            return top

    with pytest.raises(BadEntry, match="a moment ago"):
        export_run(Forgetful(run.streams.server), RUN, tmp_path / "tea")  # type: ignore[attr-defined]


def test_a_spec_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    streams = fake_streams()
    streams.register(RUN, spec="{}", entry="{}", now_ms=1)
    with pytest.raises(BadEntry, match="spec: no scenario: field scenario"):
        export_run(streams, RUN, tmp_path / "tea")


class Meanwhile(Streams):
    """A connection over which a run is seen to go on, with each look at its calls."""

    def __init__(self, run: Recorded) -> None:
        super().__init__("fake://", client=run.streams._redis)
        self._run = run

    def tally(self, key: str) -> tuple[int, str]:
        told = super().tally(key)
        self._run.talk(2).write()
        return told
