"""Content-Signal: Cloudflare's content signals policy, in robots.txt and in HTTP headers.

Sources: contentsignals.org (24 Sep 2025, CC0) and Cloudflare's documentation of 2026-08 (``use``).
It is disputed whether a signal in robots.txt speaks to its group or to the whole site, so where
the two differ for an agent both are readings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from tercet.consent.http_headers import headers_fault, parse_headers
from tercet.consent.signal import Resource, Signal, declare, unreadable
from tercet.consent.signals.aipref import (
    Said,
    path_statements,
    split_path,
    strictest,
    told_of,
    with_ties,
)
from tercet.consent.signals.robots import (
    GROUPED_NOTE,
    SPLIT_NOTE,
    Subject,
    agents_of,
    file_evidence,
    merged,
    subjects,
)
from tercet.consent.signals.robots_file import Record, RobotsFile, parse
from tercet.core import limits
from tercet.core.declaration import Declaration, Matching, Reading, Source, Statement
from tercet.core.usage import ALL_USAGES, TRAINING, Permission, Usage, permissions

_SPEC = ("content_signal", "Content signals policy", "2025-09-24, use= of 2026-08")
_SITE_NOTE = "the signals of a robots.txt speak of the whole site, whatever group they stand in"

KEYS: dict[str, frozenset[Usage]] = {
    "search": frozenset({Usage.SEARCH}),
    "ai-input": frozenset({Usage.AI_INPUT}),
    "ai-train": TRAINING,
}
# Words of other vocabularies, seen in the wild: a denial is a denial, a grant is none.
FOREIGN_KEYS: dict[str, frozenset[Usage]] = {
    "train-ai": TRAINING,
    "ai-use": frozenset({Usage.AI_INPUT}),
    "ai-training": TRAINING,
    "ai_train": TRAINING,
    "ai_input": frozenset({Usage.AI_INPUT}),
}
_YES = frozenset({"yes", "true", "1"})
_NO = frozenset({"no", "false", "0", "n", "disallow", "deny", "none"})
_NO_BEGINNINGS = ("no", "disallow", "den", "false", "forbid", "prohibit", "block")  # "no." is no
_MARKS = "=:.!?*()[]{}<>\"'`_-"
_PARTS = re.compile(r"[,;\s]+")
_AROUND_EQUALS = re.compile(r"\s{0,100}[=:]\s{0,100}")


@dataclass(slots=True)
class _Signals:
    """What one Content-Signal value says; ``use`` holds its ``use=`` words."""

    said: Said = field(default_factory=dict)
    use: list[str] = field(default_factory=list)


def parse_signals(value: str) -> tuple[Said, tuple[str, ...]]:
    """Read ``key=value`` pairs, in any case, parted by commas (or ``;`` or white space). Total.

    Of a repeated key the strictest value counts. ``use=immediate`` and ``use=reference`` limit
    what is kept of the content, so training and indexing are not granted beside them.
    """
    found = _Signals()
    for part in _PARTS.split(_AROUND_EQUALS.sub("=", value.lower())):
        key, equals, word = part.partition("=")
        key, word = key.strip("\"'"), word.strip("\"'")
        if not equals:
            continue
        if key == "use":
            found.use.append(word)
        usages, known = KEYS.get(key, FOREIGN_KEYS.get(key, frozenset())), key in KEYS
        for usage in usages:
            permission = _permission(word, known)
            found.said[usage] = strictest(found.said.get(usage, permission), permission)
    if any(word != "full" for word in found.use):
        for usage in (*TRAINING, Usage.AI_INDEX):
            unknown = Permission.UNKNOWN
            found.said[usage] = strictest(found.said.get(usage, unknown), unknown)
    return found.said, tuple(found.use)


def _permission(word: str, known: bool) -> Permission:
    if word in _NO or word.strip(_MARKS).startswith(_NO_BEGINNINGS):
        return Permission.DENY
    return Permission.ALLOW if known and word in _YES else Permission.UNKNOWN


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: str
    said: Said
    use: tuple[str, ...]
    record: Record


def read_robots(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return what content signals tell ``*`` and the known agents, group by effective group."""
    robots = parse(raw)
    records = robots.records_named("content-signal")
    if not records:
        return ()
    rules = [_rule(record) for record in records[: limits.DECLARATIONS_MAX]]
    found = subjects(robots)
    if not any(subject.agents == ("*",) for subject in found):
        found = (Subject(("*",), ALL_USAGES, False, (), ()), *found)
    site = path_statements((rule.pattern, rule.said, rule.record.line) for rule in rules)
    declarations: list[Declaration] = []
    budget = limits.STATEMENTS_MAX
    for together in merged(found, told_of(records)):
        budget -= 4 * len(rules)  # there are up to so many readings
        if budget < 0:
            break
        declarations += _declaration(robots, rules, site, together, source)
    if budget < 0 or len(records) > limits.DECLARATIONS_MAX:
        fault = "more Content-Signal records than the limit"
        declarations.append(unreadable(_SPEC, raw, source, fault))
    return tuple(declarations)


