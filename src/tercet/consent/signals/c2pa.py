"""C2PA and CAWG: the training-and-data-mining assertion in signed content credentials.

Sources: CAWG Training and Data Mining Assertion 1.1 (``cawg.training-mining``); C2PA Technical
Specification 1.4 (``c2pa.training-mining``, its predecessor). What is read here is the JSON report
of a C2PA validator together with its validation state (``consent/media/c2pa_report.py``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tercet.consent.plain_text import clean
from tercet.consent.signal import Resource, Signal, declare, unreadable
from tercet.core.condition import Condition, ConditionKind
from tercet.core.declaration import Declaration, Reading, Source, Statement
from tercet.core.limits import METADATA_BYTES_MAX
from tercet.core.usage import ALL_USAGES, Permission, Usage, permit

_SIGNAL = ("c2pa", "CAWG Training and Data Mining Assertion", "1.1")

_LABEL = re.compile(r"(?:cawg|c2pa)\.training-mining(?:\.v\d{1,3})?(?:__\d{1,4})?\Z")
_PREFIXES = ("cawg.", "c2pa.")
_USAGES = {
    "ai_generative_training": Usage.TRAIN_GENERATIVE,
    "ai_training": Usage.TRAIN_NONGENERATIVE,  # by definition: training that is not generative
    "ai_inference": Usage.AI_INPUT,
    "data_mining": Usage.MINE,
}
_GRANTING_STATES = ("Valid", "Trusted")
_MANIFESTS_MAX = 50  # that carry the assertion
_ENTRIES_MAX = 200


def read_report(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read a validator's report: one declaration for each manifest that carries the assertion."""
    if len(raw) > METADATA_BYTES_MAX:
        return (unreadable(_SIGNAL, raw, source, "report beyond the size limit"),)
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return (unreadable(_SIGNAL, raw, source, "the report is no JSON"),)
    if not isinstance(document, dict):
        return (unreadable(_SIGNAL, raw, source, "the report is no object"),)
    if "error" in document:
        return (_broken(raw, source, document),)
    store = document.get("report", document)
    manifests = store.get("manifests") if isinstance(store, dict) else None
    if not isinstance(manifests, dict):
        return (unreadable(_SIGNAL, raw, source, "a report without manifests"),)
    state = str(document.get("state") or store.get("validation_state") or "")
    speaking = [
        (str(name), manifest)
        for name, manifest in manifests.items()
        if isinstance(manifest, dict) and any(True for _ in _assertions(manifest))
    ]
    declarations = [
        _manifest(raw, source, name, manifest, store, state)
        for name, manifest in speaking[:_MANIFESTS_MAX]
    ]
    if len(speaking) > _MANIFESTS_MAX:
        declarations.append(unreadable(_SIGNAL, raw, source, "more manifests than the limit"))
    return tuple(declarations)


