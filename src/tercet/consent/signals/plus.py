"""PLUS Data Mining (IPTC): one of nine values inside a media file's metadata.

Source: PLUS LDF XMP vocabulary ``plus:DataMining``, in the IPTC Photo Metadata Standard since
2023.1 and the IPTC Video Metadata Hub; nine values under ``http://ns.useplus.org/ldf/vocab/``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from tercet.consent.media.xmp import RDF, Property, properties, trim
from tercet.consent.plain_text import clean
from tercet.consent.signal import Resource, Signal, declare, unreadable
from tercet.consent.xml_tree import parse_xml
from tercet.core.condition import Condition, ConditionKind
from tercet.core.declaration import Declaration, Reading, Source, Statement
from tercet.core.limits import METADATA_BYTES_MAX
from tercet.core.usage import ALL_USAGES, TRAINING, Permission, Permissions, Usage, permit

_SIGNAL = ("plus", "PLUS Data Mining (IPTC Photo Metadata)", "2025.1")

_NOTHING: Permissions = permit(ALL_USAGES, Permission.UNKNOWN)
_DENY_ALL = permit(ALL_USAGES, Permission.DENY)
_GRANTED = TRAINING | {Usage.MINE, Usage.AI_INDEX}
_GRANT = permit(_GRANTED, Permission.ALLOW)

_VALUES: dict[str, Permissions] = {
    "DMI-UNSPECIFIED": _NOTHING,
    # "Allowed" speaks of data mining; showing a work to a running model is not mining it.
    "DMI-ALLOWED": _GRANT,
    "DMI-PROHIBITED-AIMLTRAINING": permit(TRAINING, Permission.DENY),
    "DMI-PROHIBITED-GENAIMLTRAINING": permit({Usage.TRAIN_GENERATIVE}, Permission.DENY),
    # The exception takes search out of the prohibition; it is no grant of its own.
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": permit(
        ALL_USAGES - {Usage.SEARCH}, Permission.DENY
    ),
    "DMI-PROHIBITED": _DENY_ALL,
    "DMI-PROHIBITED-SEECONSTRAINT": _DENY_ALL,
    "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR": _DENY_ALL,
    "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR": _DENY_ALL,
}
_VOCABULARY = ("http://ns.useplus.org/ldf/vocab/", "https://ns.useplus.org/ldf/vocab/")
_NAMESPACES = ("http://ns.useplus.org/ldf/xmp/1.0", "https://ns.useplus.org/ldf/xmp/1.0")
_TOKEN = re.compile(r"DMI-[A-Za-z-]{1,80}", re.IGNORECASE)
_NEGATIONS = ("", "false", "0", "no")
_CLAIMS_MAX = 100

_COMPANIONS = {
    "otherconstraints": "other_constraints",
    "encrightsexpr": "embedded_rights_expression",
    "linkedrightsexpr": "linked_rights_expression",
    "webstatement": "web_statement",
    "usageterms": "usage_terms",
    "licensorname": "licensor_name",
    "licensorurl": "licensor_url",
    "licensoremail": "licensor_email",
    "copyrightownername": "copyright_owner",
    "rights": "rights",
    "creator": "creator",
    "credit": "credit",
}


@dataclass(frozen=True, slots=True)
class _Claim:
    """One value found. ``exact`` is False where its place is not the one the standard names."""

    value: str
    exact: bool
    line: int = 0


@dataclass(frozen=True, slots=True)
class _Understood:
    """What a claim means; ``fault`` when it is not certain."""

    permissions: Permissions
    token: str
    fault: str = ""


def read_xmp(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read an XMP packet. No Data Mining property, no declaration."""
    tree = parse_xml(trim(raw))
    found = [] if tree.root is None else properties(tree.root)
    claims = [claim for item in found for claim in _claims(item)]
    if tree.fault:
        # What a broken packet says cannot grant, but a denial in it stays a denial.
        text = raw.replace(b"\x00", b"").decode("utf-8", "replace")
        claims = [_Claim(claim.value, exact=False, line=claim.line) for claim in claims]
        claims += [_Claim(token, exact=False) for token in _tokens(text)]
        if not claims and "datamining" not in text.casefold():
            return ()
    elif not claims:
        return ()
    return (_declaration(raw, source, claims, _evidence(found), tree.fault),)


