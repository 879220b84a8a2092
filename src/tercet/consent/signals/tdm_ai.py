"""ISCC / TDM-AI: reservations bound to the content itself, in a sidecar or a registry.

Sources: TDM-AI Protocol, "JSON Format for TDMrep Declarations" (docs.tdmai.org, 2025-11-04) and
its "AI preferences" form (2025-04-11, after draft-ietf-aipref-vocab-02); ISCC metadata schema TDM
0.8.0 and its forerunners (schema.iscc.codes); ISO 24138:2024 (ISCC).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from tercet.consent.plain_text import clean
from tercet.consent.signal import Resource, Signal, declare, unreadable
from tercet.core.condition import Condition, ConditionKind
from tercet.core.declaration import Declaration, Reading, Source, Statement
from tercet.core.limits import TEXT_FILE_BYTES_MAX
from tercet.core.usage import (
    AI_USAGES,
    ALL_USAGES,
    TRAINING,
    Permission,
    Permissions,
    Usage,
    permit,
)

_SIGNAL = ("tdm_ai", "TDM-AI Protocol (ISCC)", "2025-11-04")

_ISCC = re.compile(r"(?:ISCC:)?[A-Z2-7]{10,80}\Z")
# As in TDMRep: mining and every use by AI; being found by a search engine is none of these.
_RESERVED = AI_USAGES | {Usage.MINE}
_RESERVATION = ("tdm-reservation", "tdm_reservation", "tdmReservation")
_POLICY = ("tdm-policy", "tdm_policy", "tdmPolicy", "policy")
_ENVELOPES = ("declarations", "declaration", "credentialSubject", "payload", "data", "metadata",
              "items", "results", "preferences", "vc")  # fmt: skip
_SIGNATURES = ("proof", "signature", "jws", "signatures")
_DEPTH_MAX = 6
_DECLARATIONS_MAX = 500
# The "AI preferences" form; "all" is automated processing of any kind.
_PREFERENCES: dict[str, frozenset[Usage]] = {
    "all": ALL_USAGES,
    "train-ai": TRAINING,
    "train-genai": frozenset({Usage.TRAIN_GENERATIVE}),
    "ai-use": frozenset({Usage.AI_INPUT}),
    "search": frozenset({Usage.SEARCH}),
}
# The purposes of the ISCC metadata schema before 0.7: "reserved", "open" or "none".
_PURPOSES: dict[str, frozenset[Usage]] = {
    "train": TRAINING,
    "inference": frozenset({Usage.AI_INPUT}),
    "derive": frozenset({Usage.AI_INPUT}),
    "search": frozenset({Usage.SEARCH}),
}
_NO_GRANT = "signature not verified: a grant does not count"

Fields = dict[str, Any]


def read_declaration(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read a declaration, a list of them, or an envelope around them. Silence: no declaration."""
    if len(raw) > TEXT_FILE_BYTES_MAX:
        return (unreadable(_SIGNAL, raw, source, "declaration beyond the size limit"),)
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        if b"tdm" in raw.lower() and b"iscc" in raw.lower():
            return (unreadable(_SIGNAL, raw, source, "no JSON"),)
        return ()
    found: list[tuple[Fields, str, bool]] = []
    _collect(document, "", False, 0, found)
    places = _places(raw, min(len(found), _DECLARATIONS_MAX))
    declarations = [
        _declaration(raw, source, place, *item) for place, item in zip(places, found, strict=False)
    ]
    if len(found) > _DECLARATIONS_MAX:
        declarations.append(unreadable(_SIGNAL, raw, source, "more declarations than the limit"))
    return tuple(declarations)


def _collect(
    node: object, iscc: str, signed: bool, depth: int, found: list[tuple[Fields, str, bool]]
) -> None:
    """Gather the objects that declare something, with the ISCC their envelope names."""
    if depth > _DEPTH_MAX or len(found) > _DECLARATIONS_MAX:
        return
    if isinstance(node, list):
        for item in node[: _DECLARATIONS_MAX + 1]:
            _collect(item, iscc, signed, depth + 1, found)
    elif isinstance(node, dict):
        own = node.get("iscc") or _named(node) or iscc
        iscc = own if isinstance(own, str) else repr(own)
        signed = signed or any(name in node for name in _SIGNATURES)
        bound = bool(iscc) and any(name in node for name in (*_PREFERENCES, *_PURPOSES))
        if bound or any(name in node for name in _RESERVATION):
            found.append((node, iscc, signed))
        for name in _ENVELOPES:
            if isinstance(node.get(name), dict | list):
                _collect(node[name], iscc, signed, depth + 1, found)


