"""An explicit-state model of the protocol: what may happen next, in every state of a run.

Two leaders lead at any time (a lease is liveness, so it is not here) and two hosts serve one
bot. Hosts die, requests arrive late and are made again, and the server restarts without the
end of what it wrote. `docs/model.md` says what is left out, and why.

A commit is known by a number that stands for its hash: it names the commit before it by
number, so equal numbers are equal histories.

This file is over 300 lines because a model is read whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

Mutant = Literal[
    "compare seq only",
    "id greater than top",
    "epoch alone as fence",
    "no consumed cursor",
    "no look back on reconnect",
    "a divergence is a hole",
    "the server's clock goes back",
]
Author = tuple[int, int]  # a host, and which of its lives


class Input(NamedTuple):
    """What a host says: `Joined` where it names no epoch, else `Proposed`."""

    author: Author
    number: int  # with the author, the nonce
    epoch: int = 0
    grant: int = 0
    seat: int = 0


class Letter(NamedTuple):
    """An entry of the floor. `after` counts the commits written before it."""

    id: int
    input: Input
    after: int


class Commit(NamedTuple):
    """A commit: its cause, and its events as four numbers, each 0 where there is none."""

    seq: int
    prev: int
    at: int = 0  # stands for `at_ms`: what is decided again is another commit
    cursor: int = 0
    given: Input | None = None  # none: a deadline passed
    why: str = ""  # why the input was rejected
    seated: int = 0
    closed: int = 0  # an epoch: acted on where something is heard, else revoked
    heard: int = 0  # a turn; what was said is the input
    granted: int = 0


class Run(NamedTuple):
    """What a history folds to. `grant` is the commit that made the live grant, or 0."""

    cursor: int = 0
    nonces: frozenset[tuple[object, ...]] = frozenset()
    seat: int = 0
    host: Author = (0, 0)
    turn: int = 1
    epoch: int = 0
    grant: int = 0
    turns: int = 0

    @property
    def is_over(self) -> bool:
        return self.turn > self.turns


class Leader(NamedTuple):
    """A leader: the last commit it holds, and one it sent and had no reply to."""

    top: int
    unsure: int = 0
    cursor: int = 0  # what the mutant without a cursor in its commits goes by


class Host(NamedTuple):
    """A host in one of its lives: inbox entries read, letters sent, whether it is cut off."""

    life: int = 0
    read: tuple[int, ...] = ()
    sent: tuple[Input, ...] = ()
    is_cut: bool = False


class Budget(NamedTuple):
    """How often each thing may happen yet; entries forgotten at once, at most; hosts; turns."""

    crashes: int = 0
    cuts: int = 0
    losses: int = 0
    deadlines: int = 0
    depth: int = 99
    hosts: int = 2
    turns: int = 2


class State(NamedTuple):
    """Everything. Journal and floor are the server's; requests under way are on the wire."""

    journal: tuple[int, ...]
    floor: tuple[Letter, ...]
    wire: tuple[int | Input, ...]
    leaders: tuple[Leader, Leader]
    hosts: tuple[Host, Host]
    left: Budget


Step = tuple[str, State]


