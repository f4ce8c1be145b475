"""A mind that is a function of the request: a baseline, a null model, a trained policy."""

from __future__ import annotations

from collections.abc import Callable

from bots.minds.seam import NOTHING_KNOWN, Answer, Request, StopSignal
from utils import plugins
from utils.calls import Source
from utils.errors import BadInput, MindFailed
from utils.protocol import Act, Action, Pass, Say
from utils.spec import ModelSpec, Option

RULES = "parley.rules"

Rule = Callable[[Request], Action]


class RuleMind:
    """Does what a rule says. The rule is a plugin of the group `parley.rules`.

    Args:
        model: Its `rule` names the plugin.

    Raises:
        BadInput: There is no such rule, or it is not a function.
    """

    source: Source = "rule"
    waits = False
    about = NOTHING_KNOWN

    def __init__(self, model: ModelSpec) -> None:
        found = plugins.find(RULES, model.rule)
        if not callable(found):
            raise BadInput(f"the rule '{model.rule}' is not a function of a request")
        self._name = model.rule
        self._rule: Rule = found

    def preflight(self) -> None:
        """Nothing can be missing: the rule was found when the mind was made."""

    def answer(self, request: Request, stop: StopSignal) -> Answer:
        """Do what the rule says.

        Raises:
            MindFailed: What it gave is not an action.
        """
        action: object = self._rule(request)
        if not isinstance(action, Say | Pass | Act):
            raise MindFailed(
                "protocol", f"the rule '{self._name}' gave {type(action).__name__}, not an action"
            )
        return Answer(action=action)

    def sends(self, request: Request) -> dict[str, Option]:
        """Nothing: no model is asked."""
        return {}

    def close(self) -> None:
        """There is nothing to let go."""
