"""An explicit-state model of the protocol: a run with faults, every interleaving, to a bound.

Two leaders lead at any time (a lease is liveness, so it is not here) and two hosts serve one
bot. Hosts die, requests arrive late and are made again, and the server restarts without the
end of what it wrote. `docs/model.md` says what is left out, and why.

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
    "a divergence is a hole",
    "the server's clock goes back",
]
Author = tuple[int, int]  # a host, and which of its lives

TURNS = 2


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
    at: int  # stands for `at_ms`: what is decided again is another commit
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

    @property
    def is_over(self) -> bool:
        return self.turn > TURNS


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
    """How often each thing may happen yet. `depth`: entries a server forgets at most."""

    crashes: int = 0
    cuts: int = 0
    losses: int = 0
    deadlines: int = 0
    depth: int = 99


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
        self.budget, self.mutant = budget, mutant
        self.commits = [Commit(0, 0, 0)]
        self.runs = [Run()]
        self.histories: list[tuple[int, ...]] = [()]
        self._numbers: dict[Commit, int] = {}

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
        return {one for top in tops for one in self.histories[top]}

    def fits(self, top: int, number: int) -> bool:
        """Compare, for the set."""
        commit, above = self.commits[number], self.commits[top]
        if self.mutant == "compare seq only":
            return commit.seq == above.seq + 1
        if self.mutant == "id greater than top":
            return commit.seq > above.seq
        return commit.prev == top

    # --- steps --------------------------------------------------------------------------

    def initial(self) -> State:
        began = self.hashed(Commit(1, 0, 0))
        leader, host = Leader(began), Host()
        return State((began,), (), (), (leader, leader), (host, host), self.budget)

    def steps(self, state: State) -> Iterator[Step]:
        """List what may happen next, in words; a fault begins with `!`."""
        for place in 0, 1:
            yield from self._lead(state, place)
            yield from self._serve(state, place)
        for item in state.wire:
            rest = state._replace(wire=tuple(one for one in state.wire if one is not item))
            if isinstance(item, Input):
                yield f"{self.name(item)} arrives late", self._written(rest, item)
            else:
                fits = self.fits(state.journal[-1], item)
                journal = (*state.journal, item) if fits else state.journal
                yield f"{self.name(item)} arrives late", rest._replace(journal=journal)
        if state.left.losses:
            yield from self._forget(state)

    def _forget(self, state: State) -> Iterator[Step]:
        """Restart the server without its last entries, in the order they were written."""
        journal, floor, lost = state.journal, state.floor, ""
        left = spent(state.left, "losses")
        hosts = tuple(host._replace(is_cut=bool(host.sent)) for host in state.hosts)
        for _ in range(min(state.left.depth, len(journal) + len(floor) - 1)):
            if floor and floor[-1].after == len(journal):
                lost, floor = f"{self.name(floor[-1].input)}, {lost}", floor[:-1]
            else:
                lost, journal = f"{self.name(journal[-1])}, {lost}", journal[:-1]
            yield (
                f"! the server restarts without {lost[:-2]}",
                State(journal, floor, (), state.leaders, (hosts[0], hosts[1]), left),
            )

    def _lead(self, state: State, place: int) -> Iterator[Step]:
        leader, top, who = state.leaders[place], state.journal[-1], f"leader {place}"
        if leader.unsure or top != leader.top:
            yield f"! {who} crashes, and folds", with_leader(state, place, Leader(top))
            yield from self._recover(state, place)
        run = self.runs[leader.top]
        if leader.unsure or run.is_over:
            return
        cursor = leader.cursor if self.mutant == "no consumed cursor" else run.cursor
        letter = next((one for one in state.floor if one.id > cursor), None)
        if letter is not None:
            yield from self._append(state, place, letter)
        if run.grant and state.left.deadlines:
            yield from self._append(
                state._replace(left=spent(state.left, "deadlines")), place, None
            )

    def _append(self, state: State, place: int, letter: Letter | None) -> Iterator[Step]:
        leader, top, who = state.leaders[place], state.journal[-1], f"leader {place}"
        number = self.decide(state, leader.top, letter)
        what = self.name(number)
        if self.fits(top, number):
            cursor = letter.id if letter and self.mutant == "no consumed cursor" else leader.cursor
            after = with_leader(state, place, Leader(number, 0, cursor))
            yield f"{who} appends {what}", after._replace(journal=(*state.journal, number))
        else:
            yield f"{who} is refused {what}, and folds", with_leader(state, place, Leader(top))
        if state.left.cuts:
            cut = with_leader(state, place, leader._replace(unsure=number))
            cut = cut._replace(wire=(*state.wire, number), left=spent(state.left, "cuts"))
            yield f"! {who} is cut off while it appends {what}", cut

    def _recover(self, state: State, place: int) -> Iterator[Step]:
        """Look what the server holds after a reconnect: all, less, or something else."""
        leader, top, who = state.leaders[place], state.journal[-1], f"leader {place}"
        held = self.histories[leader.top]
        sure = leader._replace(unsure=0)
        if top == leader.unsure:
            after = with_leader(state, place, sure._replace(top=top))
            yield f"{who} reconnects and finds {self.name(top)}", after
        elif top == leader.top:
            yield f"{who} reconnects", with_leader(state, place, sure)
        elif top in held:
            number = held[held.index(top) + 1]
            after = with_leader(state, place, sure)
            yield (
                f"{who} mends {self.name(number)}",
                after._replace(journal=(*state.journal, number)),
            )
        else:
            yield f"{who} reconnects and folds", with_leader(state, place, Leader(top))

    def _serve(self, state: State, place: int) -> Iterator[Step]:
        host, who = state.hosts[place], f"host {place}"
        if state.left.crashes and host.sent:
            crashed = with_host(state, place, Host(host.life + 1))
            yield f"! {who} crashes", crashed._replace(left=spent(state.left, "crashes"))
        if host.is_cut:
            yield from self._reconnect(state, place)
            return
        entry = self.unread(state, place)
        if entry:
            after = with_host(state, place, host._replace(read=(*host.read, entry)))
            yield f"{who} reads {self.name(entry)}", after
        given = self.to_say(state, place)
        if given is not None:
            said = with_host(state, place, host._replace(sent=(*host.sent, given)))
            yield f"{who} sends {self.name(given)}", self._written(said, given)
            if state.left.cuts:
                cut = said._replace(wire=(*state.wire, given), left=spent(state.left, "cuts"))
                cut = with_host(cut, place, said.hosts[place]._replace(is_cut=True))
                yield f"! {who} is cut off while it sends {self.name(given)}", cut

    def to_say(self, state: State, place: int) -> Input | None:
        """Tell what a host says next: that it joins, or the answer to a grant it read."""
        host = state.hosts[place]
        if not host.sent:
            is_next = place == 0 or state.hosts[0] != Host()  # hosts are alike: one is first
            is_over = self.runs[state.journal[-1]].is_over
            return Input((place, host.life), 1) if is_next and not is_over else None
        view = self.runs[host.read[-1] if host.read else 0]
        if not view.grant or view.host != (place, host.life):
            return None
        if any(given.grant == view.grant for given in host.sent):
            return None
        return Input(view.host, len(host.sent) + 1, view.epoch, view.grant, view.seat)

    def unread(self, state: State, place: int) -> int:
        """Find the next entry of a host's inbox, or 0: what concerns it, after what it read."""
        host = state.hosts[place]
        me = (place, host.life)
        position = self.commits[host.read[-1]].seq if host.read else 0
        for number in state.journal if host.sent else ():
            commit = self.commits[number]
            if commit.seq > position:
                given, before = commit.given, self.runs[commit.prev]
                if given and given.author == me:
                    return number
                if before.seat and before.host == me and not commit.why:
                    return number
        return 0

    def _reconnect(self, state: State, place: int) -> Iterator[Step]:
        """Look back; start over if what was read is gone, else say again what is waiting."""
        host, who = state.hosts[place], f"host {place}"
        is_gone = bool(host.read) and host.read[-1] not in state.journal
        if is_gone and self.mutant != "no look back on reconnect":
            yield f"{who} looks back and starts over", with_host(state, place, Host(host.life + 1))
            return
        after = with_host(state, place, host._replace(is_cut=False))
        waiting = self.waiting(host)
        for given in waiting:
            after = self._written(after, given)
        again = ", ".join(map(self.name, waiting)) or "nothing"
        yield f"{who} reconnects and sends {again} again", after

    def waiting(self, host: Host) -> list[Input]:
        """List a host's letters that no entry it read names, and whose grant is not closed."""
        named = {given[:2] for given in (self.commits[one].given for one in host.read) if given}
        view = self.runs[host.read[-1] if host.read else 0]
        return [
            given
            for given in host.sent
            if given[:2] not in named and given.grant in (0, view.grant)
        ]

    def _written(self, state: State, given: Input) -> State:
        """Put an input on the floor, under an id above every cursor that may count again."""
        known = [letter.id for letter in state.floor]
        if self.mutant != "the server's clock goes back":
            tops = {item for item in state.wire if isinstance(item, int)} | {state.journal[-1]}
            tops.update(number for leader in state.leaders for number in leader[:2])
            known += [self.runs[number].cursor for number in tops]
        letter = Letter(max(known, default=0) + 1, given, len(state.journal))
        return state._replace(floor=(*state.floor, letter))

    def name(self, item: int | Input) -> str:
        """Say what a commit or an input is."""
        if isinstance(item, Input):
            author = f"h{item.author[0]}" + "'" * item.author[1]
            return f"{author}'s answer to epoch {item.epoch}" if item.epoch else f"{author}'s join"
        commit = self.commits[item]
        cause = self.name(commit.given) if commit.given else "a deadline"
        return f"commit {commit.seq} ({cause}{': ' + commit.why if commit.why else ''})"

    # --- steps taken at once ------------------------------------------------------------

    def settled(self, state: State) -> State:
        """Take at once every step whose moment makes no difference to any other."""
        while True:
            state = self._leaders_settled(state)
            if state.left.losses:
                return state
            state = self._readers_settled(state)
            top = state.journal[-1]
            if state.left.cuts or state.left.deadlines or self.runs[top].is_over or not state.floor:
                return state
            if state.leaders != (Leader(top), Leader(top)) or any(
                isinstance(x, int) for x in state.wire
            ):
                return state
            number = self.decide(state, top, state.floor[0])
            state = state._replace(
                journal=(*state.journal, number), leaders=(Leader(number), Leader(number))
            )

    def _leaders_settled(self, state: State) -> State:
        top = state.journal[-1]
        held = [self.histories[leader.top] for leader in state.leaders]
        first, second = (Leader(one[-1] if top in one else top) for one in held)
        leaders = (Leader(top) if first == second else min(first, second), max(first, second))
        wire = tuple(
            item
            for item in state.wire
            if isinstance(item, Input)
            or self.commits[item].prev == top
            or any(top in one and self.commits[item].prev in one for one in held)
        )
        return state._replace(wire=wire, leaders=leaders)

    def _readers_settled(self, state: State) -> State:
        run = self.runs[state.journal[-1]]
        for place in 0, 1:
            host = state.hosts[place]
            while not host.is_cut and host.sent and self.to_say(state, place) is None:
                entry = self.unread(state, place)
                if not entry:
                    break
                host = host._replace(read=(*host.read, entry))
                state = with_host(state, place, host)
        floor = tuple(letter._replace(after=0) for letter in state.floor if letter.id > run.cursor)
        return state._replace(floor=() if run.is_over else floor)


def follow(run: Run, letter: Letter | None, mutant: Mutant | None) -> Commit:
    """Tell what follows from a letter, or from a deadline that passed."""
    commit = Commit(0, 0, 0, run.cursor)
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
    following = run.epoch + 1 if run.turn < TURNS else 0
    return commit._replace(closed=run.epoch, heard=run.turn, granted=following)


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


def spent(left: Budget, kind: str) -> Budget:
    return left._replace(**{kind: getattr(left, kind) - 1})


def with_leader(state: State, place: int, leader: Leader) -> State:
    first, second = state.leaders
    return state._replace(leaders=(first, leader) if place else (leader, second))


def with_host(state: State, place: int, host: Host) -> State:
    first, second = state.hosts
    return state._replace(hosts=(first, host) if place else (host, second))
