"""Rules from a scenario: the world and the policies it names, through the plugin door."""

from __future__ import annotations

from orchestrator.rules import Rules
from utils import plugins
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
    policies = {name: plugins.find(POLICIES, name)() for name in plugins.names(POLICIES)}
    for channel in spec.channels:
        if channel.policy not in policies:
            plugins.find(POLICIES, channel.policy)
    return Rules(spec=spec, world=world, policies=policies)