class Model:
    """The rules, whole or with one of them broken."""

    def __init__(self, budget: Budget, mutant: Mutant | None = None) -> None:
        self.mutant = mutant
        self.commits = [Commit(0, 0)]
        self.runs = [Run(turns=budget.turns)]
        self.histories: list[tuple[int, ...]] = [()]
        self._numbers: dict[Commit, int] = {}
        leader = Leader(self.hashed(Commit(1, 0)))
        self.initial = State((leader.top,), (), (), (leader, leader), (Host(), Host()), budget)

    # --- commits: hashed, folded, decided, compared -------------------------------------

    def hashed(self, commit: Commit) -> int:
        """Give a commit its number, and fold it."""
        number = self._numbers.setdefault(commit, len(self.commits))
        if number == len(self.commits):
            self.commits.append(commit)
            self.runs.append(evolve(self.runs[commit.prev], commit, number))
            self.histories.append((*self.histories[commit.prev], number))
        return number

    def decide(self, state: State, top: int, letter: Letter | None) -> int:
        """Make the commit that follows: never again one that somebody remembers."""
        commit = follow(self.runs[top], letter, self.mutant)
        commit = commit._replace(seq=self.commits[top].seq + 1, prev=top)
        if commit in self._numbers:
            known = self._remembered(state)
            while self._numbers.get(commit) in known:
                commit = commit._replace(at=commit.at + 1)
        return self.hashed(commit)

    def _remembered(self, state: State) -> set[int]:
        tops = {item for item in state.wire if isinstance(item, int)}
        tops.update(number for leader in state.leaders for number in leader[:2])
        tops.update(number for host in state.hosts for number in host.read)
        tops.update(given.grant for host in state.hosts for given in host.sent)
        tops.update(letter.input.grant for letter in state.floor)
        return {number for top in tops for number in self.histories[top]}

    def fits(self, top: int, number: int) -> bool:
        """Compare, for the set."""
        above, new = self.commits[top].seq, self.commits[number].seq
        if self.mutant == "compare seq only":
            return new == above + 1
        if self.mutant == "id greater than top":
            return new > above
        return self.commits[number].prev == top

    # --- steps --------------------------------------------------------------------------

    def steps(self, state: State) -> Iterator[Step]:
        """List what may happen next, in words; a fault begins with `!`."""
        for place in range(1 if state.leaders[0] == state.leaders[1] else 2):
            yield from self._lead(state, place)
        for place in 0, 1:
            yield from self._serve(state, place)
        for item in state.wire:
            rest = state._replace(wire=tuple(other for other in state.wire if other is not item))
            if isinstance(item, Input):
                yield f"{self.name(item)} arrives", self._written(rest, item)
            elif self.fits(state.journal[-1], item):
                yield f"{self.name(item)} arrives", written(rest, item)
            else:
                yield f"{self.name(item)} arrives and is refused", rest
        if state.left.losses:
            yield from self._forget(state)

    def _forget(self, state: State) -> Iterator[Step]:
        """Restart the server without its last entries, in the order they were written."""
        journal, floor, lost = state.journal, state.floor, ""
        left = spent(state.left, "losses")
        first, second = (host._replace(is_cut=bool(host.sent)) for host in state.hosts)
        for _ in range(min(state.left.depth, len(journal) + len(floor) - 1)):
            if floor and floor[-1].after == len(journal):
                lost, floor = f" {self.name(floor[-1].input)},{lost}", floor[:-1]
            else:
                lost, journal = f" {self.name(journal[-1])},{lost}", journal[:-1]
            after = State(journal, floor, (), state.leaders, (first, second), left)
            yield f"! the server restarts without{lost[:-1]}", after

    def _lead(self, state: State, place: int) -> Iterator[Step]:
        leader, top = state.leaders[place], state.journal[-1]
        if leader.unsure or top != leader.top:
            crashed = with_leader(state, place, Leader(top))
            yield f"! leader {place} crashes, and folds", crashed
            yield self._recover(state, place)
        run = self.runs[leader.top]
        if leader.unsure or run.is_over:  # closed records take nothing in
            return
        cursor = leader.cursor if self.mutant == "no consumed cursor" else run.cursor
        letter = next((one for one in state.floor if one.id > cursor), None)
        if letter is not None:
            yield from self._append(state, place, letter)
        if run.grant and state.left.deadlines:
            passed = state._replace(left=spent(state.left, "deadlines"))
            yield from self._append(passed, place, None)

    def _append(self, state: State, place: int, letter: Letter | None) -> Iterator[Step]:
        leader, top = state.leaders[place], state.journal[-1]
        number = self.decide(state, leader.top, letter)
        if self.fits(top, number):
            cursor = letter.id if letter and self.mutant == "no consumed cursor" else leader.cursor
            after = with_leader(written(state, number), place, Leader(number, 0, cursor))
            yield f"leader {place} appends {self.name(number)}", after
        else:
            folded = with_leader(state, place, Leader(top))
            yield f"leader {place} is refused {self.name(number)}, and folds", folded
        if state.left.cuts:
            wire, left = (*state.wire, number), spent(state.left, "cuts")
            cut = with_leader(state, place, leader._replace(unsure=number))
            cut = cut._replace(wire=wire, left=left)
            yield f"! leader {place} is cut off, {self.name(number)} under way", cut

    def _recover(self, state: State, place: int) -> Step:
        """Look what the server holds after a reconnect: all, less, or something else."""
        leader, top = state.leaders[place], state.journal[-1]
        held, sure = self.histories[leader.top], leader._replace(unsure=0)
        if top in (leader.top, leader.unsure):
            found = with_leader(state, place, sure._replace(top=top))
            return f"leader {place} reconnects and finds {self.name(top)}", found
        if top in held:
            number = held[held.index(top) + 1]
            mended = with_leader(written(state, number), place, sure)
            return f"leader {place} mends {self.name(number)}", mended
        if self.mutant == "a divergence is a hole" and len(held) >= len(state.journal):
            number = self.hashed(Commit(self.commits[top].seq + 1, top, why="hole"))
            halted = with_leader(written(state, number), place, Leader(number))
            return f"leader {place} halts the run", halted
        return f"leader {place} reconnects and folds", with_leader(state, place, Leader(top))

    def _serve(self, state: State, place: int) -> Iterator[Step]:
        host = state.hosts[place]
        if state.left.crashes and host.sent:
            crashed = with_host(state, place, Host(host.life + 1))
            yield f"! host {place} crashes", crashed._replace(left=spent(state.left, "crashes"))
        if host.is_cut:
            yield self._reconnect(state, place)
            return
        entry = next(self.unread(state, place), None)
        if entry is not None:
            heard = with_host(state, place, host._replace(read=(*host.read, entry)))
            yield f"host {place} reads {self.name(entry)}", heard
        given = self.to_say(state, place)
        if given is not None:
            said = with_host(state, place, host._replace(sent=(*host.sent, given)))
            yield f"host {place} sends {self.name(given)}", self._written(said, given)
            if state.left.cuts:
                wire, left = (*state.wire, given), spent(state.left, "cuts")
                cut = with_host(said, place, said.hosts[place]._replace(is_cut=True))
                cut = cut._replace(wire=wire, left=left)
                yield f"! host {place} is cut off, {self.name(given)} under way", cut

    def to_say(self, state: State, place: int) -> Input | None:
        """Tell what a host says next: that it joins, or the answer to a grant it read."""
        host = state.hosts[place]
        me, run = (place, host.life), self.runs[state.journal[-1]]
        view = self.view(host)
        number = len(host.sent) + 1
        if not host.sent:  # hosts are alike: the second begins after the first
            is_early = place > 0 and (state.left.hosts == 1 or state.hosts[0] == Host())
            return None if run.is_over or is_early else Input(me, number)
        if view.host != me:  # another has the seat; its lease lapses when it is dead
            is_free = view.seat > 0 and not self._has_lease(state, run)
            return Input(me, number) if is_free and not self.waiting(host) else None
        said = {(given.grant, given.seat) for given in host.sent}
        is_asked = view.grant and (view.grant, view.seat) not in said
        return Input(me, number, view.epoch, view.grant, view.seat) if is_asked else None

    def view(self, host: Host) -> Run:
        """Tell what a host takes the run to be, by the last entry that was no rejection."""
        told = (self.runs[one] for one in reversed(host.read) if not self.commits[one].why)
        return next(told, self.runs[0])

    def _has_lease(self, state: State, run: Run) -> bool:
        """Tell whether a live host has the seat, or has asked for it."""
        asking = [one.input for one in state.floor if one.id > run.cursor and not one.input.epoch]
        owners = [run.host, *(given.author for given in asking)]
        return any(state.hosts[place].life == life for place, life in owners)

    def unread(self, state: State, place: int) -> Iterator[int]:
        """List what a host's inbox holds after what it read: the commits that concern it."""
        host = state.hosts[place]
        me = (place, host.life)
        position = self.commits[host.read[-1]].seq if host.read else 0
        for number in state.journal if host.sent else ():
            commit = self.commits[number]
            before, given = self.runs[commit.prev], commit.given
            is_seated = before.seat > 0 and before.host == me and not commit.why
            if commit.seq > position and (is_seated or (given and given.author == me)):
                yield number

    def _reconnect(self, state: State, place: int) -> Step:
        """Look back; start over if what was read is gone, else say again what is waiting."""
        host = state.hosts[place]
        is_gone = bool(host.read) and host.read[-1] not in state.journal
        if is_gone and self.mutant != "no look back on reconnect":
            fresh = with_host(state, place, Host(host.life + 1))
            return f"host {place} looks back and starts over", fresh
        after = with_host(state, place, host._replace(is_cut=False))
        waiting = self.waiting(host)
        for given in waiting:
            after = self._written(after, given)
        again = ", ".join(map(self.name, waiting)) or "nothing"
        return f"host {place} reconnects and sends {again} again", after

    def waiting(self, host: Host) -> list[Input]:
        """List a host's letters that no entry it read names, and whose grant is not closed."""
        named = {given[:2] for given in (self.commits[one].given for one in host.read) if given}
        view = self.view(host)
        open_grants = (0, view.grant)
        return [one for one in host.sent if one[:2] not in named and one.grant in open_grants]

    def _written(self, state: State, given: Input) -> State:
        """Put an input on the floor, under an id above every cursor that may count again."""
        known = [letter.id for letter in state.floor]
        if self.mutant != "the server's clock goes back":
            tops = [state.journal[-1], *(item for item in state.wire if isinstance(item, int))]
            tops += [number for leader in state.leaders for number in leader[:2]]
            known += [self.runs[number].cursor for number in tops]
        letter = Letter(max(known, default=0) + 1, given, len(state.journal))
        return state._replace(floor=(*state.floor, letter))

    def name(self, item: int | Input) -> str:
        """Say what a commit or an input is."""
        if isinstance(item, Input):
            author = f"h{item.author[0]}" + "'" * item.author[1]
            return f"{author}'s answer to {item.epoch}" if item.epoch else f"{author}'s join"
        commit = self.commits[item]
        cause = self.name(commit.given) if commit.given else "a deadline"
        return f"{commit.seq} ({cause}{': ' + commit.why if commit.why else ''})"


