"""The TDM policy that ``tdm-policy`` leads to: who to ask, and for what a licence can be had.

A policy is an ODRL 2.2 Offer (JSON-LD). Tercet keeps it as evidence and as a way to the owner; it
never turns a reservation into a grant. No JSON-LD processing: names are compared without prefix.

Source: TDMRep 2024-05-10 section 7, "Expressing a TDM Policy".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from tercet.consent.plain_text import clean
from tercet.core.limits import TEXT_FILE_BYTES_MAX

_MEMBERS_MAX = 100
_ASSIGNER = ("fn", "nickname", "hasEmail", "hasTelephone", "hasURL")


@dataclass(frozen=True, slots=True)
class TdmPermission:
    """One permission on offer: ``duties`` such as obtainConsent or compensate, and purposes."""

    mines: bool
    target: str = ""
    duties: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TdmPolicy:
    """A policy as read. ``assigner`` holds vCard names and values; ``fault`` what is wrong."""

    uid: str = ""
    assigner: tuple[tuple[str, str], ...] = ()
    permissions: tuple[TdmPermission, ...] = ()
    fault: str = ""

    def evidence(self) -> dict[str, str]:
        """Return the policy as named facts for a declaration."""
        facts = {"policy_uid": self.uid, "policy_fault": self.fault}
        facts |= {f"policy_assigner_{name}": value for name, value in self.assigner}
        duties = dict.fromkeys(duty for one in self.permissions for duty in one.duties)
        purposes = dict.fromkeys(word for one in self.permissions for word in one.purposes)
        facts["policy_duties"] = " ".join(duties)
        facts["policy_purposes"] = " ".join(purposes)
        return {name: clean(value) for name, value in facts.items() if value}


def read_policy(raw: bytes) -> TdmPolicy:
    """Read a policy document. Total: whatever is wrong with it is told in ``fault``."""
    if len(raw) > TEXT_FILE_BYTES_MAX:
        return TdmPolicy(fault="larger than the limit")
    try:
        value = json.loads(raw.decode(json.detect_encoding(raw), "replace").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return TdmPolicy(fault="not JSON")
    if not isinstance(value, dict):
        return TdmPolicy(fault="not an object")
    return TdmPolicy(
        uid=_text(_get(value, "uid") or _get(value, "@id")),
        assigner=tuple(_assigner(_get(value, "assigner"))),
        permissions=tuple(_permission(one) for one in _objects(_get(value, "permission"))),
        fault=_fault(value),
    )


def _fault(value: dict[str, object]) -> str:
    if _short(_text(_get(value, "@type") or _get(value, "type"))) != "Offer":
        return "not an Offer"
    if not list(_objects(_get(value, "permission"))):
        return "no permission"
    if _text(_get(value, "profile")).rstrip("/#") != "http://www.w3.org/ns/tdmrep":
        return "not of the TDMRep profile"
    return ""


def _get(value: object, name: str) -> object:
    """Return a member by its name, with or without a prefix."""
    if not isinstance(value, dict):
        return None
    if name in value:
        return value[name]
    return next((inner for key, inner in value.items() if _short(key) == name), None)


def _short(name: str) -> str:
    """Return a term without its prefix or namespace: ``tdm:mine`` and ``...#mine`` are mine."""
    return name.replace("#", ":").replace("/", ":").rpartition(":")[2]


def _text(value: object) -> str:
    if isinstance(value, dict):  # JSON-LD: {"@id": "..."} or {"@value": "..."}
        value = value.get("@id") or value.get("@value")
    return clean(value, 500) if isinstance(value, str) else ""


def _objects(value: object) -> Iterator[object]:
    members = value if isinstance(value, list) else [value]
    yield from (one for one in members[:_MEMBERS_MAX] if isinstance(one, dict))


def _assigner(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield "uid", clean(value, 500)
        return
    for name in ("uid", *_ASSIGNER):
        text = _text(_get(value, name))
        if text:
            yield name, text
    address = _get(value, "hasAddress")
    if isinstance(address, dict):
        parts = [text for inner in list(address.values())[:20] if (text := _text(inner))]
        yield "hasAddress", clean(", ".join(parts), 500)


def _permission(value: object) -> TdmPermission:
    actions = _terms(_get(value, "action"))
    duties = tuple(
        term for duty in _objects(_get(value, "duty")) for term in _terms(_get(duty, "action"))
    )
    purposes = tuple(
        f"{_short(_text(_get(one, 'operator'))) or 'eq'}:{term}"
        for one in _objects(_get(value, "constraint"))
        if _short(_text(_get(one, "leftOperand"))) == "purpose"
        for term in _terms(_get(one, "rightOperand"))
    )
    return TdmPermission("mine" in actions, _text(_get(value, "target")), duties, purposes)


def _terms(value: object) -> tuple[str, ...]:
    members = value if isinstance(value, list) else [value]
    return tuple(term for one in members[:_MEMBERS_MAX] if (term := _short(_text(one))))
