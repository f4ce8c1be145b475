"""How long the minimal naming game takes to agree, and how that grows with the crowd.

    python examples/naming_scaling.py --out docs/figures

Plays the world's own rules with its own rule minds and a run's own draws, but without the
engine: nothing is granted or journalled. Beyond the sizes of the fit, a plain loop plays
the same game, draw by draw; it is first seen to do so. Writes one row a game, and a figure.

Source:
    Baronchelli et al. 2006 (J. Stat. Mech. P06014): T grows as N to the 1.5, for large N.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean, linear_regression

import click

from parley.library import find_scenario
from parley.resolve import resolve_file
from utils.protocol import Ask
from utils.seeds import Chance, model_seed
from utils.spec import EndSpec, Spec
from worlds.naming.minds import naming_minimal
from worlds.naming.rules import Naming
from worlds.naming.state import NamingState
from worlds.seam import Answer, Answered, Began, Cause, WorldTime

SIZES, BEYOND = (25, 50, 100, 200, 400), (800, 1600, 3200)
BINS, BIN = 45, 0.1
"""Success is averaged over bins of time, in units of N to the 1.5 encounters."""

RESAMPLES = 2_000
Times = Mapping[int, Sequence[int]]
"""The number of bots to the encounters that each game of so many took."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a rule mind sees of a grant."""

    bot: str
    ask: Ask
    seed: int


# --- the games -------------------------------------------------------------------------


def play(count: int, seed: int) -> list[bool]:
    """Play one game until all have one and the same word; whether each encounter agreed."""
    world, state = Naming(), Naming().initial(spec_of(count, seed))
    state = after(world, state, Began())
    alone: Counter[str] = Counter()  # how many bots have this word and no other
    agreed: list[bool] = []
    while not agreed or max(alone.values(), default=0) < count:
        encounter = state.open[0]
        for bot in encounter.pair:
            alone.subtract(only(state.inventories[bot]))
        for turn in (1, 2):
            state = after(world, state, turn_of(world, state, encounter.channel, turn))
        for bot in encounter.pair:
            alone.update(only(state.inventories[bot]))
        agreed.append(state.results[-1] == "1")
    return agreed


def loop(count: int, seed: int) -> int:
    """Play the same game in a plain loop; how many encounters it took."""
    chance, held = Chance(seed), [list[str]() for _ in range(count)]
    alone: Counter[str] = Counter()
    number, word = 0, ""
    while alone[word] < count:
        number += 1
        speaker = chance.below(count, "naming.speaker", number)
        hearer = chance.below(count - 1, "naming.hearer", number)
        hearer += hearer >= speaker
        alone.subtract((*only(held[speaker]), *only(held[hearer])))
        granted = model_seed(seed, f"met-{number}", 1, f"bot-{speaker + 1:03}", 0)
        held[speaker] = held[speaker] or [f"{granted}.{speaker}"]  # a new word
        word = Chance(granted).pick(held[speaker], "naming.word")
        if word in held[hearer]:
            held[speaker], held[hearer] = [word], [word]
        else:
            held[hearer].append(word)
        alone.update((*only(held[speaker]), *only(held[hearer])))
    return number


def turn_of(world: Naming, state: NamingState, channel: str, turn: int) -> Answered:
    """Let the bot whose turn it is answer as its rule says."""
    (bot,) = world.asked(state, channel) or ()
    seed = model_seed(state.seed, channel, turn, bot, 0)
    action = naming_minimal(Request(bot, world.ask(state, bot, channel), seed))
    answer = Answer(bot, epoch=turn, action=action, call_sha256=None)
    return Answered(channel, turn, round=1, answers=(answer,))


def after(world: Naming, state: NamingState, cause: Cause) -> NamingState:
    """Let the world decide what follows, and take it into the state."""
    for event in world.decide(state, [cause], WorldTime(0, 0), Chance(state.seed)):
        state = world.evolve(state, event)
    return state


def only(held: Sequence[str]) -> Sequence[str]:
    """Give a bot's word if it has just one."""
    return held if len(held) == 1 else ()


