"""What goes wrong on the way to the server and back, drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import redis

from tests.chaos.scheduler import Killed, Process, Scheduler, Task
from tests.chaos.server import Server

if TYPE_CHECKING:
    from tests.chaos.wire import Line

Fault = Literal[
    "cut before",
    "cut reply",
    "late",
    "delay",
    "partition",
    "kill",
    "freeze",
    "sleep",
    "server killed",
    "tail lost",
    "clock ahead",
    "clock back",
]
"""`late`: the connection is cut, and what was sent arrives after it was perhaps sent again.
`sleep`: as `freeze`, and the machine's own clock stands still meanwhile. `tail lost`: the
server is killed, and comes back without the end of what it acknowledged."""

FAULTS: tuple[Fault, ...] = Fault.__args__  # type: ignore[attr-defined]

CUTS = ("cut before", "cut reply", "late")
AT_REST = ("kill", "freeze", "sleep")


class Weather(NamedTuple):
    """How often what goes wrong.

    Attributes:
        rates: Each fault to its chance at each command, before it and after it.
        most: Most faults.
        calm_ms: From when on nothing goes wrong.
        lease_ms: What the faults' lengths are measured by.
        deepest: Most groups of writes that a server forgets at once.
    """

    rates: dict[Fault, float]
    most: int
    calm_ms: int
    lease_ms: int
    deepest: int = 12


class Happened(NamedTuple):
    """One fault."""

    at_ms: int
    fault: Fault
    process: str
    detail: str


class Network:
    """All connections to the one server.

    Attributes:
        faults: What went wrong, in order.
        came_ms: When each entry with a hash, a commit, came first, by that hash.
        offset_ms: How far the server's clock is ahead of true time.
        on_death: Called with a process that was killed, so that another may begin.
    """

    def __init__(
        self, scheduler: Scheduler, chance: Random, weather: Weather, server: Server
    ) -> None:
        self.scheduler, self.chance, self.weather = scheduler, chance, weather
        self.faults: list[Happened] = []
        self.came_ms: dict[str, int] = {}
        self.offset_ms = 0
        self.on_death: Callable[[Process], None] = lambda process: None
        self.server = server
        self.server.on_entry = self._entry_came
        self._waiting: dict[str, list[Task]] = {}
        self._partitioned: dict[Process, int] = {}
        self._kinds = [fault for fault, rate in weather.rates.items() if rate]
        self._rates = [weather.rates[fault] for fault in self._kinds]
        self._any = sum(self._rates)

    @property
    def counts(self) -> Counter[str]:
        return Counter(one.fault for one in self.faults)

    @property
    def server_ms(self) -> int:
        """Tell the server's time."""
        return self.scheduler.now_ms + self.offset_ms

    # --- a request and its reply ------------------------------------------------------

    def exchange(self, line: Line, commands: list[list[str]]) -> list[Any]:
        """Send commands and return the replies; whatever may happen, happens."""
        self._jitter()
        fault = self._drawn()
        if fault:
            what = " ".join(command[0] for command in commands)
            self._note(fault, line, f"before {what}")
            if fault not in CUTS:  # between two commands: the line may be another after it
                self._befall(fault, line)
        line.connect()
        if fault in CUTS:
            self._cut(fault, line, commands)
        replies = self._perform(line, commands)
        fault = self._drawn()
        if fault:
            self._after(fault, line)
        if line.process.is_dead:
            raise Killed
        return replies

    def rest(self, line: Line) -> None:
        """Let a process wait for its disk: it may be killed there, or stand still."""
        self._jitter()
        fault = self._drawn()
        if fault in AT_REST:
            self._note(fault, line, "at its disk")
            self._befall(fault, line)

    def is_reachable(self, process: Process) -> bool:
        until_ms = self._partitioned.get(process, 0)
        return not self.server.is_down and until_ms <= self.scheduler.now_ms

    def _jitter(self) -> None:
        """Give others a turn now and then, and let a little time pass."""
        drawn = self.chance.random()
        if drawn < 0.06:
            self.scheduler.wait(0 if drawn < 0.03 else self.chance.randrange(1, 20))

    def _perform(self, line: Line, commands: list[list[str]]) -> list[Any]:
        replies: list[Any] = []
        queued: list[list[str]] | None = None
        for command in commands:
            if command[0] == "MULTI":
                queued = []
                replies.append("OK")
            elif command[0] == "EXEC":
                replies.append(self.server.transact(queued or []))
                queued = None
            elif queued is not None:
                queued.append(command)
                replies.append("QUEUED")
            else:
                replies.append(self._execute(line, command))
        return replies

    def _execute(self, line: Line | None, command: list[str]) -> Any:
        try:
            reply = self.server.execute(command)
            if reply is None and command[0] == "XREAD" and "BLOCK" in command and line:
                return self._block(line, command)
        except redis.ResponseError as error:
            return error
        return reply

    def _block(self, line: Line, command: list[str]) -> Any:
        """Wait for an entry as XREAD does; a server that dies breaks the wait."""
        until_ms = self.scheduler.now_ms + int(command[command.index("BLOCK") + 1])
        names = command[command.index("STREAMS") + 1 :]
        task = self.scheduler.current
        assert task is not None
        while self.scheduler.now_ms < until_ms:
            for key in names[: len(names) // 2]:
                self._waiting.setdefault(key, []).append(task)
            try:
                self.scheduler.wait(until_ms - self.scheduler.now_ms)
            finally:
                for waiting in self._waiting.values():
                    if task in waiting:
                        waiting.remove(task)
            if line.life != self.server.lives or not self.is_reachable(line.process):
                line.break_off("the connection broke while it waited")
            reply = self.server.execute(command)
            if reply is not None:
                return reply
        return None

    def _entry_came(self, key: str) -> None:
        stream = self.server.stream(key)
        if stream and stream.fields[-1][2:3] == ["h"]:
            self.came_ms.setdefault(stream.fields[-1][3], self.scheduler.now_ms)
        for task in self._waiting.pop(key, ()):
            self.scheduler.wake(task)

    # --- faults -----------------------------------------------------------------------

    def _drawn(self) -> Fault | None:
        if self.chance.random() >= self._any or len(self.faults) >= self.weather.most:
            return None
        if self.scheduler.now_ms >= self.weather.calm_ms:
            return None
        return self.chance.choices(self._kinds, self._rates)[0]

    def _note(self, fault: Fault, line: Line, detail: object = "") -> None:
        self.faults.append(Happened(self.scheduler.now_ms, fault, line.process.name, str(detail)))

    def _while(self) -> int:
        """Draw how long something lasts: from a tenth of a lease to three."""
        return self.chance.randrange(self.weather.lease_ms // 10, 3 * self.weather.lease_ms)

    def _cut(self, fault: Fault, line: Line, commands: list[list[str]]) -> None:
        """Break the line before all that was sent has arrived."""
        if fault == "late":
            self.scheduler.call(self._while(), lambda: self._arrive(commands))
            line.break_off("cut, and it arrives late")
        if commands[0][0] != "MULTI":
            for command in commands[: self.chance.randrange(len(commands))]:
                self._execute(None, command)
        line.break_off("cut before the server had it")

    def _after(self, fault: Fault, line: Line) -> None:
        self._note(fault, line, "after")
        if fault in CUTS:
            line.break_off("cut before the reply")
        self._befall(fault, line)
        if line.life != self.server.lives:
            line.break_off("the connection broke before the reply")

    def _arrive(self, commands: list[list[str]]) -> None:
        """Let what a broken connection carried arrive all the same."""
        if not self.server.is_down and commands[0][0] not in ("XREAD", "XRANGE"):
            queued = [one for one in commands if one[0] not in ("MULTI", "EXEC")]
            if commands[0][0] == "MULTI":
                self.server.transact(queued)
            else:
                for command in queued:
                    self._execute(None, command)

    def _befall(self, fault: Fault, line: Line) -> None:
        """Let something happen to a process or to the server."""
        process = line.process
        if fault == "delay":
            self.scheduler.wait(self._while())
        elif fault == "partition":
            self._partitioned[process] = self.scheduler.now_ms + self._while()
            line.break_off("nothing gets through")
        elif fault == "kill":
            process.is_dead = True
            self.on_death(process)
            raise Killed
        elif fault in ("freeze", "sleep"):
            ms = self._while()
            process.frozen_until_ms = self.scheduler.now_ms + ms
            if fault == "sleep":
                line.clock.stood_still_ms += ms
            self.scheduler.wait(0)
        elif fault in ("server killed", "tail lost"):
            self.kill_server(lost=fault == "tail lost")
            line.break_off("the server died")
        elif fault == "clock ahead":
            self.offset_ms += self._while()
        elif fault == "clock back":
            self.offset_ms -= self._while()

    def kill_server(self, *, lost: bool = False) -> None:
        """Have the server die, and come back after a while."""
        if self.server.is_down:
            return
        self.server.is_down = True
        groups = self.chance.randrange(1, self.weather.deepest + 1) if lost else 0
        self.server.restart(lost=groups)
        for tasks in list(self._waiting.values()):
            for task in tasks:
                self.scheduler.wake(task)

        def come_back() -> None:
            self.server.is_down = False

        self.scheduler.call(self.chance.randrange(10, self.weather.lease_ms), come_back)
