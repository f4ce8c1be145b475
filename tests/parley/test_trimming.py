"""A long run whose beginning is on disk alone: led, served, read and exported as before.

This file is over 300 lines because all of it looks at one long run, made once.
"""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import fakeredis
import pytest

from analytics.export import export_run
from analytics.observer.follow import Arrived, Following
from analytics.observer.status import record, standing
from analytics.recorder.beginnings import Recorded
from analytics.recorder.process import Recorder
from analytics.recorder.trim import Trimmer, spent
from bots.around import Around
from bots.company import Company
from bots.fleet import Fleet
from bots.prompt import Prompt
from orchestrator.leader import Leader
from orchestrator.rules import HASHED_EVERY
from orchestrator.snapshot import freeze
from tests.analytics.recorded import every_file, record_of
from tests.analytics.test_recorder import Brisk
from tests.court import Court, forget
from tests.scenes import spec_of
from tests.swarm import FakeStreams
from utils import keys
from utils.calls import LATEST_CALLS
from utils.clock import SYSTEM_CLOCK, ManualClock
from utils.errors import BadEntry, Missing
from utils.mail import StandingGrant
from utils.slots import Slots
from utils.spec import ChannelSpec
from utils.streams import Entry, Streams

KEEP, REACH = 200, 25
COMMITS = 1_260
FIRST = HASHED_EVERY
"""The commit of the snapshot."""


def talk(court: Court, upto: int) -> None:
    """Let the bots of two channels talk, those of one of them seldom; a call each turn."""
    while court.leader.state.seq < upto:
        live = {grant.event.channel: grant for grant in court.leader.state.live()}
        grant = live["side" if court.arrived % 40 == 0 else "main"]
        call = record_of(court.run, grant, call_id=f"c{court.arrived}").model_dump_json()
        court.streams.append(keys.calls(court.run), call)
        court.arrive(court.answer(grant))
        court.consume()


def write_snapshot(court: Court, upto: int) -> None:
    """Go on to a commit, and write the snapshot of it two commits later."""
    talk(court, upto)
    body = freeze(court.leader.state, spec_sha256=court.leader.course.eras[-1].sha256)
    talk(court, upto + 2)
    assert court.streams.write_snapshot(court.run, body, seq=upto)


def play() -> Court:
    channels = [
        ChannelSpec(name="main", members=("ada", "bo", "cy"), opening="What is a town for?"),
        ChannelSpec(name="side", members=("dee", "eve"), opening="Well?"),
    ]
    court = Court(spec_of(("ada", "bo", "cy", "dee", "eve"), channels=channels, turns=None))
    court.begin()
    write_snapshot(court, FIRST)
    talk(court, COMMITS)
    return court


def copy_of(streams: Streams) -> FakeStreams:
    """Copy a server."""
    redis: Any = streams._redis
    other = FakeStreams(fakeredis.FakeServer())
    for key in redis.keys("*"):
        match redis.type(key):
            case "stream":
                for entry_id, fields in redis.xrange(key):
                    other._redis.xadd(key, fields, id=entry_id)
            case "string":
                other._redis.set(key, redis.get(key))
            case "zset":
                other._redis.zadd(key, dict(redis.zrange(key, 0, -1, withscores=True)))
    return other


class Twins:
    """The same run on two servers, one of them trimmed behind a recorder."""

    def __init__(self, court: Court, recordings: Path) -> None:
        self.run, self.recordings = court.run, recordings
        self.whole = copy_of(court.streams)
        self.trimmed = FakeStreams(court.server)
        self.record(self.trimmed)

    def record(self, streams: FakeStreams, *, reach: int = REACH) -> None:
        trimmer = Trimmer(keep=KEEP, reach=reach)
        Recorder(streams, self.recordings, clock=ManualClock(), trim=trimmer, disk=Brisk()).run(
            until_idle=True
        )

    def reader(self) -> FakeStreams:
        """Open a connection that finds the run's beginning on disk."""
        streams = FakeStreams(self.trimmed.server)
        streams.beginnings = Recorded(self.recordings)
        return streams


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Twins:
    """Hold the run, to be looked at alone."""
    return Twins(play(), tmp_path_factory.mktemp("recordings"))


