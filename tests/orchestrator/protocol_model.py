"""An explicit-state model of the protocol: every interleaving of a run with faults, to a bound.

Two leaders may both lead at any time: a lease is liveness, so it is not here. Two hosts serve
one bot. The server may forget the end of what it wrote (an append-only file cut short), a
process may die, a request may lose its way or its reply. `docs/model.md` says what is left
out, and why.

A commit is known by a small number that stands for its hash: `Model.hashed` gives equal
commits on equal histories one number, and no two others. So a history is a tuple of numbers.
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
NOBODY = (0, 0)
Author = tuple[int, int]  # a host's number, and which of its lives


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
    boot: int  # stands for `at_ms`: decided again after a restart, a commit is another one
    cursor: int = 0
    given: Input | None = None  # none: a deadline passed
    why: str = ""  # why the input was rejected
    seated: int = 0
    closed: int = 0  # an epoch: acted where something is heard, revoked where not
    heard: int = 0  # a turn; the words are the input's own
    granted: int = 0


class Run(NamedTuple):
    """What a history folds to. `grant` is the commit that made the live grant, or 0."""

    cursor: int = 0
    nonces: frozenset[tuple[Author, int]] = frozenset()
    seat: int = 0
    host: Author = NOBODY
    turn: int = 1
    epoch: int = 0
    grant: int = 0


class Leader(NamedTuple):
    """A leader: the commits it holds (none: it is to fold), and one whose reply was lost."""

    held: tuple[int, ...] = ()
    unsure: int = 0
    cursor: int = 0  # what the mutant without a cursor in its commits goes by


class Host(NamedTuple):
    """A host: the entries it read and the letters it sent in this life."""

    life: int = 0
    read: tuple[int, ...] = ()
    sent: tuple[Input, ...] = ()
    cut: bool = False  # its connection broke: it can only reconnect


class Budget(NamedTuple):
    """How often each thing may still go wrong, and all of them together."""

    faults: int
    crashes: int
    cuts: int
    losses: int
    deadlines: int


class State(NamedTuple):
    """Everything. `log` is the server's append-only file: commits and letters as written."""

    log: tuple[int | Letter, ...]
    wire: tuple[int | Input, ...]
    leaders: tuple[Leader, ...]
    hosts: tuple[Host, ...]
    boot: int
    left: Budget


Step = tuple[str, State]