def spec_of(count: int, seed: int) -> Spec:
    """Make the scenario of one game: the one that comes with Parley, with more bots."""
    spec = resolve_file(find_scenario("naming"))
    names = [f"bot-{number:03}" for number in range(1, count + 1)]
    bots = tuple(spec.bots[0].model_copy(update={"name": name}) for name in names)
    return spec.model_copy(update={"seed": seed, "bots": bots, "end": EndSpec()})


# --- the fit ---------------------------------------------------------------------------


def slope(times: Times) -> tuple[float, float]:
    """Fit log T = log a + b log N by least squares, each game a point; b and a."""
    points = [(math.log(n), math.log(taken)) for n, some in times.items() for taken in some]
    b, log_a = linear_regression(*zip(*points, strict=True))
    return b, math.exp(log_a)


def interval(times: Times, *, chance: Chance) -> tuple[float, float]:
    """Tell where 95 in 100 slopes lie when the games of each size are drawn again."""
    drawn = sorted(slope(drawn_again(times, chance, again))[0] for again in range(RESAMPLES))
    return drawn[round(0.025 * RESAMPLES)], drawn[round(0.975 * RESAMPLES) - 1]


def drawn_again(times: Times, chance: Chance, again: int) -> Times:
    """Draw as many games of each size as there are, some more than once."""
    return {
        n: [chance.pick(some, "bootstrap", again, n, place) for place in range(len(some))]
        for n, some in times.items()
    }


def told(times: Times) -> str:
    """Put the fit in words."""
    (b, a), (low, high) = slope(times), interval(times, chance=Chance(1))
    return f"N to {max(times)}: T = {a:.2f} N^{b:.3f}, 95 %: {low:.3f} to {high:.3f}"


def s_curve(games: Sequence[Sequence[bool]], count: int) -> list[float]:
    """Average success over bins of time; a game that is over agrees for ever."""
    edges = [round(place * BIN * count**1.5) for place in range(BINS + 1)]
    curve = []
    for start, end in pairwise(edges):
        agreed = (sum(game[start:end]) + max(0, end - max(start, len(game))) for game in games)
        curve.append(sum(agreed) / ((end - start) * len(games)))
    return curve


# --- the figure ------------------------------------------------------------------------

SHADES = ("#9ecae1", "#6baed6", "#3182bd", "#08519c", "#041c40")
INK, FAINT, FITTED = "#222222", "#dddddd", "#d94801"
WIDTH, HEIGHT, TOP, BOTTOM = 900, 400, 50, 340


@dataclass(frozen=True, slots=True)
class Panel:
    """A rectangle of the figure, and the numbers along its sides."""

    left: float
    right: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Tell where a point stands."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return self.left + across * (self.right - self.left), BOTTOM - up * (BOTTOM - TOP)

    def line(self, points: Sequence[tuple[float, float]], style: str) -> str:
        """Draw a line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self.at(*point) for point in points))
        return f'<polyline points="{path}" fill="none" {style}/>'

    def frame(
        self, title: str, x: Mapping[float, str], y: Mapping[float, str], names: tuple[str, str]
    ) -> Iterator[str]:
        """Draw the grid, what stands along it, and the title."""
        for value, shown in x.items():
            across, _ = self.at(value, self.y[0])
            yield self.line([(value, self.y[0]), (value, self.y[1])], f'stroke="{FAINT}"')
            yield text(across, BOTTOM + 18, shown)
        for value, shown in y.items():
            _, up = self.at(self.x[0], value)
            yield self.line([(self.x[0], value), (self.x[1], value)], f'stroke="{FAINT}"')
            yield text(self.left - 8, up + 4, shown, anchor="end")
        yield text((self.left + self.right) / 2, BOTTOM + 40, names[0])
        yield text(self.left - 40, TOP - 12, names[1], anchor="start")
        yield text(
            (self.left + self.right) / 2, TOP - 30, f"<tspan font-weight='bold'>{title}</tspan>"
        )


def text(x: float, y: float, words: str, *, anchor: str = "middle", ink: str = INK) -> str:
    """Write words at a point."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{ink}">{words}</text>'


