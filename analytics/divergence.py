"""How far two conversations are from one another, turn by turn. Pure.

A distance is in [0, 1]: 0 where nothing differs, 1 where nothing is shared. Turns are
compared by channel and number, and where several channels have a turn of one number, the
mean of theirs counts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from statistics import fmean

_WORD = re.compile(r"\w+")

Place = tuple[str, int]
"""A channel, and one of its turns."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message, and the commit in which it was heard.

    `is_answer`: a bot said it when it was asked. What comes from outside, and what a fork
    puts in a bot's mouth, is no answer: it parts two runs, and is not what these differ by.
    """

    seq: int
    channel: str
    turn: int
    speaker: str | None
    text: str
    is_answer: bool = True

    @property
    def words(self) -> tuple[object, ...]:
        """What was said, by whom and where: all but when."""
        return self.channel, self.turn, self.speaker, self.text


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation: its messages as the bots have them, and the hashes of its commits."""

    run: str
    seed: int
    labels: Mapping[str, str]
    messages: tuple[Said, ...]
    commits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parting:
    """The first message by which two conversations differ; none where one has ended."""

    a: Said | None
    b: Said | None


@dataclass(frozen=True, slots=True)
class Distance:
    """How far two conversations are apart in one turn.

    Attributes:
        words: Of what was said in it.
        participation: Of who has spoken how much, from the first turn compared to this one.
    """

    turn: int
    words: float
    participation: float


def shared_commits(a: Talk, b: Talk) -> int:
    """Count the commits that two runs have in common, from the first one on."""
    pairs = enumerate(zip(a.commits, b.commits, strict=False))
    return next((place for place, (x, y) in pairs if x != y), min(len(a.commits), len(b.commits)))


def parting(a: Talk, b: Talk) -> Parting | None:
    """Find the first message by which two conversations differ; none where none does."""
    for x, y in zip_longest(a.messages, b.messages):
        if x is None or y is None or x.words != y.words:
            return Parting(x, y)
    return None


def words_in(text: str) -> frozenset[str]:
    """List the different words of a text, whatever their case.

    Example:
        >>> sorted(words_in("A town is a town."))
        ['a', 'is', 'town']
    """
    return frozenset(_WORD.findall(text.casefold()))


def word_distance(a: frozenset[str], b: frozenset[str]) -> float:
    """Tell how few words two sets share: one less their Jaccard index; 0 for two empty ones.

    Source:
        Jaccard 1901: the size of the intersection over that of the union.

    Example:
        >>> word_distance(frozenset({"a", "town"}), frozenset({"a", "house"}))
        0.6666666666666667
    """
    either = a | b
    return 1 - len(a & b) / len(either) if either else 0.0


def share_distance(a: Mapping[str, int], b: Mapping[str, int]) -> float:
    """Tell how differently the floor was shared: the total variation of speakers' shares.

    Args:
        a, b: Messages of each speaker; those of nobody are 0.

    Returns:
        Half the sum of the differences of shares. 1 where only one of the two was silent.

    Example:
        >>> share_distance({"ada": 2, "bo": 2}, {"ada": 4})
        0.5
    """
    of_a, of_b = sum(a.values()), sum(b.values())
    if not of_a or not of_b:
        return float(bool(of_a) != bool(of_b))
    return sum(abs(a.get(one, 0) / of_a - b.get(one, 0) / of_b) for one in {*a, *b}) / 2


def curve(a: Talk, b: Talk, *, after: int | None = None) -> list[Distance]:
    """Follow how far two conversations are apart, turn by turn.

    Args:
        after: Leave out what was heard up to this commit, which both have; by default all
            they share.

    Returns:
        One distance for each turn in which either has an answer, in order.
    """
    shared = shared_commits(a, b) if after is None else after
    turns_a, turns_b = _by_turn(a, shared), _by_turn(b, shared)
    spoken_a: Counter[str] = Counter()
    spoken_b: Counter[str] = Counter()
    distances = []
    for turn in sorted({turn for _, turn in (*turns_a, *turns_b)}):
        places = sorted(place for place in {*turns_a, *turns_b} if place[1] == turn)
        words = []
        for place in places:
            said_a, said_b = turns_a.get(place, []), turns_b.get(place, [])
            words.append(word_distance(_words(said_a), _words(said_b)))
            spoken_a.update(one.speaker for one in said_a if one.speaker)
            spoken_b.update(one.speaker for one in said_b if one.speaker)
        distances.append(Distance(turn, fmean(words), share_distance(spoken_a, spoken_b)))
    return distances


def _by_turn(talk: Talk, shared: int) -> dict[Place, list[Said]]:
    turns: defaultdict[Place, list[Said]] = defaultdict(list)
    for said in talk.messages:
        if said.seq > shared and said.is_answer:
            turns[said.channel, said.turn].append(said)
    return turns


def _words(said: Iterable[Said]) -> frozenset[str]:
    return frozenset().union(*(words_in(one.text) for one in said))


def mean_curve(curves: Sequence[Sequence[Distance]]) -> list[Distance]:
    """Average curves turn by turn, each turn over the curves that have it."""
    turns: defaultdict[int, list[Distance]] = defaultdict(list)
    for one in curves:
        for distance in one:
            turns[distance.turn].append(distance)
    return [
        Distance(
            turn,
            fmean(one.words for one in turns[turn]),
            fmean(one.participation for one in turns[turn]),
        )
        for turn in sorted(turns)
    ]
