"""AIPREF: ``Content-Usage`` in robots.txt and in HTTP headers.

Sources: draft-ietf-aipref-vocab-08 (labels) and draft-ietf-aipref-attach-05 (carriers); values are
RFC 9651 Dictionaries. Labels of earlier drafts are kept as advisory declarations: unknown labels
must be ignored, yet a site that wrote ``tdm=n`` did say something.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from tercet.consent.http_headers import Header, headers_fault, parse_headers
from tercet.consent.paths import PathRules, normalise_pattern
from tercet.consent.signal import Resource, Signal, declare, unreadable
from tercet.consent.signals.robots import (
    GROUPED_NOTE,
    SPLIT_NOTE,
    Subject,
    agents_of,
    file_evidence,
    merged,
    subjects,
)
from tercet.consent.signals.robots_file import Record, RobotsFile, Rule, parse
from tercet.core import limits
from tercet.core.declaration import Declaration, Matching, Reading, Source, Statement
from tercet.core.usage import ALL_USAGES, TRAINING, Permission, Usage, permissions, permit

_SPEC = ("aipref", "AIPREF Content-Usage", "vocab-08, attach-05")
_LEGACY_SPEC = ("aipref", "AIPREF Content-Usage, earlier labels", "vocab-00 to vocab-07")

LABELS: dict[str, frozenset[Usage]] = {
    "train-ai": frozenset({Usage.TRAIN_GENERATIVE}),  # -08 leaves non-generative models out
    "ai-use": frozenset({Usage.AI_INPUT}),
    "search": frozenset({Usage.SEARCH}),
}
LEGACY_LABELS: dict[str, frozenset[Usage]] = {
    "tdm": TRAINING | {Usage.MINE},  # vocab-00, -01
    "ai": TRAINING,
    "genai": frozenset({Usage.TRAIN_GENERATIVE}),
    "inference": frozenset({Usage.AI_INPUT}),
    "all": ALL_USAGES,  # vocab-02
    "train-genai": frozenset({Usage.TRAIN_GENERATIVE}),  # vocab-02, -03, and CC signals
    "bots": ALL_USAGES,  # vocab-03, -04: automated processing
    "ai-output": frozenset({Usage.AI_INPUT}),  # vocab-04
}
# Words of Content-Signal and RSL: the spec ignores them, but a plain denial is no silence.
FOREIGN_LABELS: dict[str, frozenset[Usage]] = {
    "ai-train": TRAINING,
    "ai-input": frozenset({Usage.AI_INPUT}),
}
_SPLIT_NOTE = f"{SPLIT_NOTE}, and one above all groups is for everybody"
_CRAWL_NOTE = "a path that may not be crawled has no preference: no grant there"
_DENIALS = frozenset({"no", "none", "false", "disallow", "deny", "0", "n"})
_NOT_SPEC = "a value that plainly means no is a denial, though the spec ignores it"

Said = dict[Usage, Permission]


@dataclass(frozen=True, slots=True)
class Preference:
    """What one Content-Usage value says.

    ``said`` follows the spec, ``plain`` also takes misspelt denials for denials, ``legacy`` holds
    labels of earlier drafts. ``fault`` says why the value is no Dictionary: then all is unknown.
    """

    said: Said
    plain: Said
    legacy: Said
    fault: str = ""


def parse_dictionary(value: bytes) -> tuple[dict[str, object], str]:
    """Return an RFC 9651 Dictionary's bare values by key, and why it is none ("" when it is).

    The last of duplicate keys counts. Inner lists are kept as lists. Never raises.
    """
    import http_sf

    try:
        parsed = cast(dict[str, Any], http_sf.parse(value, tltype="dictionary"))
    except (http_sf.StructuredFieldError, ValueError, OverflowError, RecursionError) as error:
        return {}, f"not a structured field: {str(error)[:100]}"
    return {key: member[0] for key, member in parsed.items()}, ""


def preference(value: bytes) -> Preference:
    """Read one Content-Usage value (vocab-08 section 6). Total."""
    from http_sf import Token

    members, fault = parse_dictionary(value)
    said: Said = {}
    plain: Said = {}
    legacy: Said = {}
    foreign: frozenset[Usage] = frozenset()
    for label, member in members.items():
        # A Token only: a String "n" equals Token("n") in Python, and is unknown in the spec.
        exact = {"y": Permission.ALLOW, "n": Permission.DENY}.get(str(member))
        permission = exact if isinstance(member, Token) else None
        no = isinstance(member, str | bool | int | Token) and str(member).lower() in _DENIALS
        for usage in LABELS.get(label, ()):
            said[usage] = permission or Permission.UNKNOWN
            plain[usage] = Permission.DENY if no else said[usage]
        foreign |= FOREIGN_LABELS.get(label, frozenset()) if no else frozenset()
        for usage in LEGACY_LABELS.get(label, ()):
            strict = Permission.DENY if no else permission or Permission.UNKNOWN
            legacy[usage] = Permission.DENY if Permission.DENY is legacy.get(usage) else strict
    return Preference(said, plain | dict.fromkeys(foreign, Permission.DENY), legacy, fault)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A Content-Usage rule of a robots.txt (attach-05 section 3)."""

    pattern: str
    preference: Preference
    record: Record


