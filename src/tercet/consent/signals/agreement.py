"""Agreements: what a licence that both parties signed means for one use, on one day.

Source: Tercet's own `tercet/agreement-standing@1` (consent/licences/agreement_standing.py), which
the clearing writes for every agreement that names works.
"""

from __future__ import annotations

import json

from tercet.consent.licences.agreement_standing import STANDING_TYPE, Effect, Fields
from tercet.consent.plain_text import clean
from tercet.consent.signal import Resource, Signal, declare, unreadable
from tercet.core.declaration import Declaration, Reading, Source, Statement
from tercet.core.usage import Permission, Usage, permit

_SIGNAL = ("agreement", "Tercet agreement standing", "1")
_TEXT_CHARACTERS_MAX = 300
_PERMISSIONS = {
    Effect.GRANTS: Permission.ALLOW,
    Effect.NOTHING: Permission.UNKNOWN,
    Effect.EXCLUDES: Permission.DENY,
}


def read_standing(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read a standing document: one declaration, which speaks of the one usage asked about.

    An agreement that grants allows; one that grants nothing says nothing, with the obstacles as
    evidence; one by which somebody else has the works exclusively denies.
    """
    try:
        document = json.loads(raw)
        if document["type"] != STANDING_TYPE:
            raise ValueError(f"expected {STANDING_TYPE}, got {document['type']!r}")
        permission = _PERMISSIONS[Effect(document["effect"])]
        statement = Statement(permit((Usage(document["use"]["usage"]),), permission))
        evidence = _evidence(document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        fault = f"no standing of an agreement: {type(error).__name__}"
        return (unreadable(_SIGNAL, raw, source, fault),)
    return (declare(_SIGNAL, raw, source, (Reading((statement,)),), evidence=evidence),)


def _evidence(document: Fields) -> dict[str, str]:
    facts = {
        "agreement": document["agreement"],
        "licensor": _party(document["licensor"]),
        "licensee": _party(document["licensee"]),
        "works": document["repertoire"]["sha256"],
        "obstacles": ", ".join(document["obstacles"]),
        "asked": document["use"]["on"],
    } | {f"scope {name}": text for name, text in document["scope"].items()}
    return {name: clean(str(value), _TEXT_CHARACTERS_MAX) for name, value in facts.items() if value}


def _party(named: Fields) -> str:
    return f"{named['name']} ({named['id']})" if named["id"] else ""


SIGNAL = Signal(
    name=_SIGNAL[0],
    title="an agreement",
    spec=_SIGNAL[1],
    spec_version=_SIGNAL[2],
    url="",
    readers=((Resource.AGREEMENT, read_standing),),
)
