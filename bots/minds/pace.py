"""How fast a model server answers, as measured: what a call there will take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bots.minds.seam import Answer
from utils.spec import Option

WEIGHT = 0.3
"""What the newest call counts for in the mean."""

MARGIN = 3
"""A call may well take so many times the mean."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Moving means of the calls to one model at one server. 0 where nothing is known.

    Attributes:
        call_ms: What a call takes, from sending to the last byte.
        tokens_per_s: How fast the answer comes, by the server's own count.
    """

    call_ms: float = 0.0
    tokens_per_s: float = 0.0

    def after(self, answer: Answer, *, took_ms: float) -> Pace:
        """Take one more call into the means.

        Example:
            >>> pace = Pace().after(Answer(answer_tokens=30, answer_ns=2_000_000_000), took_ms=2500)
            >>> pace
            Pace(call_ms=2500, tokens_per_s=15.0)
            >>> pace.after(Answer(), took_ms=1500).call_ms
            2200.0
        """
        tokens_per_s = self.tokens_per_s
        if answer.answer_tokens and answer.answer_ns:
            measured = answer.answer_tokens / (answer.answer_ns / 1e9)
            tokens_per_s = _mean(self.tokens_per_s, measured)
        return Pace(_mean(self.call_ms, took_ms), tokens_per_s)

    def longest_ms(self, options: Mapping[str, Option]) -> int:
        """Tell how long an answer takes that is as long as it may be; 0 if nobody can say.

        Example:
            >>> Pace(call_ms=2500, tokens_per_s=15).longest_ms({"num_predict": 150})
            12500
        """
        tokens = options.get("num_predict", -1)
        if not self.tokens_per_s or not isinstance(tokens, int | float) or tokens <= 0:
            return 0
        return round(self.call_ms + tokens / self.tokens_per_s * 1000)

    def need_ms(self, options: Mapping[str, Option], *, rounds: int, allow_ms: int) -> int:
        """Estimate how long a call takes that waits for others to be done first.

        Where nothing was measured yet, each is taken to need its whole allowance.

        Args:
            options: Of the call.
            rounds: How often a slot must come free before it is this call's turn.
            allow_ms: The allowance of a call.

        Example:
            >>> Pace().need_ms({}, rounds=2, allow_ms=9_000)
            27000
            >>> Pace(call_ms=500).need_ms({}, rounds=4, allow_ms=9_000)
            3500
        """
        if not self.call_ms:
            return (rounds + 1) * allow_ms
        own_ms = max(min(allow_ms, MARGIN * self.call_ms), self.longest_ms(options))
        return round(rounds * self.call_ms + own_ms)


def _mean(old: float, new: float) -> float:
    return old + WEIGHT * (new - old) if old else new
