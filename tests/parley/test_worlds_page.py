"""What docs/worlds.md says is so: its world is the file, its snippets run, its links lead."""

from __future__ import annotations

import csv
import inspect
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from analytics.tables import TABLES
from orchestrator.state import Grant
from parley.resolve import resolve_file
from tests.parley.plugin.wheel import install, on_path, parley
from tests.scenes import Table, spec_of
from utils.errors import BadInput
from utils.protocol import Act, Action, AskAct, AskSay, Pass, Say
from utils.scenario import Scenario
from utils.spec import PaceSpec, Spec, WorldSpec
from worlds import seam

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "worlds.md").read_text("utf-8")
VOTE = ROOT / "examples" / "vote"
SCENARIO = str(VOTE / "vote.yaml")
LABELLED = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SNIPPET = re.compile(r"(?<!-->\n)^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOST_LINES = 80


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(VOTE, tmp_path_factory.mktemp("vote") / "built")


@pytest.fixture(scope="module")
def page(site: Path) -> Iterator[dict[str, Any]]:
    """Run every snippet of the page, from its top to its end."""
    names: dict[str, Any] = {"__name__": "worlds_page"}
    with on_path(site):
        for found in SNIPPET.finditer(PAGE):
            if found[1] == "python":
                before = PAGE.count("\n", 0, found.start()) + 1
                exec(compile("\n" * before + found[2], "docs/worlds.md", "exec"), names)
        yield names


def vote_of(bots: int, **settings: Any) -> Spec:
    spec = spec_of([f"bot-{number}" for number in range(1, bots + 1)], channels=(), turns=30)
    return spec.model_copy(update={"world": WorldSpec(name="vote", settings=settings)})


def played(spec: Spec, *ballots: str, talk: str = "Well.") -> Table:
    """Play a vote: the letter of each bot, ballot by ballot; "-" passes, "?" is no candidate."""
    table = Table(spec).begin()
    names = {"h": "harbour", "m": "market", "p": "pier", "?": "the moon"}

    def act(grant: Grant) -> Action:
        if isinstance(grant.ask, AskSay):
            return Say(text=talk) if talk else Pass()
        ballot = ballots[int(grant.event.channel.removeprefix("ballot-")) - 1]
        letter = ballot[int(grant.event.bot.removeprefix("bot-")) - 1]
        return Pass() if letter == "-" else Act(name="vote", args=names[letter])

    table.play(act)
    return table


# The page


def test_the_files_on_the_page_are_the_files_of_the_example() -> None:
    shown = dict(LABELLED.findall(PAGE))
    files = [path for path in VOTE.iterdir() if path.is_file()]
    assert sorted(shown) == sorted(str(path.relative_to(ROOT)) for path in files)
    for path in files:
        assert shown[str(path.relative_to(ROOT))] == path.read_text("utf-8")


def test_the_vote_is_a_world_of_under_eighty_lines() -> None:
    lines = (VOTE / "vote.py").read_text("utf-8").splitlines()
    assert 0 < sum(1 for line in lines if line.strip()) < MOST_LINES


def test_every_snippet_runs(page: dict[str, Any]) -> None:
    written = [code for language, code in SNIPPET.findall(PAGE) if language == "python"]
    assert len(written) >= 8
    assert page["walk"].state.phase == "ended"


def test_the_page_names_every_method_of_the_seam() -> None:
    methods = [name for name, one in vars(seam.World).items() if inspect.isfunction(one)]
    public = [name for name in methods if not name.startswith("_")]
    named = re.findall(r"^\| `(\w+)\(([^)]*)\)` \|", PAGE, re.MULTILINE)
    assert sorted(name for name, _ in named) == sorted(public)
    for name, arguments in named:
        parameters = list(inspect.signature(getattr(seam.World, name)).parameters)
        assert arguments.split(", ") == parameters[1:]


def test_the_page_names_every_event_a_world_may_decide_on_and_every_cause_and_pace() -> None:
    (may,) = re.findall(r"A world may decide on (.*?)\. All others", PAGE, re.DOTALL)
    own = {one.__name__ for one in seam.WORLDLY} - {"OpenEvent"}
    assert set(re.findall(r"`(\w+)`", may)) == own
    assert [one for one in get_args(seam.Cause) if f"`{one.__name__}" not in PAGE] == []
    kinds = get_args(PaceSpec.model_fields["kind"].annotation)
    assert [
        kind for kind in kinds if not re.search(rf"^\| `\{{?{kind}\b", PAGE, re.MULTILINE)
    ] == []


def test_every_table_on_the_page_is_one_of_a_dataset() -> None:
    named = re.findall(r"`(\w+)\.csv`", PAGE)
    assert named
    assert [name for name in named if name not in TABLES] == []


def test_every_link_of_the_page_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)]+)\)", PAGE)
    files = [link for link in links if not link.startswith("#")]
    assert [link for link in files if not (ROOT / "docs" / link).exists()] == []
    titles = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    anchors = {"#" + re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert {link for link in links if link.startswith("#")} <= anchors


# The vote at a table


def test_one_name_with_most_votes_ends_the_run(page: dict[str, Any]) -> None:
    table = played(vote_of(3, talk=2), "hmh")
    (counted,) = table.events("vote.counted")
    assert (counted.votes, counted.leaders) == ({"harbour": 2, "market": 1}, ["harbour"])
    (measured,) = table.events("measured")
    assert (measured.name, measured.value) == ("agreement", 2 / 3)
    (ended,) = table.events("ended")
    assert (ended.reason, ended.detail) == ("world", "harbour is elected")
    spoken = [(event.channel, event.turn, event.speaker) for event in table.events("heard")]
    talk = [("hall", 1, "bot-1"), ("hall", 2, "bot-2")]
    assert spoken == [("hall", 0, None), *talk, ("ballot-1", 1, None)]


def test_a_tie_is_voted_on_again_among_those_who_tie(page: dict[str, Any]) -> None:
    spec = vote_of(4, candidates=["harbour", "market", "pier"], talk=1)
    table = played(spec, "hmhm", "hhhm")
    assert [event.leaders for event in table.events("vote.counted")] == [
        ["harbour", "market"],
        ["harbour"],
    ]
    opened = [event.channel for event in table.events("channel_opened")]
    closed = [event.channel for event in table.events("channel_closed")]
    assert opened == ["hall", "ballot-1", "ballot-2"] == closed
    second = [event.ask for event in table.events("granted") if event.channel == "ballot-2"]
    assert {frozenset(ask.legal) for ask in second} == {frozenset({"harbour", "market"})}


def test_what_is_no_candidate_counts_for_nothing(page: dict[str, Any]) -> None:
    table = played(vote_of(4, talk=1), "?-hm", "??-m")
    assert [event.votes for event in table.events("vote.counted")] == [
        {"harbour": 1, "market": 1},
        {"harbour": 0, "market": 1},
    ]


def test_nobody_votes_and_the_scenario_ends_the_run(page: dict[str, Any]) -> None:
    table = played(vote_of(2, talk=1), *["--"] * 30, talk="")
    (ended,) = table.events("ended")
    assert (ended.reason, table.state.turns) == ("turns", 30)


def test_each_voter_is_shown_the_names_in_an_order_of_its_own(page: dict[str, Any]) -> None:
    spec = vote_of(12, candidates=["harbour", "market", "pier"], talk=1)
    table = played(spec, "h" * 12)
    asks = [event.ask for event in table.events("granted") if isinstance(event.ask, AskAct)]
    orders = Counter(ask.legal for ask in asks)
    assert len(orders) > 2
    assert all(
        ask.text.endswith(f"{str(list(ask.legal))[1:-1]}.".replace("'", '"')) for ask in asks
    )


def test_the_pages_end_is_over_at_the_first_dead_heat_of_two(page: dict[str, Any]) -> None:
    ends = [yaml.safe_load(code) for language, code in SNIPPET.findall(PAGE) if language == "yaml"]
    ((end,),) = [one.values() for one in ends]
    scenario = Scenario.model_validate({"bots": ["ada"], "end": end})
    spec = vote_of(2, talk=1).model_copy(update={"end": scenario.end})
    (ended,) = played(spec, "hm").events("ended")
    assert (ended.reason, ended.detail) == ("measure", "agreement is 0.5")


@pytest.mark.parametrize("setting", ["candidates: [pier]", "talk: 0", "tlak: 3"])
def test_a_wrong_setting_is_refused_with_its_line(
    page: dict[str, Any], tmp_path: Path, setting: str
) -> None:
    scenario = tmp_path / "vote.yaml"
    scenario.write_text(f"parley: 1\nbots: [ada, bo]\nworld:\n  vote:\n    {setting}\n")
    with pytest.raises(BadInput, match=r"vote\.yaml:5: ") as refused:
        resolve_file(scenario)
    assert "\n" not in str(refused.value)


# World time


def walked(page: dict[str, Any], kind: str, world: Any = None) -> Any:
    """Walk the page's walk, and give its last state: bo takes 150 ms for a step, ada 50."""
    pace = PaceSpec.model_validate({"kind": kind})
    spec = page["spec_for"](("ada", "bo")).model_copy(update={"pace": pace})
    table = page["seated"](spec, world or page["Walk"]())
    table.play(
        lambda grant: Act(name="step", args="left"),
        latency_ms=lambda grant: 150 if grant.event.bot == "bo" else 50,
    )
    return table.state.world


def test_in_realtime_a_fallback_acts_and_the_late_answer_comes_all_the_same(
    page: dict[str, Any],
) -> None:
    round_ = ("ada left", "bo stands", "bo left")
    assert walked(page, "realtime").steps[:6] == (*round_, *round_)


def test_in_free_pace_what_is_due_is_waited_for(page: dict[str, Any]) -> None:
    assert walked(page, "free").steps == ("ada left", "bo left") * 24


def test_in_turns_a_world_steps_when_its_channels_are_silent_and_only_then(
    page: dict[str, Any],
) -> None:
    def asked(self: object, state: Any, channel: str) -> tuple[str, ...] | None:
        """Ask nobody until the world has woken as often as turns have closed."""
        return () if len(state.steps) > 2 * state.now_ms // 100 else None

    restless = walked(page, "turns")
    assert (restless.now_ms, restless.steps) == (0, ("ada left", "bo left") * 24)
    stepping = walked(page, "turns", type("Stepping", (page["Walk"],), {"asked": asked})())
    assert stepping.steps == restless.steps
    assert stepping.now_ms == 100 * 23


# The vote in real processes


@pytest.mark.parametrize("mind", ["scripted", "rule"])
def test_parley_runs_the_vote(page: dict[str, Any], site: Path, tmp_path: Path, mind: str) -> None:
    out = tmp_path / "vote"
    command = ["run", SCENARIO, "--mind", mind, "--plain", "--out", str(out)]
    told = parley(command, home=tmp_path / "home", path=site)
    assert told.returncode == 0, told.stderr
    ballots = page["events"](out, "vote.counted")
    cast = Counter(
        (event.channel, event.action.args)
        for event in page["events"](out, "acted")
        if isinstance(event.action, Act)
    )
    for ballot in ballots:
        for name, votes in ballot.votes.items():
            assert votes == cast[f"ballot-{1 + ballots.index(ballot)}", name]
    (ended,) = page["events"](out, "ended")
    (winner,) = ballots[-1].leaders
    assert ended.detail == f"{winner} is elected"
    with (out / "tables" / "messages.csv").open(newline="", encoding="utf-8") as file:
        spoken = [row["speaker"] for row in csv.DictReader(file) if row["channel"] == "hall"]
    assert spoken == ["", *(["ada", "bo", "cy"] * 2 if mind == "scripted" else [])]
    assert [line for line in told.stdout.splitlines() if "vote.counted" in line]
