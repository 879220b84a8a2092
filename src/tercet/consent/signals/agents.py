"""Which crawler collects for what: a dated table (agents.json), read once.

A robots.txt speaks to crawlers, not of usages. The table says what a named crawler collects for,
so that "GPTBot may not fetch /" can be read as "no training". It is data, with its sources in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tercet.core.usage import Usage

OWN_TOKEN = "TercetBot"


@dataclass(frozen=True, slots=True)
class Agent:
    """A crawler's token as its operator writes it, and the usages it collects for.

    ``policy`` marks a token that stands for a purpose and not for a crawler: an Allow under it is
    a grant. ``control_only`` tokens are named in robots.txt but never sent with a request.
    """

    token: str
    operator: str
    purposes: tuple[str, ...]
    usages: frozenset[Usage]
    control_only: bool = False
    policy: bool = False


@dataclass(frozen=True, slots=True)
class AgentTable:
    """All known agents by token and alias in lower case."""

    dated: str
    agents: dict[str, Agent]

    def get(self, token: str) -> Agent | None:
        """Return the agent a token or alias names, in any case; None when it is not known."""
        return self.agents.get(token.lower())


def agent_table(document: dict[str, Any]) -> AgentTable:
    """Return the table in a ``tercet/agents@1`` document. Raises KeyError or ValueError if bad."""
    usages = {
        purpose: frozenset(Usage(usage) for usage in names)
        for purpose, names in document["purposes"].items()
    }
    agents: dict[str, Agent] = {}
    for entry in document["agents"]:
        for token in (entry["token"], *entry.get("aliases", ())):
            agents[token.lower()] = Agent(
                token=token,
                operator=entry["operator"],
                purposes=tuple(entry["purposes"]),
                usages=frozenset[Usage]().union(*(usages[p] for p in entry["purposes"])),
                control_only=entry.get("control_only", False),
            )
    for entry in document["policy_tokens"]:
        named = frozenset(Usage(usage) for usage in entry["usages"])
        agents[entry["token"].lower()] = Agent(entry["token"], "", (), named, True, policy=True)
    return AgentTable(document["dated"], agents)


@cache
def known_agents() -> AgentTable:
    """Return the table shipped with Tercet."""
    text = files("tercet.consent.signals").joinpath("agents.json").read_text("utf-8")
    return agent_table(json.loads(text))


def purposes(token: str) -> frozenset[Usage]:
    """Return the usages the crawler ``token`` collects for; none when it is not known."""
    agent = known_agents().get(token)
    return agent.usages if agent else frozenset()


@cache
def training_agents() -> tuple[str, ...]:
    """Return the tokens, as written, of all agents that collect for generative training."""
    found = (a for a in known_agents().agents.values() if Usage.TRAIN_GENERATIVE in a.usages)
    return tuple(sorted((agent.token for agent in found), key=str.lower))
