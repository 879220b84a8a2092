"""Tercet: consent, credit and compensation for generative video.

The public API. Names are loaded when they are first used, so that ``import tercet`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tercet.consent.facts import Facts, Standing, State
    from tercet.consent.policy import Policy, decide
    from tercet.consent.policy_file import built_in, parse_policy
    from tercet.consent.reasons import explain_reason
    from tercet.consent.signal import Resource, Signal
    from tercet.consent.signals import SIGNALS, read
    from tercet.core.declaration import Carrier, Declaration, Reading, Source, Statement
    from tercet.core.errors import TercetError
    from tercet.core.usage import Permission, Usage
    from tercet.core.verdict import Outcome, Verdict
    from tercet.core.version import __version__
    from tercet.flows.clear import ClearRequest, clear
    from tercet.flows.compare import compare
    from tercet.flows.explain import explain
    from tercet.flows.survey import survey
    from tercet.flows.verify import verify

_HOMES = {
    "consent.facts": ("Facts", "Standing", "State"),
    "consent.policy": ("Policy", "decide"),
    "consent.policy_file": ("built_in", "parse_policy"),
    "consent.reasons": ("explain_reason",),
    "consent.signal": ("Resource", "Signal"),
    "consent.signals": ("SIGNALS", "read"),
    "core.declaration": ("Carrier", "Declaration", "Reading", "Source", "Statement"),
    "core.errors": ("TercetError",),
    "core.usage": ("Permission", "Usage"),
    "core.verdict": ("Outcome", "Verdict"),
    "core.version": ("__version__",),
    "flows.clear": ("ClearRequest", "clear"),
    "flows.compare": ("compare",),
    "flows.explain": ("explain",),
    "flows.survey": ("survey",),
    "flows.verify": ("verify",),
}
_HOME_OF = {name: f"tercet.{module}" for module, names in _HOMES.items() for name in names}

__all__ = [  # noqa: RUF022  one list, by where a name lives
    "__version__",
    "Facts", "Standing", "State", "Policy", "decide", "built_in", "parse_policy",
    "explain_reason", "Resource", "Signal", "SIGNALS", "read",
    "Carrier", "Declaration", "Reading", "Source", "Statement",
    "TercetError", "Permission", "Usage", "Outcome", "Verdict",
    "ClearRequest", "clear", "compare", "explain", "survey", "verify",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'tercet' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