def read_metadata(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read embedded text fields (PNG text, ID3, PDF information and the like)."""
    if len(raw) > METADATA_BYTES_MAX:
        return (unreadable(_SIGNAL, raw, source, "metadata beyond the size limit"),)
    try:
        fields = json.loads(raw)
    except (ValueError, RecursionError):
        claims = [_Claim(t, exact=False) for t in _tokens(raw.decode("utf-8", "replace"))]
        return (_declaration(raw, source, claims, {}, "no JSON"),) if claims else ()
    if not isinstance(fields, dict):
        return ()
    texts = {key: value for key, value in fields.items() if isinstance(value, str)}
    claims = [claim for key, value in texts.items() for claim in _field_claims(key, value)]
    if not claims:
        return ()
    evidence = {
        name: clean(value)
        for key, value in texts.items()
        if (name := _COMPANIONS.get(_last_name(key)) or _last_name(key)) and value.strip()
        and (name in _COMPANIONS.values() or name == "copyright")
    }  # fmt: skip
    return (_declaration(raw, source, claims, evidence, ""),)


def _claims(item: Property) -> list[_Claim]:
    """Return the Data Mining values a property holds: its own, or one in a wrong place."""
    local = item.local.casefold()
    if local == "datamining":
        exact = item.top and item.space.rstrip("/") in _NAMESPACES
        values = item.values() or [""]
        if not item.whole():
            values.append("")  # more than could be looked at: a doubt of its own
        return [_Claim(value, exact, item.line) for value in values]
    if local.startswith("dmi-"):  # the value as the property's name
        said = (item.values() or ["true"])[0].casefold()
        value = "" if said in _NEGATIONS else item.local
        return [_Claim(value, exact=False, line=item.line)]
    text = item.text if item.node is None else (item.node.text or "")
    if len(text) > 200 or "dmi-" not in text.casefold():
        return []
    if _inside_data_mining(item) or (item.node is None and item.space == RDF):
        return []
    whole = _last_part(text).upper() in _VALUES
    return [_Claim(text.strip(), exact=False, line=item.line)] if whole else []


def _inside_data_mining(item: Property) -> bool:
    """Whether an ancestor already gave this text as its value."""
    node = item.node
    for _ in range(4):  # property, container, member, value
        node = None if node is None else node.getparent()
        if node is None or not isinstance(node.tag, str):
            return False
        if node.tag.rpartition("}")[2].casefold() == "datamining":
            return True
    return False


def _field_claims(key: str, value: str) -> list[_Claim]:
    if re.sub(r"[\s_-]", "", key).casefold().endswith("datamining"):
        return [_Claim(value.strip(), exact=True)]
    return [_Claim(token, exact=False) for token in _tokens(f"{key} {value}")]


def _tokens(text: str) -> list[str]:
    found = (match.group().rstrip("-") for match in _TOKEN.finditer(text))
    return list(dict.fromkeys(found))[:_CLAIMS_MAX]


def _last_name(key: str) -> str:
    return re.split(r"[:.\s/]", key)[-1].casefold() if key else ""


def _last_part(value: str) -> str:
    return re.split(r"[/#:]", value.strip().rstrip("/"))[-1].strip()


def understand(value: str, *, exact: bool = True) -> tuple[Permissions, str]:
    """Return what a Data Mining value permits, and the fault that makes it uncertain ("").

    ``exact`` tells that it stood where the standard puts it. Only an exact spelling in an exact
    place grants; a denial counts wherever and however it is spelt.
    """
    understood = _understand(_Claim(value, exact))
    return understood.permissions, understood.fault


def _understand(claim: _Claim) -> _Understood:
    value = claim.value.strip()
    lowered = value.casefold()
    prefix = next((p for p in _VOCABULARY if lowered.startswith(p)), "")
    token = value[len(prefix) :]
    loose = _last_part(value).upper()
    if token in _VALUES and claim.exact:
        return _Understood(_VALUES[token], token)
    if loose in _VALUES:
        said = _VALUES[loose]
        if said == _GRANT:
            return _Understood(_NOTHING, loose, "a grant in a wrong place or spelling")
        return _Understood(said, loose)
    if not value:
        return _Understood(_NOTHING, "", "a Data Mining property without a value")
    return _Understood(_NOTHING, clean(value, 120), f"not a PLUS value: {clean(value, 80)!r}")


def _evidence(found: list[Property]) -> dict[str, str]:
    """Return the companion fields: whose work it is, its terms, where a licence is to be had."""
    kept: dict[str, str] = {}
    for item in found:
        name = _COMPANIONS.get(item.local.casefold())
        if name is None or name in kept:
            continue
        text = "; ".join(dict.fromkeys(item.values()))
        if text:
            kept[name] = clean(text)
    return kept


def _declaration(
    raw: bytes, source: Source, claims: list[_Claim], evidence: dict[str, str], fault: str
) -> Declaration:
    statements: list[Statement] = []
    faults = [fault] if fault else []
    values: list[str] = []
    distinct = list({(claim.value, claim.exact): claim for claim in reversed(claims)}.values())
    if len(distinct) > _CLAIMS_MAX:
        faults.append("more Data Mining values than the limit")
    for claim in distinct[: -_CLAIMS_MAX - 1 : -1]:
        understood = _understand(claim)
        if understood.token:
            values.append(understood.token)
        if understood.fault:
            faults.append(understood.fault)
        statement = _statement(understood, evidence, claim.line)
        if not any(
            statement.permissions == other.permissions and statement.conditions == other.conditions
            for other in statements
        ):
            statements.append(statement)  # fmt: skip
    if not statements:
        faults = faults or ["a Data Mining property without a value"]
        statements = [Statement(_NOTHING)]
    lines = [claim.line for claim in claims if claim.line]
    note = "PLUS Data Mining; several values: the strictest holds"
    return declare(
        _SIGNAL,
        raw,
        source,
        (Reading(tuple(statements), note=note if len(statements) > 1 else "PLUS Data Mining"),),
        lines=(min(lines), max(lines)) if lines else (0, 0),
        fault="; ".join(dict.fromkeys(faults)),
        evidence=evidence | ({"value": " ".join(dict.fromkeys(values))} if values else {}),
    )


def _statement(understood: _Understood, evidence: dict[str, str], line: int) -> Statement:
    said = understood.permissions
    if said == _NOTHING:
        return Statement(said, line=line)
    if said == _GRANT:
        limits = _constraints(evidence)
        if limits:
            # Something limits the grant, and a machine cannot weigh it.
            said = permit(_GRANTED, Permission.CONDITIONAL)
        return Statement(said, conditions=limits, line=line)
    conditions = _licences(evidence)
    if "-SEE" in understood.token:
        conditions = (*_constraints(evidence, understood.token), *conditions)
    return Statement(said, conditions=tuple(dict.fromkeys(conditions)), line=line)


def _constraints(evidence: dict[str, str], token: str = "") -> tuple[Condition, ...]:
    """Return the terms a value points to. Unread terms bar the use; they are kept to be read."""
    places = {
        "other_constraints": "SEECONSTRAINT",
        "embedded_rights_expression": "SEEEMBEDDED",
        "linked_rights_expression": "SEELINKED",
    }
    found = [
        _licence(evidence[name])
        for name, word in places.items()
        if name in evidence and (not token or word in token)
    ]
    if token and not found:
        found = [Condition(ConditionKind.LICENCE, text="the terms pointed to are missing")]
    return tuple(found)


def _licences(evidence: dict[str, str]) -> tuple[Condition, ...]:
    """Return where a licence is to be had: the licensor, the web statement."""
    contact = " ".join(
        evidence[name] for name in ("licensor_name", "licensor_email") if name in evidence
    )
    terms = evidence.get("usage_terms", "")
    found: list[Condition] = []
    if "licensor_url" in evidence:
        found.append(_licence(evidence["licensor_url"], contact))
    elif contact:
        found.append(Condition(ConditionKind.LICENCE, text=contact))
    if "web_statement" in evidence:
        found.append(_licence(evidence["web_statement"], terms))
    return tuple(found)


def _licence(place: str, text: str = "") -> Condition:
    """A licence condition; what is no web address is kept as text."""
    first = place.partition("; ")[0]
    if first.lower().startswith(("http://", "https://")):
        return Condition(ConditionKind.LICENCE, url=first, text=text)
    return Condition(ConditionKind.LICENCE, text=clean(f"{place} {text}"))


SIGNAL = Signal(
    name="plus",
    title="PLUS Data Mining (IPTC)",
    spec=_SIGNAL[1],
    spec_version=_SIGNAL[2],
    url="https://iptc.org/std/photometadata/specification/IPTC-PhotoMetadata#data-mining",
    readers=((Resource.XMP, read_xmp), (Resource.METADATA, read_metadata)),
)