def _named(node: Fields) -> str:
    """Return the ISCC a JSON-LD object has as its id, "" where the id is something else."""
    names = (node.get("@id"), node.get("id"))
    return next((n for n in names if isinstance(n, str) and n.startswith("ISCC:")), "")


def iscc_fault(iscc: str) -> str:
    """Return why ``iscc`` is no ISCC, "" when it is well-formed (ISO 24138:2024 section 5).

    "malformed" is a text that cannot be one; "header" one whose header names no known unit.
    """
    if not _ISCC.match(iscc):
        return "malformed"
    code = iscc.removeprefix("ISCC:")
    try:
        head = base64.b32decode(code[:8].ljust(8, "="))
    except binascii.Error:
        return "malformed"
    return "" if head[0] >> 4 <= 7 else "header"


def _declaration(
    raw: bytes, source: Source, span: tuple[int, int], fields: Fields, iscc: str, signed: bool
) -> Declaration:
    wrong = iscc_fault(iscc)
    if wrong == "malformed":
        fault = f"malformed ISCC: {clean(iscc, 80)!r}" if iscc else "no ISCC"
        return unreadable(_SIGNAL, raw, source, fault, span=span)
    faults = [f"ISCC {wrong} names no known unit"] if wrong else []
    conditions = _conditions(fields)
    statements: list[Statement] = []
    for said, fault in _said(fields):
        statements.append(Statement(said, conditions=conditions if _denies(said) else ()))
        faults += [fault] if fault else []
    return declare(
        _SIGNAL,
        raw,
        source,
        (Reading(tuple(dict.fromkeys(statements)), note="bound by ISCC"),),
        span=span,
        fault="; ".join(dict.fromkeys(faults)),
        evidence=_evidence(fields, iscc, signed),
    )


def _places(raw: bytes, count: int) -> list[tuple[int, int]]:
    """Return a place for each declaration: where an ISCC is named, so that places differ."""
    places: list[tuple[int, int]] = []
    at = -1
    for index in range(count):
        found = raw.find(b'"iscc"', at + 1)
        at = found if found >= 0 else len(raw)
        places.append((at, len(raw)) if found >= 0 else (min(index, len(raw)), len(raw)))
    return places


def _said(fields: Fields) -> list[tuple[Permissions, str]]:
    """Return what is permitted, each with the fault that makes it uncertain ("")."""
    said = [_reservation(fields[name]) for name in _RESERVATION if name in fields]
    named = {**_PURPOSES, **_PREFERENCES}
    said += [_preference(name, fields[name], named[name]) for name in named if name in fields]
    return said


def _reservation(value: object) -> tuple[Permissions, str]:
    nothing = permit(_RESERVED, Permission.UNKNOWN)
    text = str(value).strip().casefold()
    if text in ("1", "true", "1.0", "yes"):
        return permit(_RESERVED, Permission.DENY), ""
    if text == "0" and not isinstance(value, bool):
        return nothing, _NO_GRANT
    return nothing, f"tdm-reservation is neither 0 nor 1: {clean(text, 40)!r}"


def _preference(name: str, value: object, usages: frozenset[Usage]) -> tuple[Permissions, str]:
    text = str(value).strip().casefold()
    if text in ("false", "n", "no", "0", "reserved"):
        return permit(usages, Permission.DENY), ""
    nothing = permit(usages, Permission.UNKNOWN)
    if text in ("true", "open"):
        return nothing, _NO_GRANT
    if text == "none":
        return nothing, ""
    return nothing, f"{name} is neither true nor false: {clean(text, 40)!r}"


def _denies(said: Permissions) -> bool:
    return any(permission is Permission.DENY for _, permission in said)


def _conditions(fields: Fields) -> tuple[Condition, ...]:
    policy = next((fields[name] for name in _POLICY if isinstance(fields.get(name), str)), "")
    if not policy.strip():
        return ()
    if policy.strip().lower().startswith(("http://", "https://")):
        return (Condition(ConditionKind.LICENCE, url=clean(policy)),)
    return (Condition(ConditionKind.LICENCE, text=clean(policy)),)


def _evidence(fields: Fields, iscc: str, signed: bool) -> dict[str, str]:
    kept = {"iscc": iscc, "signature": "present, not verified" if signed else "none"}
    for name in ("intent", "reference", "version", "summary", "timestamp", "issuer", "$schema"):
        value = fields.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            kept[name.strip("$")] = str(value)
    return {name: clean(value) for name, value in kept.items()}


SIGNAL = Signal(
    name="tdm_ai",
    title="ISCC / TDM-AI declarations",
    spec=_SIGNAL[1],
    spec_version=_SIGNAL[2],
    url="https://docs.tdmai.org/tdmrep-technical-specification/json-format-for-tdmrep-declarations",
    readers=((Resource.DECLARATION_JSON, read_declaration),),
)