@pytest.fixture
def others(twins: Twins) -> FakeStreams:
    """Copy the trimmed server, to be changed."""
    return copy_of(twins.trimmed)


def ids(streams: Streams, key: str) -> list[str]:
    return [entry.id for entry in streams.all(key)]


# what is taken, and what stays


def test_the_journal_begins_at_the_snapshot_and_the_floor_with_what_was_not_consumed_before_it(
    twins: Twins,
) -> None:
    journal = list(twins.trimmed.journal(twins.run))
    assert (journal[0].seq, journal[-1].seq) == (FIRST, COMMITS)
    consumed = [one.id for sealed in journal for one in sealed.commit.inputs]
    assert ids(twins.trimmed, keys.floor(twins.run)) == consumed
    assert len(ids(twins.whole, keys.floor(twins.run))) > len(consumed)


def test_the_last_calls_stay_and_all_are_counted(twins: Twins) -> None:
    key = keys.calls(twins.run)
    assert len(ids(twins.whole, key)) > LATEST_CALLS
    assert ids(twins.trimmed, key) == ids(twins.whole, key)[-LATEST_CALLS:]
    assert twins.trimmed.tally(key) == twins.whole.tally(key)


def test_a_channel_keeps_what_bots_remember_and_what_says_who_is_there(twins: Twins) -> None:
    for name in ("main", "side"):
        key = keys.channel(twins.run, name)
        whole, kept = ids(twins.whole, key), ids(twins.trimmed, key)
        old = [one for one in kept if int(one.split("-")[0]) < FIRST]
        assert (kept[0], kept[-1]) == (whole[0], whole[-1])
        assert len(kept) < len(whole)
        assert (name == "side") == (len(old) > 1), "side is so quiet that old words are in reach"


def test_an_inbox_keeps_its_last_entry(twins: Twins) -> None:
    inboxes = twins.whole.names(keys.inbox(twins.run, "*"))
    assert len(inboxes) == 5
    for key in inboxes:
        whole = ids(twins.whole, key)
        recent = [one for one in whole if int(one.split("-")[0]) >= FIRST]
        assert ids(twins.trimmed, key) == (recent or whole[-1:])


def test_no_stream_is_longer_after_the_next_trim(tmp_path: Path) -> None:
    court = play()
    twins = Twins(court, tmp_path)
    names = [keys.journal(court.run), keys.floor(court.run), keys.channel(court.run, "main")]
    before = [twins.trimmed.count(key) for key in names]
    write_snapshot(court, 2 * HASHED_EVERY)
    talk(court, HASHED_EVERY + COMMITS)
    twins.record(twins.trimmed)
    assert [twins.trimmed.count(key) for key in names] == before


def test_nothing_is_taken_while_the_hash_of_the_snapshot_is_not_in_the_journal(
    tmp_path: Path,
) -> None:
    court = Court(spec_of(turns=None))
    court.begin()
    court.talk(200)
    body = freeze(court.leader.state, spec_sha256=court.leader.course.eras[-1].sha256)
    seq = court.leader.state.seq
    court.talk(100)
    assert court.streams.write_snapshot(court.run, body, seq=seq)
    trimmer = Trimmer(keep=50)
    streams = FakeStreams(court.server)
    Recorder(streams, tmp_path, clock=ManualClock(), trim=trimmer, disk=Brisk()).run(
        until_idle=True
    )
    assert len(court.journal) == court.leader.state.seq


def test_nothing_is_taken_behind_a_snapshot_that_is_not_the_one_looked_at(twins: Twins) -> None:
    ends = {"journal": "3000-0", "floor": "9999999999999-0", "calls": "9999999999999-0"}
    assert twins.whole.trim(twins.run, "another", **ends) == -1
    assert twins.whole.count(keys.journal(twins.run)) == COMMITS


