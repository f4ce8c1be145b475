"""A model at several servers: who is asked, how long one waits, and what is given back."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, Thread

import pytest

from bots.fleet import Fleet
from bots.minds.breaker import Breaker
from bots.minds.seam import About, Answer, Request
from bots.minds.stop import Stop
from bots.patience import Patience
from bots.served import Served, admitted
from tests.bots.asking import request
from tests.swarm import fake_streams
from utils.calls import Source
from utils.clock import SYSTEM_CLOCK, wait_until
from utils.errors import MindFailed, Missing
from utils.slots import Load, Slots
from utils.spec import Option
from utils.streams import Streams

A, B = "http://a:1", "http://b:1"
SOON_MS = 20_000


class Fake:
    """A mind at one server, which does what it is told."""

    source: Source = "model"
    waits = True

    def __init__(self, url: str, answer: Callable[[], Answer] | None = None) -> None:
        self.url, self.asked = url, 0
        self._answer = answer or (lambda: Answer(text=url, answer_tokens=10, answer_ns=10**9))
        self.is_there = True

    @property
    def about(self) -> About:
        return About(server=self.url)

    def preflight(self) -> None:
        if not self.is_there:
            raise Missing(f"no model server at {self.url}")

    def answer(self, request: Request, stop: object) -> Answer:
        self.asked += 1
        return self._answer()

    def sends(self, request: Request) -> dict[str, Option]:
        return {"top_k": 1}

    def close(self) -> None:
        pass


def refuse() -> Answer:
    raise MindFailed("unreachable", "no route", retryable=True)


def served(*minds: Fake, each: int = 1, model: str = "tiny", fleet: Fleet | None = None) -> Served:
    slots = Slots(fake_streams(), each=each, ttl_ms=60_000)
    fleet = fleet or Fleet(slots, SYSTEM_CLOCK)
    return Served(model, {mind.url: mind for mind in minds}, fleet)


def loads(one: Served) -> list[Load]:
    return one.fleet.slots.look(list(one.minds))


def patience(ms: int = SOON_MS) -> Patience:
    return Patience(until_ms=SYSTEM_CLOCK.now_ms() + ms)


def test_a_call_holds_a_slot_for_as_long_as_it_takes() -> None:
    seen: list[list[Load]] = []

    def look() -> Answer:
        seen.append(loads(one))
        return Answer(text="Yes.")

    one = served(Fake(A, look))
    assert one.answer(request(), Stop()).text == "Yes."
    assert seen == [[Load(held=1, loaded="tiny")]]
    assert loads(one) == [Load(loaded="tiny")]


def test_the_server_with_least_to_do_is_asked_and_of_equals_the_one_that_has_the_model() -> None:
    first, second = Fake(A), Fake(B)
    one = served(first, second)
    assert one.answer(request(), Stop()).text == A
    with admitted(one, request(), Stop(), patience()):
        assert one.answer(request(), Stop()).text == B
    other = served(first, second, model="big", fleet=one.fleet)
    assert other.answer(request(), Stop()).text == A, "both hold tiny: the first"
    assert one.answer(request(), Stop()).text == B, "which still holds tiny"


def test_a_server_that_fails_three_times_is_passed_over() -> None:
    bad, good = Fake(A, refuse), Fake(B)
    one = served(bad, good)
    for _ in range(3):
        with pytest.raises(MindFailed, match="no route"):
            one.answer(request(), Stop())
    assert [one.answer(request(), Stop()).text for _ in range(3)] == [B, B, B]
    assert bad.asked == 3


def test_one_server_alone_is_asked_whatever_it_did_before() -> None:
    bad = Fake(A, refuse)
    one = served(bad)
    for _ in range(5):
        with pytest.raises(MindFailed, match="no route"):
            one.answer(request(), Stop())
    assert bad.asked == 5


def test_a_slot_is_given_back_when_a_call_fails_and_the_next_attempt_goes_elsewhere() -> None:
    one = served(Fake(A, refuse), Fake(B))
    with admitted(one, request(), Stop(), patience()) as ready:
        for _ in range(3):
            with pytest.raises(MindFailed, match="no route"):
                ready.answer(request(), Stop())
            assert [load.held for load in loads(one)] == [0, 0]
        assert ready.answer(request(), Stop()).text == B
        assert ready.about.server == B
        assert [load.held for load in loads(one)] == [0, 1]
    assert [load.held for load in loads(one)] == [0, 0]


def test_who_waits_too_long_fails_by_name_and_is_out_of_the_queue() -> None:
    mind = Fake(A)
    one = served(mind)
    with admitted(one, request(), Stop(), patience()):
        with pytest.raises(
            MindFailed, match=r"no slot at http://a:1 in time: 1 calls go"
        ) as raised:
            one.answer(request(allow_ms=80), Stop())
        assert (raised.value.kind, raised.value.retryable) == ("overloaded", False)
        assert raised.value.waited_ms >= 80
        assert loads(one) == [Load(held=1, loaded="tiny")]
    assert mind.asked == 0


def test_a_revoke_ends_the_wait() -> None:
    one, stop = served(Fake(A)), Stop()
    raised: list[str] = []

    def wait() -> None:
        with pytest.raises(MindFailed) as failure:
            one.answer(request(), stop)
        raised.append(failure.value.kind)

    with admitted(one, request(), Stop(), patience()):
        thread = Thread(target=wait)
        thread.start()
        assert wait_until(lambda: loads(one)[0].waiting == 1, within_ms=SOON_MS)
        stop.set("revoked")
        thread.join(SOON_MS / 1000)
        assert loads(one)[0].waiting == 0
    assert raised == ["cancelled"]


def test_who_waits_says_how_long_and_goes_on_when_it_is_given_more_time() -> None:
    one, told, free = served(Fake(A)), [], Event()
    mine = patience(300)

    def on_wait(need_ms: int, ahead: int) -> None:
        told.append((need_ms, ahead))
        mine.extend(SYSTEM_CLOCK.now_ms() + SOON_MS)
        free.set()

    def hold() -> None:
        with admitted(one, request(), Stop(), patience()):
            held.set()
            free.wait(SOON_MS / 1000)

    held = Event()
    thread = Thread(target=hold)
    thread.start()
    held.wait(SOON_MS / 1000)
    with admitted(one, request(), Stop(), mine, on_wait) as ready:
        answer = ready.answer(request(), Stop())
    thread.join(SOON_MS / 1000)
    ((need_ms, ahead),) = told
    assert ahead == 1
    assert 500 <= need_ms <= 600, "nothing is measured yet: two allowances"
    assert answer.text == A


def test_a_slow_server_is_given_the_time_that_the_longest_answer_takes() -> None:
    one, told = served(Fake(A)), []
    asked = request(num_predict=100)
    one.answer(asked, Stop())
    mine = patience(1_000)

    def on_wait(need_ms: int, ahead: int) -> None:
        told.append((need_ms, ahead))
        mine.extend(SYSTEM_CLOCK.now_ms() + need_ms)

    with admitted(one, asked, Stop(), mine, on_wait):
        assert mine.until_ms - SYSTEM_CLOCK.now_ms() > 9_000
    ((need_ms, ahead),) = told
    assert ahead == 0
    assert 10_000 <= need_ms < 11_000, "100 tokens at 10 a second"


def test_a_run_can_begin_while_one_of_its_servers_is_there() -> None:
    gone, there = Fake(A), Fake(B)
    gone.is_there = False
    served(gone, there).preflight()
    there.is_there = False
    with pytest.raises(Missing, match="no model server at http://a:1"):
        served(gone, there).preflight()


# --- breakers ---------------------------------------------------------------------------


def test_a_breaker_opens_for_longer_each_time_its_trial_fails() -> None:
    breaker, now_ms = Breaker(), 0
    for _ in range(3):
        breaker.failed("server", now_ms=now_ms)
    for open_ms in (5_000, 10_000, 20_000, 40_000, 80_000, 120_000, 120_000):
        assert breaker.state(now_ms + open_ms - 1) == "open"
        now_ms += open_ms
        assert breaker.state(now_ms) == "half_open"
        breaker.asks(now_ms)
        assert not breaker.may_ask(now_ms)
        breaker.failed("unreachable", now_ms=now_ms)
    breaker.answered()
    assert breaker.state(now_ms) == "closed"


def test_only_failures_in_a_row_that_say_something_of_the_server_open_a_breaker() -> None:
    breaker = Breaker()
    for kind in ("timeout", "not_found", "truncated", "protocol", "cancelled", "refused"):
        breaker.failed(kind, now_ms=0)
    breaker.failed("server", now_ms=0)
    breaker.failed("server", now_ms=0)
    breaker.answered()
    breaker.failed("server", now_ms=0)
    assert breaker.state(0) == "closed"


def test_a_trial_that_came_to_nothing_leaves_room_for_another() -> None:
    breaker = Breaker()
    for _ in range(3):
        breaker.failed("server", now_ms=0)
    breaker.asks(5_000)
    breaker.let_go()
    assert breaker.may_ask(5_000)


# --- across hosts -----------------------------------------------------------------------


@pytest.mark.parametrize("each", [1, 2])
def test_three_hosts_together_send_a_server_no_more_calls_at_a_time_than_it_has_slots(
    real_server: str, each: int
) -> None:
    url = f"http://shared-{each}:1"
    lock, now, most = Lock(), [0], [0]

    def count() -> Answer:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        Event().wait(0.005)
        with lock:
            now[0] -= 1
        return Answer(text="Yes.")

    def host() -> Served:
        slots = Slots(Streams(real_server), each=each, ttl_ms=60_000)
        return served(Fake(url, count), fleet=Fleet(slots, SYSTEM_CLOCK))

    hosts = [host() for _ in range(3)]
    threads = [
        Thread(target=lambda one=one: one.answer(request(), Stop()))
        for one in hosts
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON_MS / 1000)
    minds = [mind for one in hosts for mind in one.minds.values() if isinstance(mind, Fake)]
    assert sum(mind.asked for mind in minds) == 24
    assert most == [each]
    assert loads(hosts[0]) == [Load(loaded="tiny")]


def test_a_host_that_cannot_reach_redis_waits_for_it_no_longer_than_it_may() -> None:
    slots = Slots(Streams("redis://127.0.0.1:1"), each=1, ttl_ms=60_000)
    one = served(Fake(A), fleet=Fleet(slots, SYSTEM_CLOCK))
    with pytest.raises(MindFailed, match="overloaded: no slot at http://a:1 in time: the Redis"):
        one.answer(request(allow_ms=60), Stop())