def follow(run: Run, letter: Letter | None, mutant: Mutant | None) -> Commit:
    """Tell what follows from a letter, or from a deadline that passed."""
    commit = Commit(0, 0, cursor=run.cursor)
    if letter is None:
        return commit._replace(closed=run.epoch, granted=run.epoch + 1)
    given = letter.input
    commit = commit._replace(cursor=letter.id, given=given)
    if given[:2] in run.nonces and mutant != "no consumed cursor":
        return commit._replace(why="duplicate")
    if not given.epoch:
        return commit._replace(seated=run.seat + 1, granted=0 if run.grant else run.epoch + 1)
    whole = (given.grant, given.author, given.seat) == (run.grant, run.host, run.seat)
    if given.epoch != run.epoch or not (whole or mutant == "epoch alone as fence"):
        return commit._replace(why="stale")
    following = run.epoch + 1 if run.turn < run.turns else 0
    return commit._replace(closed=run.epoch, heard=run.turn, granted=following)


def evolve(run: Run, commit: Commit, number: int) -> Run:
    """Take a commit's events into a run."""
    given = commit.given
    return run._replace(
        cursor=commit.cursor,
        nonces=run.nonces | {given[:2]} if given else run.nonces,
        seat=commit.seated or run.seat,
        host=given.author if given and commit.seated else run.host,
        turn=run.turns + 1 if commit.why == "hole" else run.turn + bool(commit.heard),
        epoch=commit.granted or run.epoch,
        grant=number if commit.granted else 0 if commit.closed else run.grant,
    )


def spent(left: Budget, kind: str) -> Budget:
    return left._replace(**{kind: getattr(left, kind) - 1})


def written(state: State, number: int) -> State:
    return state._replace(journal=(*state.journal, number))


def with_leader(state: State, place: int, leader: Leader) -> State:
    first, second = state.leaders
    return state._replace(leaders=(first, leader) if place else (leader, second))


def with_host(state: State, place: int, host: Host) -> State:
    first, second = state.hosts
    return state._replace(hosts=(first, host) if place else (host, second))