def test_a_snapshot_from_before_the_journals_beginning_is_not_written(twins: Twins) -> None:
    before = twins.trimmed.read_snapshot(twins.run)
    assert not twins.trimmed.write_snapshot(twins.run, "{}", seq=FIRST - 1)
    assert twins.trimmed.read_snapshot(twins.run) == before


def test_a_closed_channel_goes_once_no_bot_remembers_it(twins: Twins, others: FakeStreams) -> None:
    gone, recent = keys.channel(twins.run, "gone"), keys.channel(twins.run, "recent")
    others._redis.xadd(gone, {"b": "{}"}, id="7-0")
    others._redis.xadd(recent, {"b": "{}"}, id=f"{FIRST}-0")
    twins.record(others)
    assert others.names(keys.channel(twins.run, "*")) == [
        keys.channel(twins.run, name) for name in ("main", "recent", "side")
    ]


def entry(seq: int, *events: dict[str, Any]) -> Entry:
    return Entry("k", f"{seq}-0", {"b": json.dumps({"events": events})})


def heard(*bots: str) -> dict[str, Any]:
    return {"kind": "heard", "audience": list(bots) or "all"}


def test_an_entry_stays_as_long_as_one_bot_remembers_it() -> None:
    entries = [
        entry(1, {"kind": "channel_opened", "members": ["ada", "bo"]}),
        entry(2, heard("bo")),
        entry(3, heard()),
        entry(4, {"kind": "member_joined", "bot": "cy"}, heard()),
        entry(5, {"kind": "turn_closed"}),
        *(entry(seq, heard("ada")) for seq in range(6, 10)),
        entry(10, {"kind": "turn_closed"}),
    ]

    def gone(reach: int, before: int = 99) -> list[int]:
        left = spent(entries, before=(before, 0), reach=reach)
        return [int(one.split("-")[0]) for one in left]

    assert gone(reach=1) == [2, 3, 5, 6, 7, 8]
    assert gone(reach=2) == [2, 5, 6, 7]
    assert gone(reach=3) == [5, 6]
    assert gone(reach=1, before=6) == [2, 3, 5]
    assert gone(reach=99) == [5]


# who leads


def test_a_standby_leads_from_the_snapshot_as_from_the_whole_journal(twins: Twins) -> None:
    standby = Leader.open(twins.trimmed, twins.run)
    assert standby.state == Leader.open(twins.whole, twins.run).state
    assert standby.state.seq == COMMITS


def test_a_leader_that_finds_neither_beginning_nor_snapshot_refuses(
    twins: Twins, others: FakeStreams
) -> None:
    others.drop([keys.snapshot(twins.run)])
    with pytest.raises(BadEntry, match="begins at commit 1,000, and there is no snapshot"):
        Leader.open(others, twins.run)


def test_who_led_from_a_snapshot_mends_what_the_server_forgets(
    twins: Twins, others: FakeStreams
) -> None:
    standby = Leader.open(others, twins.run)
    forget(fakeredis.FakeRedis(server=others.server), twins.run, after=COMMITS - 20)
    standby.recover(now_ms=standby.state.at_ms + 5)
    held = list(others.journal(twins.run))
    assert [sealed.seq for sealed in held] == list(range(FIRST, COMMITS + 2))
    assert held[-1].commit.events[0].kind == "incident"


# who is served


def prompt_of(streams: Streams, leader: Leader, bot: str) -> Prompt:
    """Build a prompt as a host does that seats the bot just now."""
    around = Around(ollama_hosts=("http://127.0.0.1:1",))
    fleet = Fleet(Slots(streams, each=1, ttl_ms=1_000), SYSTEM_CLOCK)
    company = Company(leader.run, leader.rules.spec, around=around, fleet=fleet)
    spec = next(one for one in leader.rules.spec.bots if one.name == bot)
    seat = company.seat(spec, now_ms=0)
    company.enter(streams, bot, leader.state.rooms[bot], on_page=lambda: None)
    live = next(one for one in leader.state.live() if one.event.channel in seat.hearing.rooms)
    event = live.event.model_copy(update={"bot": bot})
    grant = StandingGrant(event=event, seq=live.seq, commit_sha256=live.commit_sha256)
    return company.prepare("host", seat, grant).prompt