def _rule(record: Record) -> _Rule:
    pattern, value = split_path(record.value)
    said, use = parse_signals(value.decode("utf-8", "replace"))
    return _Rule(pattern, said, use, record)


def _declaration(
    robots: RobotsFile,
    rules: list[_Rule],
    site: tuple[Statement, ...],
    together: tuple[Subject, ...],
    source: Source,
) -> list[Declaration]:
    groups, split_groups = set(together[0].groups), set(together[0].split)
    grouped = [rule for rule in rules if rule.record.group in groups]
    split = [rule for rule in rules if rule.record.split_group in split_groups]
    views = [
        (_statements(grouped), GROUPED_NOTE),
        (_statements(split), SPLIT_NOTE),
        (site, _SITE_NOTE),
    ]
    # Two groupings that say the same on other lines are one reading.
    distinct: dict[frozenset[object], tuple[tuple[Statement, ...], str]] = {}
    for statements, note in views:
        content = frozenset((one.pattern, one.permissions) for one in statements)
        distinct.setdefault(content, (statements, note))
    readings: list[Reading] = []
    for statements, note in distinct.values():
        readings += with_ties(Reading(statements, Matching.LONGEST, note))
    if len(distinct) == 1:
        readings[0] = replace(readings[0], note="")
    if not any(reading.statements for reading in readings):
        return []
    lines = (rules[0].record.line, rules[-1].record.line)
    use = {word for rule in rules for word in rule.use}
    evidence = file_evidence(robots) | ({"use": " ".join(sorted(use))[:200]} if use else {})
    return [
        declare(
            _SPEC,
            robots.raw,
            source,
            tuple(readings),
            lines=lines,
            span=robots.span(*lines),
            agents=agents_of(together),
            evidence=evidence,
        )
    ]


def _statements(rules: list[_Rule]) -> tuple[Statement, ...]:
    return path_statements((rule.pattern, rule.said, rule.record.line) for rule in rules)


def read_headers(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return what the Content-Signal header says; several header lines count together."""
    headers = [h for h in parse_headers(raw) if h.name_lower == "content-signal"]
    said, use = parse_signals(", ".join(header.value for header in headers))
    declarations: list[Declaration] = []
    if said:
        reading = Reading((Statement(permissions(said), line=headers[0].line),))
        declarations.append(
            declare(
                _SPEC,
                raw,
                source,
                (reading,),
                lines=(headers[0].line, headers[-1].line),
                span=(headers[0].byte_start, headers[-1].byte_end),
                evidence={"use": " ".join(sorted(use))[:200]} if use else {},
            )
        )
    if headers_fault(raw):
        declarations.append(unreadable(_SPEC, raw, source, headers_fault(raw)))
    return tuple(declarations)


SIGNAL = Signal(
    name="content_signal",
    title="Content-Signal",
    spec="Content signals policy",
    spec_version="2025-09-24",
    url="https://contentsignals.org/",
    readers=((Resource.ROBOTS_TXT, read_robots), (Resource.HTTP_HEADERS, read_headers)),
)
