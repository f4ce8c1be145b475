"""Rules from a scenario: the world and the policies it names, through the plugin door."""

from __future__ import annotations

from contextlib import suppress

from orchestrator.rules import Rules
from utils import plugins
from utils.errors import BadInput
from utils.spec import Spec

WORLDS = "parley.worlds"
POLICIES = "parley.policies"


def rules_for(spec: Spec) -> Rules:
    """Find the world and the policies a run needs.

    Worlds may open channels later, under any policy there is, so every installed
    policy that loads comes along; those the scenario names must.

    Raises:
        BadInput: A name the scenario uses belongs to no plugin.
    """
    world = plugins.find(WORLDS, spec.world.name)()
    needed = {channel.policy for channel in spec.channels}
    policies = {name: plugins.find(POLICIES, name)() for name in sorted(needed)}
    for name in plugins.names(POLICIES):
        if name not in needed:
            with suppress(BadInput):  # a stranger's broken policy stops those that name it
                policies[name] = plugins.find(POLICIES, name)()
    return Rules(spec=spec, world=world, policies=policies)
