"""The fault plan: what goes wrong at which call, and what that looks like on the wire."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from pydantic import ValidationError

from bots.offline.faults import LOST, Fault, FaultPlan, Kind, read_plan
from bots.offline.server import OfflineServer
from tests.bots.raw_server import PATIENCE_S
from utils.clock import wait_until
from utils.errors import BadInput

TALK = [{"role": "system", "content": "You are Ada. You are talking with Bo."}]
TALK += [{"role": "user", "content": "Bo: What is a town for?"}]
ASKED = {"model": "parley-offline", "messages": TALK, "options": {"seed": 7}}


def plan(kind: Kind, **given: Any) -> FaultPlan:
    return FaultPlan(faults=(Fault(fault=kind, **{"calls": (1,), **given}),))


def twice(kind: Kind, **given: Any) -> tuple[httpx.Response, httpx.Response]:
    """Ask twice; the first call goes wrong."""
    with (
        OfflineServer(faults=plan(kind, **given)) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE_S) as http,
    ):
        first, second = (http.post("/api/chat", json=ASKED) for _ in range(2))
        assert server.played == {kind: 1}
        assert server.calls == 2
    assert second.status_code == 200
    assert second.text.endswith("}\n")
    return first, second


@pytest.mark.parametrize(
    ("kind", "status", "told"),
    [
        ("busy", 503, "server busy, please try again.  maximum pending requests exceeded"),
        ("error_500", 500, "model runner has unexpectedly stopped"),
        ("missing", 404, "not found"),
        ("error_body", 200, '{"error":"model runner'),
        ("html", 200, "<h1>It works!</h1>"),
        ("error_line", 200, '{"error":"model runner'),
        ("no_done", 200, '"done":false}\n'),
        ("half_line", 200, '"done":false}\n{"model'),
        ("garbage_line", 200, "\n%!$"),
        ("blank_line", 200, "\n\n"),
        ("empty", 200, '"eval_count":0'),
        ("think_tags", 200, '"content":"\\u003c"'),
        ("thinking_only", 200, f'"thinking":"{LOST}"'),
        ("other_name", 200, '"content":"Bo"'),
        ("same_token", 200, '"content":" the"}'),
        ("line_separators", 200, " one\u2028two\u0085three"),
        ("wrong_model", 200, '"model":"somebody-elses:latest"'),
    ],
)
def test_a_fault_looks_like_what_it_is_and_the_next_call_is_well(
    kind: Kind, status: int, told: str
) -> None:
    first, _ = twice(kind)
    assert (first.status_code, told in first.text) == (status, True), first.text


def test_a_stream_without_end_has_no_done() -> None:
    assert '"done":true' not in twice("no_done")[0].text
    same = twice("same_token")[0].text
    assert '"done":true' not in same
    assert same.count('" the"') == 31


def test_invalid_utf8_is_invalid() -> None:
    with pytest.raises(UnicodeDecodeError):
        twice("invalid_utf8")[0].content.decode()


def test_a_huge_answer_is_a_megabyte_of_text() -> None:
    assert 1_000_000 <= len(twice("huge")[0].content) < 1_100_000


@pytest.mark.parametrize(
    ("kind", "error"), [("cut", httpx.RemoteProtocolError), ("reset", httpx.ReadError)]
)
def test_a_connection_that_breaks_breaks(kind: Kind, error: type[Exception]) -> None:
    with (
        OfflineServer(faults=plan(kind)) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE_S) as http,
    ):
        with pytest.raises(error):
            http.post("/api/chat", json=ASKED)
        assert http.post("/api/chat", json=ASKED).status_code == 200


def test_a_server_that_refuses_lets_nobody_in_for_a_while_and_then_does() -> None:
    with (
        OfflineServer(faults=plan("refuse", seconds=0.5)) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE_S) as http,
    ):
        with pytest.raises(httpx.HTTPError):
            http.post("/api/chat", json=ASKED)
        port = server.port
        with pytest.raises(httpx.ConnectError):
            http.post("/api/chat", json=ASKED)
        assert wait_until(lambda: is_there(http), within_ms=20_000)
        assert server.port == port


def is_there(http: httpx.Client) -> bool:
    try:
        return http.post("/api/chat", json=ASKED).status_code == 200
    except httpx.TransportError:
        return False


def test_latency_and_drip_take_their_time() -> None:
    slept: list[float] = []
    with (
        OfflineServer(faults=FaultPlan(faults=(
            Fault(fault="latency", calls=(1,), seconds=9),
            Fault(fault="drip", calls=(2,), seconds=8),
        )), sleep=slept.append) as server,
        httpx.Client(base_url=server.url, trust_env=False) as http,
    ):  # fmt: skip
        http.post("/api/chat", json=ASKED)
        assert slept == [9]
        slept.clear()
        reply = http.post("/api/chat", json=ASKED)
        assert slept == [8] * (reply.text.count("\n") - 1)


def test_a_digest_changes_from_one_call_to_the_next() -> None:
    with (
        OfflineServer(faults=plan("digest", calls=(2, 3))) as server,
        httpx.Client(base_url=server.url, trust_env=False) as http,
    ):
        digests = []
        for _ in range(4):
            http.post("/api/chat", json=ASKED)
            running = http.get("/api/ps").json()["models"][0]["digest"]
            assert http.get("/api/tags").json()["models"][0]["digest"] == running
            digests.append(running)
    assert digests[2] == digests[3]
    assert len(set(digests)) == 3


# --- the plan -----------------------------------------------------------------------------


def test_shares_add_up_and_are_drawn_alike_again() -> None:
    kinds: tuple[Kind, ...] = get_args(Kind)
    mixed = FaultPlan(seed=7, faults=tuple(Fault(fault=kind, share=0.02) for kind in kinds))
    drawn = [mixed.at(call) for call in range(1, 5_001)]
    counted = Counter(fault.fault for fault in drawn if fault)
    assert set(counted) == set(kinds)
    assert counted.total() == pytest.approx(5_000 * 0.02 * len(kinds), rel=0.1)
    assert [mixed.at(call) for call in range(1, 5_001)] == drawn
    other = mixed.model_copy(update={"seed": 8})
    assert [other.at(call) for call in range(1, 5_001)] != drawn


def test_named_calls_go_before_shares() -> None:
    both = FaultPlan(faults=(Fault(fault="cut", share=1), Fault(fault="busy", every=2)))
    drawn = [both.at(call) for call in (1, 2, 3)]
    assert [fault.fault for fault in drawn if fault] == ["cut", "busy", "cut"]


@pytest.mark.parametrize(
    "given", [{}, {"every": 2, "share": 0.1}, {"every": 0}, {"share": 1.5}, {"calls": [0]}]
)
def test_a_fault_says_once_when_it_happens(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate({"fault": "cut", **given})


def test_a_plan_is_read_from_yaml_and_from_json(tmp_path: Path) -> None:
    yaml, json = tmp_path / "plan.yaml", tmp_path / "plan.json"
    yaml.write_text("seed: 7\nfaults:\n  - {fault: busy, calls: [2, 3]}\n")
    json.write_text('{"seed": 7, "faults": [{"fault": "busy", "calls": [2, 3]}]}')
    assert read_plan(yaml) == read_plan(json) == FaultPlan(
        seed=7, faults=(Fault(fault="busy", calls=(2, 3)),)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("faults:\n  - {fault: bussy, every: 2}\n", "plan.yaml:2"),
        ("faults:\n  - {fault: busy}\n", "one of 'calls', 'every' or 'share'"),
        ("fault: []\n", "plan.yaml:1"),
        ("faults: [{fault: cut, share: 0.9}, {fault: busy, share: 0.9}]", "add up to 1"),
    ],
)
def test_a_plan_that_is_none_is_refused_with_its_line(
    tmp_path: Path, written: str, told: str
) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(written)
    with pytest.raises(BadInput, match=told.replace("'", ".")):
        read_plan(path)