@pytest.mark.parametrize("bot", ["ada", "bo", "cy", "dee", "eve"])
def test_a_host_that_seats_a_bot_after_trimming_builds_the_same_prompt(
    bot: str, twins: Twins
) -> None:
    leader = Leader.open(twins.whole, twins.run)
    before, after = (prompt_of(one, leader, bot) for one in (twins.whole, twins.trimmed))
    assert before == after
    assert len(before.exposures) > 10


def test_a_reach_below_what_is_remembered_would_change_a_prompt(
    twins: Twins, others: FakeStreams
) -> None:
    leader = Leader.open(twins.whole, twins.run)
    twins.record(others, reach=3)
    assert prompt_of(twins.whole, leader, "eve") != prompt_of(others, leader, "eve")


# who reads


def test_an_export_of_a_trimmed_run_has_the_same_bytes(twins: Twins, tmp_path: Path) -> None:
    export_run(twins.whole, twins.run, tmp_path / "whole")
    export_run(twins.reader(), twins.run, tmp_path / "trimmed")
    assert every_file(tmp_path / "trimmed") == every_file(tmp_path / "whole")


def commits_of(streams: Streams, run: str) -> list[int]:
    following = Following(streams, run, clock=ManualClock())
    seqs: list[int] = []
    while came := following.read(count=400):
        seqs += [one.sealed.seq for one in came if isinstance(one, Arrived)]
    return seqs


def test_a_trimmed_run_is_watched_from_its_start(twins: Twins) -> None:
    assert commits_of(twins.reader(), twins.run) == list(range(1, COMMITS + 1))


def test_a_trimmed_run_stands_as_the_whole_one(twins: Twins) -> None:
    def told(streams: Streams) -> dict[str, object]:
        return {**record(standing(streams, twins.run)), "at_ms": 0, "left_ms": 0, "floor": 0}

    ours, theirs = told(twins.reader()), told(twins.whole)
    for name in ("run_ms", "turns_per_minute"):
        del ours[name], theirs[name]
    assert ours == theirs


def test_without_the_recording_a_reader_is_told_where_the_beginning_is(
    twins: Twins, tmp_path: Path
) -> None:
    streams = twins.reader()
    streams.beginnings = Recorded(tmp_path / "nowhere")
    with pytest.raises(Missing, match=r"from commit 1,000 on; .* PARLEY_RECORDINGS=DIR"):
        export_run(streams, twins.run, tmp_path / "out")


def test_a_recording_of_another_run_is_refused_where_it_should_join(
    twins: Twins, tmp_path: Path
) -> None:
    shutil.copytree(twins.recordings, tmp_path / "other")
    segment = tmp_path / "other" / twins.run / "journal" / f"{1:010}.jsonl.gz"
    lines = gzip.decompress(segment.read_bytes()).splitlines(keepends=True)
    assert len(lines) == 1_000
    lines[-1] = lines[-1].replace(b'\\"v\\":1', b'\\"v\\":2')
    segment.write_bytes(gzip.compress(b"".join(lines)))
    reader = twins.reader()
    reader.beginnings = Recorded(tmp_path / "other")
    with pytest.raises(BadEntry, match="recorded as commit 1,000 is not what the server holds"):
        commits_of(reader, twins.run)


def test_a_run_that_was_never_trimmed_needs_no_recording(twins: Twins, tmp_path: Path) -> None:
    whole = FakeStreams(twins.whole.server)
    whole.beginnings = Recorded(tmp_path / "nowhere")
    assert commits_of(whole, twins.run) == list(range(1, COMMITS + 1))
    assert len(ids(whole, keys.calls(twins.run))) > LATEST_CALLS