def left_panel(curves: Mapping[int, Sequence[float]]) -> Iterator[str]:
    """Draw the rise of success, a line for each size."""
    panel = Panel(70, 430, (0, BINS * BIN), (0, 1))
    across = {float(value): str(value) for value in range(5)}
    upward = {value / 5: f"{value / 5:g}" for value in range(6)}
    names = ("encounters / N^1.5", "share that agree")
    yield from panel.frame("Success rises in an S", across, upward, names)
    for place, (n, curve) in enumerate(curves.items()):
        points = [((at + 0.5) * BIN, share) for at, share in enumerate(curve)]
        yield panel.line(points, f'stroke="{SHADES[place]}" stroke-width="2"')
        x, y = panel.at(3.1, 0.42 - 0.07 * place)
        yield f'<rect x="{x:.1f}" y="{y - 9:.1f}" width="18" height="4" fill="{SHADES[place]}"/>'
        yield text(x + 26, y, f"N = {n}", anchor="start")


def right_panel(times: Times, fit: tuple[float, float], said: str) -> Iterator[str]:
    """Draw each game's time, the fit, and the slope of the theory."""
    panel = Panel(530, 870, (math.log(20), math.log(4_000)), (math.log(100), math.log(500_000)))
    across = {math.log(n): str(n) for n in times}
    upward = {math.log(10**power): f"{10**power:,}" for power in range(2, 6)}
    names = ("bots N", "encounters until all have one word")
    yield from panel.frame("Time to consensus", across, upward, names)
    for n, some in times.items():
        shade = SHADES[2] if n in SIZES else "#999999"
        for taken in some:
            x, y = panel.at(math.log(n), math.log(taken))
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{shade}" opacity="0.5"/>'
    b, a = fit
    for start, end, style in ((20, SIZES[-1], ""), (SIZES[-1], 4_000, 'stroke-dasharray="5 5"')):
        ends = [(math.log(n), math.log(a) + b * math.log(n)) for n in (start, end)]
        yield panel.line(ends, f'stroke="{FITTED}" stroke-width="2" {style}')
    top = math.log(max(times)), math.log(fmean(times[max(times)]))
    foot = math.log(SIZES[-1])
    ends = [top, (foot, top[1] - 1.5 * (top[0] - foot))]
    yield panel.line(ends, f'stroke="{INK}" stroke-width="1.5" stroke-dasharray="1 4"')
    x, y = panel.at(math.log(22), math.log(280_000))
    yield text(x, y, said, anchor="start", ink=FITTED)
    yield text(x, y + 18, "dotted: slope 1.5", anchor="start")


def figure(marks: Sequence[str]) -> str:
    """Put what was drawn on white paper."""
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
    )
    paper = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    return "\n".join((head, paper, *marks, "</svg>", ""))


@click.command()
@click.option("--games", default=40, show_default=True, help="Of each size in the fit.")
@click.option("--beyond", default=20, show_default=True, help="Of each size beyond it.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path())
def main(games: int, beyond: int, out: Path) -> None:
    """Play, fit, and write down."""
    times: dict[int, list[int]] = {}
    curves: dict[int, list[float]] = {}
    for n in SIZES:
        played = [play(n, seed) for seed in range(1, games + 1)]
        times[n], curves[n] = [len(game) for game in played], s_curve(played, n)
        if n < 100 and times[n] != [loop(n, seed) for seed in range(1, games + 1)]:
            raise click.ClickException(f"the plain loop plays another game of {n}")
    for n in BEYOND[: len(BEYOND) * bool(beyond)]:
        times[n] = [loop(n, seed) for seed in range(1, beyond + 1)]
    for n, some in times.items():
        mean = fmean(some)
        click.echo(f"{n:5} {len(some):3} games {mean:9,.0f} {mean / n**1.5:.2f}")
    within = {n: times[n] for n in SIZES}
    said = told(within)
    click.echo(said)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "naming_scaling.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("bots", "seed", "encounters"))
        rows.writerows((n, *row) for n, some in times.items() for row in enumerate(some, start=1))
    marks = [*left_panel(curves), *right_panel(times, slope(within), said)]
    (out / "naming_scaling.svg").write_text(figure(marks))


if __name__ == "__main__":
    main()
