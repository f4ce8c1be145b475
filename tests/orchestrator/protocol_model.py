"""An explicit-state model of the protocol: every interleaving of a run with faults, to a bound.

Two leaders lead at any time (a lease is liveness, so it is not here) and two hosts serve one
bot. Hosts die; a request loses its reply, or its way, or arrives late; the server restarts
without the end of what it wrote. `docs/model.md` says what is left out, and why.

A commit is known by a number that stands for its hash: it names the commit before it by
number, so equal numbers are equal histories.
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
    "a divergence halts the run",
    "the server's clock goes back",
]

TURNS = 2
Author = tuple[int, int]  # a host, and which of its lives


class Input(NamedTuple):
    """What a host says: `Joined` if it names no epoch, else `Proposed`. (author, number): nonce."""

    author: Author
    number: int
    epoch: int = 0
    grant: int = 0
    seat: int = 0


class Letter(NamedTuple):
    """An entry of the floor."""

    id: int
    input: Input


class Commit(NamedTuple):
    """A commit: its cause, and its events as four numbers, each 0 where there is none."""

    seq: int
    prev: int
    at: int  # stands for `at_ms`: what is decided again is another commit
    cursor: int = 0
    given: Input | None = None  # none: a deadline passed
    why: str = ""  # why the input was rejected
    seated: int = 0
    closed: int = 0  # an epoch: acted on where something is heard, revoked where nothing is
    heard: int = 0  # a turn; what was said is the input
    granted: int = 0


class Run(NamedTuple):
    """What a history folds to. `grant` is the commit that made the live grant, or 0."""

    cursor: int = 0
    nonces: frozenset[tuple[Author, int]] = frozenset()
    seat: int = 0
    host: Author = (0, 0)
    turn: int = 1
    epoch: int = 0
    grant: int = 0


class Leader(NamedTuple):
    """A leader: the last commit it holds, and one whose reply was lost."""

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
    """How often each thing may happen yet."""

    crashes: int = 0
    cuts: int = 0
    losses: int = 0
    deadlines: int = 0


class State(NamedTuple):
    """Everything. `log` is the server's append-only file: commits and letters as written."""

    log: tuple[int | Letter, ...]
    wire: tuple[int | Input, ...]
    leaders: tuple[Leader, ...]
    hosts: tuple[Host, ...]
    left: Budget


Step = tuple[str, State]