class Model:
    """The rules, whole or with one of them broken."""

    def __init__(self, budget: Budget, *, mutant: Mutant | None = None) -> None:
        self.budget, self.mutant = budget, mutant
        self.commits = [Commit(0, 0, 0)]
        self._numbers: dict[Commit, int] = {}
        self._runs: dict[tuple[int, ...], Run] = {(): Run()}
        self._verdicts: dict[tuple[int, ...], str] = {}

    # --- commits: hashed, folded, decided, compared and set ---------------------------

    def hashed(self, commit: Commit) -> int:
        """Give a commit its number: its hash, for it names the commit before it by number."""
        number = self._numbers.setdefault(commit, len(self.commits))
        if number == len(self.commits):
            self.commits.append(commit)
        return number

    def fold(self, history: tuple[int, ...]) -> Run:
        """Fold commits, events alone."""
        run = self._runs.get(history)
        if run is None:
            run = self._evolve(self.fold(history[:-1]), history[-1])
            self._runs[history] = run
        return run

    def _evolve(self, run: Run, number: int) -> Run:
        commit = self.commits[number]
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

    def decide(self, held: tuple[int, ...], letter: Letter | None, boot: int) -> int:
        """Make the commit that follows from a letter, or from a deadline that passed."""
        run = self.fold(held)
        commit = Commit(self.commits[held[-1]].seq + 1, held[-1], boot, run.cursor)
        if letter is None:
            return self.hashed(commit._replace(closed=run.epoch, granted=run.epoch + 1))
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
        return self.hashed(commit)

    def _is_live(self, run: Run, given: Input) -> bool:
        """Hold a proposal against the fence."""
        if not run.grant or given.epoch != run.epoch:
            return False
        whole = (given.grant, given.author, given.seat) == (run.grant, run.host, run.seat)
        return whole or self.mutant == "epoch alone as fence"

    def fits(self, journal: tuple[int, ...], number: int) -> bool | None:
        """Compare for the set: yes, no, or none where this very commit is there already."""
        top, commit = self.commits[journal[-1]], self.commits[number]
        if self.mutant == "compare seq only":
            return None if top.seq == commit.seq else top.seq == commit.seq - 1
        if journal[-1] == number:
            return None
        if self.mutant == "id greater than top":
            return commit.seq > top.seq
        return commit.prev == journal[-1]

    # --- steps ------------------------------------------------------------------------

    def initial(self) -> State:
        """Begin with a journal that has begun, and nobody who knows it."""
        began = self.hashed(Commit(1, 0, 0))
        return State((began,), (), (Leader(), Leader()), (Host(), Host()), 0, self.budget)

    def steps(self, state: State) -> Iterator[Step]:
        """List what may happen next, in words; a fault begins with `!`."""
        journal = tuple(item for item in state.log if isinstance(item, int))
        for place in 0, 1:
            yield from self._lead(state, journal, place)
        for place in 0, 1:
            yield from self._serve(state, journal, place)
        for item in state.wire:
            wire = tuple(one for one in state.wire if one is not item)
            yield f"the wire drops {self.name(item)}", state._replace(wire=wire)
            if isinstance(item, Input):
                landed = self._written(state, item)
                yield f"the wire delivers {self.name(item)}", landed._replace(wire=wire)
            elif self.fits(journal, item):
                landed = state._replace(log=(*state.log, item), wire=wire)
                yield f"the wire delivers {self.name(item)}", landed
        left = spend(state.left, "losses")
        if left:
            hosts = tuple(host._replace(cut=bool(host.sent or host.read)) for host in state.hosts)
            for kept in range(1, len(state.log)):
                what = ", ".join(self.name(item) for item in state.log[kept:])
                yield (
                    f"! the server restarts without {what}",
                    State(state.log[:kept], (), state.leaders, hosts, state.boot + 1, left),
                )

    def _lead(self, state: State, journal: tuple[int, ...], place: int) -> Iterator[Step]:
        leader, who = state.leaders[place], f"leader {place}"
        if not leader.held:
            yield f"{who} folds the journal", with_leader(state, place, Leader(journal))
            return
        left = spend(state.left, "crashes")
        if left:
            crashed = with_leader(state, place, Leader())._replace(left=left)
            yield f"! {who} crashes", crashed
        if leader.unsure or journal[-1] != leader.held[-1]:
            yield from self._recover(state, journal, place)
        if leader.unsure:
            return
        run = self.fold(leader.held)
        cursor = leader.cursor if self.mutant == "no consumed cursor" else run.cursor
        letter = next((x for x in state.log if isinstance(x, Letter) and x.id > cursor), None)
        if letter is not None:
            number = self.decide(leader.held, letter, state.boot)
            after = Leader((*leader.held, number), 0, letter.id)
            yield from self._append(state, journal, place, number, after)
        left = state.left._replace(deadlines=state.left.deadlines - 1)
        if run.grant and left.deadlines >= 0:
            number = self.decide(leader.held, None, state.boot)
            after = leader._replace(held=(*leader.held, number))
            yield from self._append(state._replace(left=left), journal, place, number, after)

    def _append(
        self, state: State, journal: tuple[int, ...], place: int, number: int, after: Leader
    ) -> Iterator[Step]:
        who, what = f"leader {place}", self.name(number)
        fits = self.fits(journal, number)
        if fits is False:
            again = with_leader(state, place, Leader(journal))
            yield f"{who} is refused {what} and folds again", again
        else:
            log = (*state.log, number) if fits else state.log
            yield f"{who} appends {what}", with_leader(state._replace(log=log), place, after)
        left = spend(state.left, "cuts")
        if left:
            held = state.leaders[place].held
            unsure = 0 if number == after.unsure else number
            cut = with_leader(state, place, after._replace(held=held, unsure=number))
            yield (
                f"! {who} is cut off while it appends {what}",
                cut._replace(wire=(*state.wire, number), left=left),
            )

    def _recover(self, state: State, journal: tuple[int, ...], place: int) -> Iterator[Step]:
        leader, who = state.leaders[place], f"leader {place}"
        top = journal[-1]
        if top == leader.unsure:
            found = leader._replace(held=(*leader.held, top), unsure=0)
            yield f"{who} finds its {self.name(top)}", with_leader(state, place, found)
        elif top == leader.held[-1]:
            yield f"{who} reconnects", with_leader(state, place, leader._replace(unsure=0))
        elif top in leader.held:
            number = leader.held[leader.held.index(top) + 1]
            fresh = state._replace(log=(*state.log, number))
            yield (
                f"{who} mends {self.name(number)}",
                with_leader(fresh, place, leader._replace(unsure=0)),
            )
        else:
            yield f"{who} folds again", with_leader(state, place, Leader(journal))

    def _serve(self, state: State, journal: tuple[int, ...], place: int) -> Iterator[Step]:
        host, who = state.hosts[place], f"host {place}"
        left = spend(state.left, "crashes")
        if left and host.sent:
            crashed = with_host(state, place, Host(host.life + 1))
            yield f"! {who} crashes", crashed._replace(left=left)
        if host.cut:
            yield from self._reconnect(state, journal, place)
            return
        position = self.commits[host.read[-1]].seq if host.read else 0
        entry = next((one for one in journal if self.commits[one].seq > position), None)
        if entry is not None:
            heard = host._replace(read=(*host.read, entry))
            yield f"{who} reads {self.name(entry)}", with_host(state, place, heard)
        view, me = self.fold(host.read), (place, host.life)
        if not host.sent and (place == 0 or state.hosts[0] != Host()):
            yield from self._say(state, place, Input(me, 1))
        asked = view.grant and view.host == me
        if asked and all(one.grant != view.grant for one in host.sent):
            number = len(host.sent) + 1
            yield from self._say(state, place, Input(me, number, view.epoch, view.grant, view.seat))

    def _say(self, state: State, place: int, given: Input) -> Iterator[Step]:
        host, who = state.hosts[place], f"host {place}"
        host = host._replace(sent=(*host.sent, given))
        said = with_host(self._written(state, given), place, host)
        yield f"{who} sends {self.name(given)}", said
        left = spend(state.left, "cuts")
        if left:
            cut = with_host(state, place, host._replace(cut=True))
            yield (
                f"! {who} is cut off while it sends {self.name(given)}",
                cut._replace(wire=(*state.wire, given), left=left),
            )

    def _reconnect(self, state: State, journal: tuple[int, ...], place: int) -> Iterator[Step]:
        host, who = state.hosts[place], f"host {place}"
        is_there = not host.read or host.read[-1] in journal
        if not is_there and self.mutant != "no look back on reconnect":
            yield f"{who} looks back and starts over", with_host(state, place, Host(host.life + 1))
            return
        back = with_host(state, place, host._replace(cut=False))
        waiting = self.waiting(host)
        for given in waiting:
            back = self._written(back, given)
        what = ", ".join(self.name(given) for given in waiting) or "nothing"
        yield f"{who} reconnects and sends {what} again", back

    def waiting(self, host: Host) -> list[Input]:
        """List the letters of a host that no commit it read names, and whose grant is open."""
        view = self.fold(host.read)
        return [
            one
            for one in host.sent
            if one[:2] not in view.nonces and (not one.epoch or one.grant == view.grant)
        ]

    def _written(self, state: State, given: Input) -> State:
        """Put an input on the floor, under an id above all ids that anybody remembers."""
        known = [item.id for item in state.log if isinstance(item, Letter)]
        if self.mutant != "the server's clock goes back":
            tops = [leader.held[-1:] for leader in state.leaders] + [
                h.read[-1:] for h in state.hosts
            ]
            known += [self.commits[top].cursor for held in tops for top in held]
            known += [
                self.commits[one].cursor
                for one in (*state.wire, *state.log)
                if isinstance(one, int)
            ]
            known += [self.commits[leader.unsure].cursor for leader in state.leaders]
        letter = Letter(max(known, default=0) + 1, given)
        return state._replace(log=(*state.log, letter))

    def name(self, item: int | Letter | Input) -> str:
        """Say what a commit, a letter or an input is."""
        if isinstance(item, Letter):
            item = item.input
        if isinstance(item, Input):
            author = f"h{item.author[0]}" + "'" * item.author[1]
            return f"{author}'s answer to epoch {item.epoch}" if item.epoch else f"{author}'s join"
        commit = self.commits[item]
        cause = self.name(commit.given) if commit.given else "deadline"
        return f"commit {commit.seq} ({cause}{': ' + commit.why if commit.why else ''})"


def spend(left: Budget, kind: str) -> Budget | None:
    if not left.faults or not getattr(left, kind):
        return None
    if left.faults == 1:
        return Budget(0, 0, 0, 0, left.deadlines)
    return left._replace(faults=left.faults - 1, **{kind: getattr(left, kind) - 1})


def with_leader(state: State, place: int, leader: Leader) -> State:
    leaders = (leader, state.leaders[1]) if place == 0 else (state.leaders[0], leader)
    return state._replace(leaders=leaders)


def with_host(state: State, place: int, host: Host) -> State:
    hosts = (host, state.hosts[1]) if place == 0 else (state.hosts[0], host)
    return state._replace(hosts=hosts)
