"""Which calls go wrong, and how: a plan that is drawn by place, so that it repeats itself.

A plan is a YAML or JSON file:

    seed: 7
    faults:
      - {fault: busy, calls: [2, 3]}
      - {fault: drip, every: 10, seconds: 0.2}
      - {fault: cut, share: 0.05}

Calls are the requests to `/api/chat` and `/api/generate`, from 1 in the order they came.
A rule that names calls goes before one that gives a share; of the shares one draw
decides, so that they add up.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from threading import Lock
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from utils.seeds import seed_for
from utils.yamlfile import parse, read

Kind = Literal[
    "latency",
    "drip",
    "busy",
    "error_500",
    "missing",
    "error_body",
    "error_line",
    "no_done",
    "cut",
    "half_line",
    "garbage_line",
    "blank_line",
    "reset",
    "refuse",
    "empty",
    "think_tags",
    "thinking_only",
    "other_name",
    "same_token",
    "invalid_utf8",
    "line_separators",
    "huge",
    "wrong_model",
    "html",
    "digest",
]

LOST = "These words are lost."


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Fault(_Frozen):
    """One way to go wrong, and when.

    Attributes:
        calls: At these calls, from 1.
        every: At every call whose number this divides.
        share: At so large a share of the calls, in (0, 1].
        seconds: Of `latency` before the headers, of `drip` between two tokens, of
            `refuse` how long nobody is let in.
        text: What a fault in mid-answer says before it; in `think_tags` and
            `thinking_only`, what is thought; in `other_name`, what is said.
    """

    fault: Kind
    calls: tuple[Annotated[int, Field(ge=1)], ...] = ()
    every: int | None = Field(default=None, ge=1)
    share: float | None = Field(default=None, gt=0, le=1)
    seconds: float = Field(default=0.2, ge=0, le=86_400)
    text: str = Field(default=LOST, min_length=1, max_length=1_000)

    @model_validator(mode="after")
    def _has_one_when(self) -> Fault:
        if [bool(self.calls), self.every is not None, self.share is not None].count(True) != 1:
            raise ValueError("must say when: one of 'calls', 'every' or 'share'")
        return self


def _within_one(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    if sum(fault.share or 0 for fault in faults) > 1 + 1e-9:
        raise ValueError("must have shares that add up to 1 at most")
    return faults


class FaultPlan(_Frozen):
    """What goes wrong in the course of a server's life."""

    seed: int = 0
    faults: Annotated[tuple[Fault, ...], Field(max_length=1_000), AfterValidator(_within_one)] = ()

    def at(self, call: int) -> Fault | None:
        """Tell what goes wrong at a call.

        Args:
            call: From 1.

        Example:
            >>> plan = FaultPlan(faults=(Fault(fault="busy", calls=(2,)),))
            >>> [plan.at(call) and plan.at(call).fault for call in (1, 2, 3)]
            [None, 'busy', None]
        """
        for fault in self.faults:
            if call in fault.calls or (fault.every and call % fault.every == 0):
                return fault
        drawn, upto = seed_for(self.seed, "fault", call) / 2**64, 0.0
        for fault in self.faults:
            upto += fault.share or 0
            if drawn < upto:
                return fault
        return None


def read_plan(path: Path) -> FaultPlan:
    """Read a plan from its file.

    Raises:
        BadFile: It is none; the line says where, and what was expected.
    """
    return parse(read(path), FaultPlan)


class FaultPlayer:
    """Counts a server's calls, and says what goes wrong at each. Safe in several threads."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._lock = Lock()
        self._calls = 0
        self._played: Counter[Kind] = Counter()

    def next(self) -> Fault | None:
        """Count one more call, and tell what goes wrong at it."""
        with self._lock:
            self._calls += 1
            fault = self._plan.at(self._calls)
            if fault is not None:
                self._played[fault.fault] += 1
            return fault

    @property
    def calls(self) -> int:
        """How many calls there were."""
        return self._calls

    @property
    def played(self) -> Counter[Kind]:
        """How often each fault happened."""
        with self._lock:
            return self._played.copy()