class Model:
    """The rules, whole or with one of them broken."""

    def __init__(self, budget: Budget, *, mutant: Mutant | None = None) -> None:
        self.budget, self.mutant = budget, mutant
        self.commits = [Commit(0, 0, 0)]
        self.runs = [Run()]
        self._numbers: dict[Commit, int] = {}

    # --- commits: hashed, folded, decided, compared -------------------------------------

    def hashed(self, commit: Commit) -> int:
        """Give a commit its number, and fold it."""
        number = self._numbers.setdefault(commit, len(self.commits))
        if number == len(self.commits):
            self.commits.append(commit)
            self.runs.append(evolve(self.runs[commit.prev], commit, number))
        return number

    def history(self, number: int) -> list[int]:
        """List a commit and those it stands on, the last one first."""
        found = []
        while number:
            found.append(number)
            number = self.commits[number].prev
        return found

    def decide(self, state: State, top: int, letter: Letter | None) -> int:
        """Make the commit that follows; never one that was made before and is remembered."""
        commit = self._following(top, letter)
        number = self.hashed(commit)
        if number < len(self.commits) - 1:
            known = self.remembered(state)
            while number in known:
                commit = commit._replace(at=commit.at + 1)
                number = self.hashed(commit)
        return number

    def remembered(self, state: State) -> set[int]:
        """List the commits that anybody knows of, beside the journal."""
        tops = {item for item in state.wire if isinstance(item, int)}
        for leader in state.leaders:
            tops |= {leader.top, leader.unsure}
        for host in state.hosts:
            tops |= {*host.read, *(one.grant for one in host.sent)}
        tops |= {item.input.grant for item in state.log if isinstance(item, Letter)}
        return {one for top in tops for one in self.history(top)}

    def _following(self, top: int, letter: Letter | None) -> Commit:
        """Tell what follows from a letter, or from a deadline that passed."""
        run = self.runs[top]
        commit = Commit(self.commits[top].seq + 1, top, 0, run.cursor)
        if letter is None:
            return commit._replace(closed=run.epoch, granted=run.epoch + 1)
        given = letter.input
        commit = commit._replace(cursor=letter.id, given=given)
        if given[:2] in run.nonces and self.mutant != "no consumed cursor":
            commit = commit._replace(why="duplicate")
        elif run.turn > TURNS:
            commit = commit._replace(why="ended")
        elif not given.epoch:
            first = 0 if run.grant else run.epoch + 1
            commit = commit._replace(seated=run.seat + 1, granted=first)
        elif not self._is_live(run, given):
            commit = commit._replace(why="stale")
        else:
            following = run.epoch + 1 if run.turn < TURNS else 0
            commit = commit._replace(closed=run.epoch, heard=run.turn, granted=following)
        return commit

    def _is_live(self, run: Run, given: Input) -> bool:
        """Hold a proposal against the fence."""
        whole = (given.grant, given.author, given.seat) == (run.grant, run.host, run.seat)
        return given.epoch == run.epoch and (whole or self.mutant == "epoch alone as fence")

    def fits(self, top: int, number: int) -> bool | None:
        """Compare for the set: yes, no, or none where this very commit is there already."""
        above, new = self.commits[top].seq, self.commits[number].seq
        if self.mutant == "compare seq only":
            return None if above == new else above == new - 1
        if top == number:
            return None
        if self.mutant == "id greater than top":
            return new > above
        return self.commits[number].prev == top

    # --- steps --------------------------------------------------------------------------

    def initial(self) -> State:
        began = self.hashed(Commit(1, 0, 0))
        return State((began,), (), (Leader(began),) * 2, (Host(),) * 2, self.budget)

    def steps(self, state: State) -> Iterator[Step]:
        """List what may happen next, in words; a fault begins with `!`."""
        journal = [item for item in state.log if isinstance(item, int)]
        for place in 0, 1:
            yield from self._lead(state, journal[-1], place)
        for place in 0, 1:
            yield from self._serve(state, journal, place)
        for item in state.wire:
            wire = tuple(one for one in state.wire if one is not item)
            if isinstance(item, Input):
                yield (
                    f"{self.name(item)} arrives late",
                    self._written(state, item)._replace(wire=wire),
                )
            else:
                log = (*state.log, item) if self.fits(journal[-1], item) else state.log
                yield f"{self.name(item)} arrives late", state._replace(log=log, wire=wire)
        if state.left.losses:
            left = state.left._replace(losses=state.left.losses - 1)
            hosts = tuple(host._replace(is_cut=bool(host.sent)) for host in state.hosts)
            for kept in range(1, len(state.log)):
                what = ", ".join(self.name(item) for item in state.log[kept:])
                after = State(state.log[:kept], (), state.leaders, hosts, left)
                yield f"! the server forgets {what}", after

    def _lead(self, state: State, top: int, place: int) -> Iterator[Step]:
        leader, who = state.leaders[place], f"leader {place}"
        if leader.unsure or top != leader.top:
            yield f"! {who} crashes and folds", with_leader(state, place, Leader(top))
            yield from self._recover(state, top, place)
        if leader.unsure:
            return
        run = self.runs[leader.top]
        cursor = leader.cursor if self.mutant == "no consumed cursor" else run.cursor
        letter = next((x for x in state.log if isinstance(x, Letter) and x.id > cursor), None)
        if letter is not None:
            yield from self._append(state, top, place, letter)
        if run.grant and state.left.deadlines:
            left = state.left._replace(deadlines=state.left.deadlines - 1)
            yield from self._append(state._replace(left=left), top, place, None)

    def _append(self, state: State, top: int, place: int, letter: Letter | None) -> Iterator[Step]:
        leader, who = state.leaders[place], f"leader {place}"
        number = self.decide(state, leader.top, letter)
        what, fits = self.name(number), self.fits(top, number)
        if fits is False:
            yield f"{who} is refused {what} and folds", with_leader(state, place, Leader(top))
        else:
            cursor = letter.id if letter and self.mutant == "no consumed cursor" else leader.cursor
            log = (*state.log, number) if fits else state.log
            after = with_leader(state, place, Leader(number, 0, cursor))._replace(log=log)
            yield f"{who} appends {what}", after
        if state.left.cuts:
            left = state.left._replace(cuts=state.left.cuts - 1)
            cut = with_leader(state, place, leader._replace(unsure=number))._replace(left=left)
            wire = (*state.wire, number)
            yield f"! {who} sends {what} and is cut off", cut._replace(wire=wire)

    def _recover(self, state: State, top: int, place: int) -> Iterator[Step]:
        leader, who = state.leaders[place], f"leader {place}"
        held = self.history(leader.top)
        if top == leader.unsure:
            after = with_leader(state, place, leader._replace(top=top, unsure=0))
            yield f"{who} reconnects and finds {self.name(top)}", after
        elif top == leader.top:
            yield f"{who} reconnects", with_leader(state, place, leader._replace(unsure=0))
        elif top in held:
            number = held[held.index(top) - 1]
            after = with_leader(state, place, leader._replace(unsure=0))
            yield f"{who} mends {self.name(number)}", after._replace(log=(*state.log, number))
        else:
            yield f"{who} reconnects and folds", with_leader(state, place, Leader(top))

    def _serve(self, state: State, journal: list[int], place: int) -> Iterator[Step]:
        host, who, left = state.hosts[place], f"host {place}", state.left
        if left.crashes and host.sent:
            crashed = with_host(state, place, Host(host.life + 1))
            yield f"! {who} crashes", crashed._replace(left=left._replace(crashes=left.crashes - 1))
        if host.is_cut:
            yield from self._reconnect(state, journal, place)
            return
        entry = self.unread(host, place, journal)
        if entry:
            after = with_host(state, place, host._replace(read=(*host.read, entry)))
            yield f"{who} reads {self.name(entry)}", after
        if not host.sent and (place == 0 or state.hosts[0] != Host()):
            yield from self._say(state, place, Input((place, host.life), 1))
        asked = self.asked(host, place)
        if asked:
            yield from self._say(state, place, asked)

    def asked(self, host: Host, place: int) -> Input | None:
        """Tell what a host has to answer, by what it has read."""
        view = self.runs[host.read[-1] if host.read else 0]
        if view.host != (place, host.life) or not view.grant:
            return None
        if any(one.grant == view.grant for one in host.sent):
            return None
        return Input(view.host, len(host.sent) + 1, view.epoch, view.grant, view.seat)

    def unread(self, host: Host, place: int, journal: list[int]) -> int:
        """Find the next entry of a host's inbox, or 0: what concerns it, after what it read."""
        me = (place, host.life)
        position = self.commits[host.read[-1]].seq if host.read else 0
        for one in journal:
            commit = self.commits[one]
            if commit.seq > position and host.sent:
                before, after = self.runs[commit.prev], self.runs[one]
                is_named = commit.given is not None and commit.given.author == me
                if is_named or (me in (before.host, after.host) and after.seat and not commit.why):
                    return one
        return 0

    def _say(self, state: State, place: int, given: Input) -> Iterator[Step]:
        host, who, what = state.hosts[place], f"host {place}", self.name(given)
        said = with_host(state, place, host._replace(sent=(*host.sent, given)))
        yield f"{who} sends {what}", self._written(said, given)
        if state.left.cuts:
            cut = with_host(said, place, said.hosts[place]._replace(is_cut=True))
            cut = cut._replace(left=state.left._replace(cuts=state.left.cuts - 1))
            yield f"! {who} sends {what} and is cut off", cut._replace(wire=(*state.wire, given))

    def _reconnect(self, state: State, journal: list[int], place: int) -> Iterator[Step]:
        host, who = state.hosts[place], f"host {place}"
        is_there = not host.read or host.read[-1] in journal
        if not is_there and self.mutant != "no look back on reconnect":
            yield f"{who} looks back and starts over", with_host(state, place, Host(host.life + 1))
            return
        after = with_host(state, place, host._replace(is_cut=False))
        waiting = self.waiting(host)
        for given in waiting:
            after = self._written(after, given)
        what = " and sends again " + ", ".join(map(self.name, waiting)) if waiting else ""
        yield f"{who} reconnects{what}", after

    def waiting(self, host: Host) -> list[Input]:
        """List a host's letters that no commit it read names, and whose grant it saw no end of."""
        named = {(c.given[:2] if c.given else 0) for c in (self.commits[one] for one in host.read)}
        view = self.runs[host.read[-1] if host.read else 0]
        return [
            one
            for one in host.sent
            if one[:2] not in named and (not one.epoch or one.grant == view.grant)
        ]

    def _written(self, state: State, given: Input) -> State:
        """Put an input on the floor, under an id above all that anybody remembers."""
        known = [item.id for item in state.log if isinstance(item, Letter)]
        if self.mutant != "the server's clock goes back":
            held = [item for item in (*state.log, *state.wire) if isinstance(item, int)]
            held += [number for leader in state.leaders for number in leader[:2]]
            held += [number for host in state.hosts for number in host.read]
            known += [self.commits[number].cursor for number in held]
        return state._replace(log=(*state.log, Letter(max(known, default=0) + 1, given)))

    def name(self, item: int | Letter | Input) -> str:
        """Say what a commit, a letter or an input is."""
        if isinstance(item, Letter):
            item = item.input
        if isinstance(item, Input):
            author = f"h{item.author[0]}" + "'" * item.author[1]
            return f"{author}'s answer to epoch {item.epoch}" if item.epoch else f"{author}'s join"
        commit = self.commits[item]
        cause = self.name(commit.given) if commit.given else "deadline" if item > 1 else "began"
        return f"commit {commit.seq} ({cause}{': ' + commit.why if commit.why else ''})"


def evolve(run: Run, commit: Commit, number: int) -> Run:
    """Take a commit's events into a run."""
    given = commit.given
    return Run(
        cursor=commit.cursor,
        nonces=run.nonces | {given[:2]} if given else run.nonces,
        seat=commit.seated or run.seat,
        host=given.author if given and commit.seated else run.host,
        turn=run.turn + bool(commit.heard),
        epoch=commit.granted or run.epoch,
        grant=number if commit.granted else 0 if commit.closed else run.grant,
    )


def with_leader(state: State, place: int, leader: Leader) -> State:
    leaders = (leader, state.leaders[1]) if place == 0 else (state.leaders[0], leader)
    return state._replace(leaders=leaders)


def with_host(state: State, place: int, host: Host) -> State:
    hosts = (host, state.hosts[1]) if place == 0 else (state.hosts[0], host)
    return state._replace(hosts=hosts)
