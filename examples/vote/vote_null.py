"""What a vote comes to without any minds: the null model of `vote`."""

from utils.protocol import Act, Action, AskAct, Pass
from utils.seeds import Chance
from worlds.seam import Asked


def at_random(asked: Asked) -> Action:
    """Say nothing in the hall; vote for any name that stands, each as likely."""
    if not isinstance(asked.ask, AskAct):
        return Pass(why="a null model says nothing")
    return Act(name="vote", args=Chance(asked.seed).pick(asked.ask.legal, "vote.null"))