def split_path(value: bytes) -> tuple[str, bytes]:
    """Split ``[path-pattern 1*WS] rest``; without a path the pattern is ``/``."""
    if value[:1] not in (b"/", b"*"):
        return "/", value
    words = value.split(None, 1)
    if value[:1] == b"*" and b"=" in words[0]:  # "*" may start a Dictionary key
        return "/", value
    rest = words[1] if len(words) > 1 else b""
    return normalise_pattern(words[0]).decode("ascii"), rest


def read_robots(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return what Content-Usage rules tell ``*`` and the known agents, by effective group."""
    robots = parse(raw)
    records = robots.records_named("content-usage")
    if not records:
        return ()
    rules: list[_Rule] = []
    for record in records[: limits.DECLARATIONS_MAX]:
        pattern, value = split_path(record.value)
        rules.append(_Rule(pattern, preference(value), record))
    declarations: list[Declaration] = []
    budget = limits.STATEMENTS_MAX
    for together in merged(with_orphans(subjects(robots), records), told_of(records)):
        budget -= 4 * len(rules)  # there are up to so many readings
        if budget < 0:
            break
        declarations += _declarations(robots, rules, together, source)
    if budget < 0 or len(records) > limits.DECLARATIONS_MAX:
        fault = "more Content-Usage rules than the limit"
        declarations.append(unreadable(_SPEC, raw, source, fault))
    return tuple(declarations)


def with_orphans(found: tuple[Subject, ...], records: tuple[Record, ...]) -> tuple[Subject, ...]:
    """Return the subjects, where a record before the first group may speak to everybody."""
    if all(record.group >= 0 for record in records):
        return found
    stars = [subject for subject in found if subject.agents == ("*",)]
    star = stars[0] if stars else Subject(("*",), ALL_USAGES, False, (), ())
    rest = tuple(subject for subject in found if subject is not star)
    return (replace(star, split=(*star.split, -1)), *rest)


def told_of(records: tuple[Record, ...]) -> Callable[[Subject], Hashable]:
    """Return the function from a subject to the lines of ``records`` that are addressed to it."""
    known: dict[tuple[tuple[int, ...], tuple[int, ...]], Hashable] = {}

    def told(subject: Subject) -> Hashable:
        key = (subject.groups, subject.split)
        if key not in known:
            groups, split = set(subject.groups), set(subject.split)
            known[key] = (
                tuple(record.line for record in records if record.group in groups),
                tuple(record.line for record in records if record.split_group in split),
            )
        return known[key]

    return told


def _declarations(
    robots: RobotsFile, rules: list[_Rule], together: tuple[Subject, ...], source: Source
) -> list[Declaration]:
    one = together[0]
    groups, split_groups = set(one.groups), set(one.split)
    grouped = [rule for rule in rules if rule.record.group in groups]
    split = [rule for rule in rules if rule.record.split_group in split_groups]
    every = {rule.record.line: rule for rule in (*grouped, *split)}
    found: list[Declaration] = []

    def add(readings: tuple[Reading, ...], **more: object) -> None:
        lines = (min(every), max(every))
        found.append(
            declare(
                _LEGACY_SPEC if more.get("advisory") else _SPEC,
                robots.raw,
                source,
                readings,
                lines=lines,
                span=robots.span(*lines),
                agents=agents_of(together),
                fault=str(more.get("fault", "")),
                advisory=bool(more.get("advisory")),
                evidence=file_evidence(robots),
            )
        )

    readings = _readings(grouped, split, lambda p: p.said, lambda p: p.plain)
    if any(reading.statements for reading in readings):
        add((*readings, *_crawlable(robots, together, readings)))
    legacy = _readings(grouped, split, lambda p: p.legacy)
    if any(reading.statements for reading in legacy):
        add(legacy, advisory=True)
    faults = [rule for rule in every.values() if rule.preference.fault]
    if faults:
        unknown = permit(ALL_USAGES, Permission.UNKNOWN)
        statements = tuple(Statement(unknown, r.pattern, line=r.record.line) for r in faults)
        add((Reading(statements, note="unreadable"),), fault=faults[0].preference.fault)
    return found


def _readings(
    grouped: list[_Rule], split: list[_Rule], *views: Callable[[Preference], Said]
) -> tuple[Reading, ...]:
    found: list[Reading] = []
    for view in views:
        first, second = path_statements(_pairs(grouped, view)), path_statements(_pairs(split, view))
        plain = "" if view is views[0] else _NOT_SPEC
        noted = GROUPED_NOTE if first != second else ""
        found += with_ties(Reading(first, Matching.LONGEST, plain or noted))
        if second != first:
            found += with_ties(Reading(second, Matching.LONGEST, plain or _SPLIT_NOTE))
    distinct: dict[Hashable, Reading] = {}
    for reading in found:
        distinct.setdefault((reading.statements, reading.matching), reading)
    return tuple(distinct.values())


def _crawlable(
    robots: RobotsFile, together: tuple[Subject, ...], readings: tuple[Reading, ...]
) -> Iterator[Reading]:
    """Yield the readings that grant once more, without a grant where crawling is disallowed.

    Attach-05: a path that may not be crawled has no preference. Denials stay: what is denied
    anywhere in the reading is denied there too.
    """
    groups = tuple(sorted({number for subject in together for number in subject.groups}))
    barred = [rule for rule in robots.rules(groups) if not rule.allow]
    if len(barred) > limits.DECLARATIONS_MAX:  # too many to repeat: taken as the whole site
        barred = [Rule(b"/", b"/", False, barred[0].line)]
    if not barred:
        return
    paths = PathRules.compile(((rule.pattern, False) for rule in barred), normalised=True)
    for reading in readings:
        values = [value for one in reading.statements for value in one.permissions]
        granted = {usage for usage, permission in values if permission is Permission.ALLOW}
        denied = {usage for usage, permission in values if permission is Permission.DENY}
        held = {u: Permission.DENY if u in denied else Permission.UNKNOWN for u in granted}
        said: list[tuple[str, Said, int]] = []
        for one in reading.statements:
            path = one.pattern or "/"
            said.append((path, dict(one.permissions), one.line))
            if paths.longest(path) >= 0:
                said.append((path, held, one.line))
        said += [(rule.pattern.decode("ascii"), held, rule.line) for rule in barred]
        if held:
            yield Reading(path_statements(said), reading.matching, _CRAWL_NOTE)


def _pairs(
    rules: list[_Rule], view: Callable[[Preference], Said]
) -> Iterable[tuple[str, Said, int]]:
    return ((rule.pattern, view(rule.preference), rule.record.line) for rule in rules)


def path_statements(said: Iterable[tuple[str, Said, int]]) -> tuple[Statement, ...]:
    """Return one statement for each pattern; where two speak of one usage, the strictest holds.

    Attach-05: identical paths with different preferences both apply, and a denial wins.
    """
    found: dict[str, tuple[Said, int]] = {}
    for pattern, values, line in said:
        if not values:
            continue
        joined, first = found.get(pattern, ({}, line))
        stricter = dict(joined)
        for usage, permission in values.items():
            stricter[usage] = strictest(stricter.get(usage, permission), permission)
            if permission is Permission.DENY is not joined.get(usage):
                first = line
        found[pattern] = (stricter, first)
    return tuple(Statement(permissions(v), path, line=line) for path, (v, line) in found.items())


def strictest(one: Permission, other: Permission) -> Permission:
    """Return the stricter of two permissions: a denial first, a grant last."""
    order = (Permission.DENY, Permission.CONDITIONAL, Permission.UNKNOWN, Permission.ALLOW)
    return min(one, other, key=order.index)


def with_ties(reading: Reading) -> tuple[Reading, ...]:
    """Return the reading, and where patterns of one length disagree one in which a denial wins.

    RFC 9309 lets the least restrictive win a tie; AIPREF the most restrictive.
    """
    sizes: dict[int, list[Statement]] = {}
    for statement in reading.statements:
        sizes.setdefault(len(statement.pattern or ""), []).append(statement)
    for tied in sizes.values():
        wild = any("*" in (statement.pattern or "") for statement in tied)
        if wild and len({statement.permissions for statement in tied}) > 1:
            note = "patterns of one length: the most restrictive holds"
            return reading, Reading(reading.statements, Matching.STRICTEST, note)
    return (reading,)


def read_headers(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return what the Content-Usage header says; several header lines are one Dictionary."""
    headers = [h for h in parse_headers(raw) if h.name_lower == "content-usage"]
    declarations: list[Declaration] = []
    if headers:
        declarations += _header_declarations(raw, source, headers)
    if headers_fault(raw):
        declarations.append(unreadable(_SPEC, raw, source, headers_fault(raw)))
    return tuple(declarations)


def _header_declarations(raw: bytes, source: Source, headers: list[Header]) -> list[Declaration]:
    value = ", ".join(header.value for header in headers).encode("utf-8", "surrogateescape")
    found = preference(value)
    lines = (headers[0].line, headers[-1].line)
    span = (headers[0].byte_start, headers[-1].byte_end)
    if found.fault:
        return [unreadable(_SPEC, raw, source, found.fault, lines=lines, span=span)]
    declarations: list[Declaration] = []
    if found.plain:
        views = [(found.said, "")] + [(found.plain, _NOT_SPEC)] * (found.plain != found.said)
        readings = tuple(
            Reading((Statement(permissions(said), line=lines[0]),), note=note)
            for said, note in views
        )
        declarations.append(declare(_SPEC, raw, source, readings, lines=lines, span=span))
    if found.legacy:
        reading = Reading((Statement(permissions(found.legacy), line=lines[0]),))
        declarations.append(
            declare(_LEGACY_SPEC, raw, source, (reading,), lines=lines, span=span, advisory=True)
        )
    return declarations


SIGNAL = Signal(
    name="aipref",
    title="AIPREF Content-Usage",
    spec="AIPREF",
    spec_version="vocab-08, attach-05",
    url="https://datatracker.ietf.org/wg/aipref/documents/",
    readers=((Resource.ROBOTS_TXT, read_robots), (Resource.HTTP_HEADERS, read_headers)),
)