def _assertions(manifest: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield label and data of each training-and-data-mining assertion."""
    listed = manifest.get("assertions")
    for assertion in listed if isinstance(listed, list) else []:
        if isinstance(assertion, dict) and _LABEL.match(str(assertion.get("label", ""))):
            yield str(assertion["label"]), assertion.get("data")


def _manifest(
    raw: bytes, source: Source, name: str, manifest: dict[str, Any],
    store: dict[str, Any], state: str,
) -> Declaration:  # fmt: skip
    active = name == store.get("active_manifest")
    statements: list[Statement] = []
    faults: list[str] = []
    for label, data in _assertions(manifest):
        entries = data.get("entries", data) if isinstance(data, dict) else None
        if not isinstance(entries, dict) or len(entries) > _ENTRIES_MAX:
            faults.append(f"{label}: no entries that can be read")
            continue
        for key, value in entries.items():
            statement, fault = _entry(str(key), value, active=active, state=state)
            statements += [statement] if statement else []
            faults += [fault] if fault else []
    if not statements:
        statements = [Statement(permit(ALL_USAGES, Permission.UNKNOWN))]
    role = "active manifest" if active else "ingredient"
    note = role if active else "ingredient: its denials count, its grants do not"
    return declare(
        _SIGNAL,
        raw,
        source,
        (Reading(tuple(dict.fromkeys(statements)), note=note),),
        span=_span(raw, name, [label for label, _ in _assertions(manifest)]),
        fault="; ".join(dict.fromkeys(faults)),
        evidence=_evidence(name, manifest, store, state) | {"manifest_role": role},
    )


def _entry(key: str, value: object, *, active: bool, state: str) -> tuple[Statement | None, str]:
    """Return what one entry says, and the fault that makes it uncertain ("")."""
    prefix = next((p for p in _PREFIXES if key.startswith(p)), "")
    usage = _USAGES.get(key.removeprefix(prefix))
    if usage is None:
        # Others may add entries of their own; one under these prefixes we ought to know.
        return None, f"unknown entry {clean(key, 80)!r}" if prefix else ""
    use = value.get("use") if isinstance(value, dict) else value
    word = re.sub(r"[\s_-]", "", use).casefold() if isinstance(use, str) else ""
    if word in ("notallowed", "constrained"):
        text = _constraint(value) if word == "constrained" else None
        return Statement(permit({usage}, Permission.DENY), conditions=text or ()), ""
    unknown = Statement(permit({usage}, Permission.UNKNOWN))
    if use != "allowed":
        return unknown, f"{clean(key, 80)}: unknown use {clean(str(use), 40)!r}"
    if not active:
        return unknown, ""
    if state not in _GRANTING_STATES:
        return (
            unknown,
            f"a grant under a signature that is not valid ({clean(state, 40) or 'unknown'})",
        )
    return Statement(permit({usage}, Permission.ALLOW)), ""


def _constraint(value: object) -> tuple[Condition, ...]:
    """Return the constraint's wording. The specification's prose and its CDDL name it apart."""
    texts = (
        [value.get(name) for name in ("constraint_info", "constraints_info")]
        if isinstance(value, dict)
        else []
    )
    text = next((str(text) for text in texts if text), "")
    return (Condition(ConditionKind.OTHER, text=clean(text)),)


def _span(raw: bytes, name: str, labels: list[str]) -> tuple[int, int]:
    """Return where the manifest's assertion stands in the report, else its name, else all.

    The report is canonical JSON, so an assertion reads ``{"data":...,"label":"..."}``.
    """
    quoted = json.dumps(name, ensure_ascii=False).encode("utf-8", "replace") + b":"
    at = raw.find(quoted)
    if at < 0:
        return 0, len(raw)
    for label in labels:
        tail = b'"label":' + json.dumps(label, ensure_ascii=False).encode("utf-8", "replace")
        stop = raw.find(tail, at)
        start = raw.rfind(b'{"data":', at, max(stop, at))
        if start > at:
            return start, min(stop + len(tail) + 1, len(raw))
    return at, at + len(quoted)


def _evidence(
    name: str, manifest: dict[str, Any], store: dict[str, Any], state: str
) -> dict[str, str]:
    found = {"manifest": name, "validation_state": state or "unknown"}
    signature = manifest.get("signature_info")
    if isinstance(signature, dict):
        for key in ("issuer", "common_name", "time", "alg"):
            found[f"signature_{key}"] = str(signature.get(key) or "")
    found["title"] = str(manifest.get("title") or "")
    failures = store.get("validation_status")
    codes = [
        str(item.get("code"))
        for item in (failures if isinstance(failures, list) else [])[:20]
        if isinstance(item, dict)
    ]
    found["validation_status"] = " ".join(dict.fromkeys(codes))
    return {key: clean(value) for key, value in found.items() if value}


def _broken(raw: bytes, source: Source, document: dict[str, Any]) -> Declaration:
    """Read a report that says the manifest could not be read: its denials, and a doubt."""
    fault = clean(str(document.get("error")) or "error", 200)
    denials = document.get("denials")
    statements = [
        statement
        for key, use in (denials.items() if isinstance(denials, dict) else ())
        if use in ("notAllowed", "constrained")
        and (statement := _entry(str(key), {"use": use}, active=False, state="")[0])
    ]
    if not statements:
        return unreadable(_SIGNAL, raw, source, fault)
    reading = Reading(tuple(statements), note="from the bytes of a manifest that cannot be read")
    return declare(_SIGNAL, raw, source, (reading,), fault=fault)


SIGNAL = Signal(
    name="c2pa",
    title="C2PA and CAWG training and data mining",
    spec=_SIGNAL[1],
    spec_version=_SIGNAL[2],
    url="https://cawg.io/training-and-data-mining/1.1/",
    readers=((Resource.C2PA, read_report),),
)
