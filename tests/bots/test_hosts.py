"""Hosts and their seats, over a server inside this process or a real one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from analytics.observer.status import report, standing
from bots.runtime import Host
from tests.findings import found, found_again, record_of
from tests.scenes import spec_of
from tests.swarm import Swarm, fake_swarm, happened, timeless_swarm, transcript
from utils import keys
from utils.calls import CallRecord
from utils.clock import ManualClock
from utils.journal import sha256_of
from utils.protocol import Granted
from utils.server import EmbeddedServer
from utils.spec import ChannelSpec, FloorSpec, MemorySpec, ModelSpec, Spec
from utils.streams import Streams

MANY = 200


def many(turns: int) -> Spec:
    return spec_of(bots=[f"bot-{number:03}" for number in range(MANY)], turns=turns)


def prompts(swarm: Swarm, run: str) -> list[CallRecord]:
    entries = swarm.streams.all(keys.calls(run))
    return [CallRecord.model_validate_json(entry.body) for entry in entries]


def test_one_host_of_200_seats_and_200_hosts_of_one_say_the_same(tmp_path: Path) -> None:
    said = []
    with EmbeddedServer.open(tmp_path, fsync="everysec") as server:
        for hosts, seats in ((1, MANY), (MANY, 1)):
            swarm = Swarm(lambda: Streams(server.url), lease_ms=60_000)
            swarm.orchestrator()
            for _ in range(hosts):
                swarm.host(seats)
            journal = swarm.finish(swarm.seed(many(turns=MANY + 20)))
            said.append(transcript(journal))
            swarm.close()
    assert said[0] == said[1]
    assert len(said[0]) == MANY + 21


def test_hosts_share_the_seats_and_no_bot_is_served_twice() -> None:
    with fake_swarm() as swarm:
        swarm.orchestrator()
        hosts = [swarm.host(2) for _ in range(3)]
        run = swarm.seed(spec_of(bots=["ada", "bo", "cy", "dot", "gus"]))
        swarm.until(lambda: run in swarm.orchestrators[0].led)
        swarm.until(lambda: swarm.orchestrators[0].led[run].state.phase == "running")
        served = Counter(
            bot
            for host in hosts
            for company in host.places.companies.values()
            for bot in company.seats
        )
        assert served == dict.fromkeys(["ada", "bo", "cy", "dot", "gus"], 1)


def test_a_host_that_leaves_lets_another_take_its_seats_at_once_and_the_run_goes_on() -> None:
    with fake_swarm() as swarm:
        swarm.orchestrator()
        first = swarm.host(3)
        run = swarm.seed(spec_of(turns=30))
        swarm.until(lambda: run in swarm.orchestrators[0].led)
        swarm.until(lambda: swarm.orchestrators[0].led[run].state.turns >= 10)
        swarm.hosts.remove(first)
        first.leave()
        swarm.host(3)
        journal = swarm.finish(run)
    assert [line[1] for line in transcript(journal)] == list(range(31))


def dies_with_a_grant(swarm: Swarm, host: Host, run: str) -> Granted:
    """Let a host die before it reads of a grant to one of its bots; the grant."""
    leader = swarm.orchestrators[0].led[run]
    answered = leader.state.epochs
    swarm.hosts.remove(host)
    lost: list[Granted] = []

    def is_granted() -> bool:
        lost.extend(
            grant.event
            for grant in leader.state.live()
            if grant.event.epoch > answered
            and leader.state.seats[grant.event.bot].host == host.name
        )
        return bool(lost)

    swarm.until(is_granted)
    return lost[0]


def pass_leases(swarm: Swarm, clock: ManualClock, dead: Host, run: str, *, thirds: int) -> None:
    """Let time pass, by thirds of a lease, in which a dead host's leases lapse."""
    for bot in dead.places.companies[run].seats:
        swarm.streams.release_lease(keys.seat(run, bot), dead.name)
    for _ in range(thirds):
        clock.advance(dead.lease_ms // 3)
        swarm.step()


def test_the_grant_of_a_dead_host_is_answered_by_the_host_that_takes_its_seats() -> None:
    with timeless_swarm() as (swarm, clock):
        orchestrator, dead = swarm.orchestrator(), swarm.host(3)
        run = swarm.seed(spec_of(turns=30, policy="random"))
        swarm.until(lambda: run in orchestrator.led and orchestrator.led[run].state.turns >= 10)
        grant = dies_with_a_grant(swarm, dead, run)
        heir = swarm.host(3)
        pass_leases(swarm, clock, dead, run, thirds=4)
        swarm.finish(run)
        record = record_of(swarm.streams, run)
        plain = swarm.finish(swarm.seed(spec_of(turns=30, policy="random")))
    assert found(record, turns=30) == []
    assert found_again(record) == []
    assert not happened(record.journal, "revoked")
    assert transcript(record.journal) == transcript(plain)
    (call,) = [call for call in record.calls if call.epoch == grant.epoch]
    assert (call.host, call.seed, call.bot) == (heir.name, grant.seed, grant.bot)


def test_a_host_seated_anew_while_it_answers_answers_again_under_its_new_number() -> None:
    with timeless_swarm() as (swarm, _):
        orchestrator, host = swarm.orchestrator(), swarm.host(3)
        run = swarm.seed(spec_of(turns=20))
        swarm.until(lambda: run in orchestrator.led and orchestrator.led[run].state.turns >= 10)
        grant = dies_with_a_grant(swarm, host, run)
        company = host.places.companies[run]
        # Thought lost, and its lease lapsed: it asks twice for one seat before it has it.
        host.places.join(company, company.seats[grant.bot])
        orchestrator.step(block_ms=0)
        host.places.join(company, company.seats[grant.bot])
        swarm.hosts.append(host)
        for _ in range(10):
            swarm.step()
        turns = orchestrator.led[run].state.turns
        whys = [event.why for event in happened(swarm.journal(run), "rejected")]
    assert "old_seat" in whys, "its answer was not overtaken: this shows nothing"
    assert turns > grant.turn


def test_a_bot_that_no_host_serves_costs_one_turns_wait_and_is_told_in_the_status() -> None:
    with timeless_swarm() as (swarm, clock):
        orchestrator, _ = swarm.orchestrator(), swarm.host(2)
        run = swarm.seed(spec_of(turns=40, policy="random", floor=FloorSpec(allow_s=60)))
        swarm.until(lambda: run in orchestrator.led)
        leader = orchestrator.led[run]
        swarm.until(lambda: len(leader.state.seats) == 2)
        dead = swarm.host(1)
        swarm.until(lambda: leader.state.turns >= 10)
        lost = dies_with_a_grant(swarm, dead, run)
        pass_leases(swarm, clock, dead, run, thirds=7)
        swarm.until(lambda: leader.state.turns >= lost.turn + 10)
        lines = report(standing(swarm.streams, run))
        alone = leader.state.seq
        swarm.host(1)
        journal = swarm.finish(run)
    assert any(f"no host serves {lost.bot.capitalize()}" in line for line in lines)
    assert [one.bot for one in happened(journal, "revoked")] == [lost.bot]
    (again,) = [one for one in happened(journal, "granted") if one.tries]
    assert (again.turn, again.tries) == (lost.turn, 1)
    assert again.bot != lost.bot
    granted = [(sealed.seq, one) for sealed in journal for one in happened([sealed], "granted")]
    meanwhile = [one.bot for seq, one in granted if one.epoch > lost.epoch and seq <= alone]
    assert len(meanwhile) > 10
    assert lost.bot not in meanwhile
    assert lost.bot in [one.bot for seq, one in granted if seq > alone]


def test_in_a_ring_each_bot_hears_only_its_neighbours_and_itself() -> None:
    ring = ["ada", "bo", "cy", "dot", "gus", "ivy", "jun", "kit", "mo", "noor"]
    spec = spec_of(bots=ring, hears="neighbours", turns=60, memory=MemorySpec(amount=100))
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(10)
        run = swarm.seed(spec)
        swarm.finish(run)
        calls = prompts(swarm, run)
    assert len(calls) == 60
    heard_from: dict[str, set[str]] = {bot: set() for bot in ring}
    for call in calls:
        text = "\n".join(message.content for message in call.messages[1:])
        heard_from[call.bot] |= {bot for bot in ring if f"{bot} says" in text}
    for place, bot in enumerate(ring):
        assert heard_from[bot] == {ring[place - 1], bot, ring[(place + 1) % 10]}


def test_a_bot_in_two_channels_remembers_both_and_each_line_has_its_channel() -> None:
    channels = [
        ChannelSpec(name="kitchen", members=("ada", "bo"), opening="Who cooks?", turns=6),
        ChannelSpec(name="garden", members=("ada", "cy"), opening="Who digs?", turns=6),
    ]
    spec = spec_of(channels=channels, turns=None, memory=MemorySpec(scope="all"))
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(3)
        run = swarm.seed(spec)
        swarm.finish(run)
        last = [call for call in prompts(swarm, run) if call.bot == "ada"][-1]
        others = [call for call in prompts(swarm, run) if call.bot == "bo"]
    text = "\n".join(message.content for message in last.messages)
    assert "[kitchen] Bo: bo says" in text
    assert "[garden] Cy: cy says" in text
    assert all("garden" not in message.content for call in others for message in call.messages)


def test_every_call_names_what_its_prompt_held_and_what_was_left_out() -> None:
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(3)
        run = swarm.seed(spec_of(turns=12, memory=MemorySpec(amount=3)))
        journal = swarm.finish(run)
        calls = prompts(swarm, run)
    heard = [event.message_id for event in happened(journal, "heard")]
    for number, call in enumerate(calls):
        before = heard[: number + 1]
        seen = [one.item for one in call.exposures if one.seen]
        left = [one.item for one in call.exposures if not one.seen]
        assert seen == before[-3:]
        assert left == before[:-3][-1:]


def test_the_seed_of_each_call_is_the_grants_and_each_proposal_names_its_call() -> None:
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(3)
        run = swarm.seed(spec_of(turns=9))
        journal = swarm.finish(run)
        entries = list(swarm.streams.all(keys.calls(run)))
    granted = {event.epoch: event.seed for event in happened(journal, "granted")}
    acted = {event.call_sha256 for event in happened(journal, "acted")}
    assert {sha256_of(entry.body) for entry in entries} == acted
    for entry in entries:
        call = CallRecord.model_validate_json(entry.body)
        assert call.seed == granted[call.epoch]


def test_a_mind_that_gives_nothing_passes_and_the_talk_goes_on() -> None:
    model = ModelSpec(mind="scripted", lines=("Yes.", "", "No."))
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(3)
        journal = swarm.finish(swarm.seed(spec_of(turns=6, model=model)))
    outcomes = [event.outcome for event in happened(journal, "turn_closed")]
    assert outcomes == ["acted", "passed", "acted"] * 2


def test_garbage_on_a_live_floor_is_rejected_and_the_run_goes_on() -> None:
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(3)
        run = swarm.seed(spec_of(turns=12))
        raw = swarm.streams._redis
        floor = keys.floor(run)
        raw.xadd(floor, {"b": b"\xff\xfe\x00"})
        raw.xadd(floor, {"x": "1", "y": "2"})
        raw.xadd(floor, {"b": "x" * 1_000_000})
        raw.xadd(floor, {"b": "[" * 50_000})
        raw.xadd(floor, {"b": '{"kind":"proposed","author":"h","nonce":"n","bot":7}'})
        journal = swarm.finish(run)
    whys = Counter(event.why for event in happened(journal, "rejected"))
    assert whys == {"garbage": 5}
    assert len(transcript(journal)) == 13


def test_a_host_whose_server_forgot_the_last_words_takes_its_seats_anew() -> None:
    with fake_swarm() as swarm:
        orchestrator = swarm.orchestrator()
        host = swarm.host(3)
        run = swarm.seed(spec_of(turns=30))
        swarm.until(lambda: run in orchestrator.led and orchestrator.led[run].state.turns >= 10)
        channel = keys.channel(run, "main")
        heard = host.places.companies[run].positions[channel]
        swarm.streams._redis.xdel(channel, heard)
        host.is_connected = False  # as after a broken connection
        before = {bot: seat.number for bot, seat in host.places.companies[run].seats.items()}
        journal = swarm.finish(run)
    seats = {event.bot: event.seat for event in happened(journal, "seated")}
    assert all(seats[bot] > number for bot, number in before.items())
    assert [line[1] for line in transcript(journal)] == list(range(31))
