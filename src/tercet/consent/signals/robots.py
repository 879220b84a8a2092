"""robots.txt (RFC 9309): access rules read as statements on what the named crawlers collect for.

A Disallow for a crawler denies the usages that crawler serves (agents.json); one for ``*`` denies
every usage. An Allow lifts a Disallow for its path and never grants: being let in to read is not
a permission to learn. The one exception is a policy token, which stands for a purpose itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass

from tercet.consent.signal import Resource, Signal, declare, unreadable
from tercet.consent.signals.agents import AgentTable, known_agents
from tercet.consent.signals.robots_file import RobotsFile, Rule, parse
from tercet.core import limits
from tercet.core.declaration import Declaration, Matching, Reading, Source, Statement
from tercet.core.usage import ALL_USAGES, Permission, Permissions, Usage, permit

_SPEC = ("robots", "RFC 9309", "2022-09")
GROUPED_NOTE = "RFC 9309 section 2.2.4: other records do not interfere with the groups"
SPLIT_NOTE = "a record other than a rule also ends the run of User-agent lines above it"
_SLASH_NOTE = ", and a Disallow without its first slash, or with NULs, as it is meant"
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?]*")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a part of a robots.txt speaks to, and the groups that hold for them.

    ``groups`` are indexes into ``RobotsFile.groups()``, ``split`` into ``groups(split=True)``.
    ``policy`` marks a token that stands for a purpose: an Allow under it grants.
    """

    agents: tuple[str, ...]
    usages: frozenset[Usage]
    policy: bool
    groups: tuple[int, ...]
    split: tuple[int, ...]


def subjects(robots: RobotsFile, table: AgentTable | None = None) -> tuple[Subject, ...]:
    """Return ``*`` and every known agent that the file names, each by itself, in file order."""
    table = table or known_agents()
    named = robots.tokens(wide=True)
    split = robots.tokens(split=True, wide=True) if robots.ambiguous else named
    found: dict[str, Subject] = {}
    for token, groups in named.items():
        agent = table.get(token)
        if token == "*":
            found["*"] = Subject(("*",), ALL_USAGES, False, groups, split.get(token, ()))
        elif agent is not None and agent.token not in found:
            there = split.get(token, ())
            found[agent.token] = Subject((agent.token,), agent.usages, agent.policy, groups, there)
    return tuple(found.values())


def merged(
    found: tuple[Subject, ...], says: Callable[[Subject], Hashable]
) -> Iterator[tuple[Subject, ...]]:
    """Yield the subjects that are told the same, together; ``*`` always stays by itself."""
    if len(found) == 1:  # most files tell everybody the same
        yield found
        return
    told: dict[Hashable, list[Subject]] = {}
    for subject in found:
        told.setdefault((says(subject), subject.agents == ("*",)), []).append(subject)
    for together in told.values():
        yield tuple(sorted(together, key=lambda subject: subject.agents[0].lower()))


def agents_of(together: tuple[Subject, ...]) -> tuple[str, ...]:
    """Return the tokens of subjects that are told the same."""
    return tuple(agent for subject in together for agent in subject.agents)


def group_lines(robots: RobotsFile, together: tuple[Subject, ...]) -> tuple[int, int]:
    """Return the first and last line, from 1, of all groups that hold for the subjects."""
    groups = robots.groups()
    numbers = {number for subject in together for number in subject.groups}
    if not numbers:
        return 0, 0
    ends = max(robots.line_end(groups[number]) for number in numbers)
    return min(groups[number].start for number in numbers) + 1, ends


def file_evidence(robots: RobotsFile) -> dict[str, str]:
    """Return what is worth keeping about the file as a whole."""
    return {"truncated": f"read up to {limits.ROBOTS_BYTES_MAX} bytes"} if robots.truncated else {}


def read(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return one declaration for ``*`` and one for each set of known agents told the same."""
    return read_with(raw, source, known_agents())


def read_with(raw: bytes, source: Source, table: AgentTable) -> tuple[Declaration, ...]:
    """Do the same as ``read`` with another table of agents."""
    robots = parse(raw)
    if robots.fault:
        return (unreadable(_SPEC, raw, source, robots.fault),)
    budget = limits.STATEMENTS_MAX
    declarations: list[Declaration] = []
    for together in merged(subjects(robots, table), _content(robots)):
        one = together[0]
        budget -= _size(robots, one.groups, False)
        budget -= _size(robots, one.split, True) if robots.ambiguous else 0
        if budget < 0:
            fault = "more rules for more agents than the limit"
            return (*declarations, unreadable(_SPEC, raw, source, fault))
        declarations.append(_declaration(robots, together, source))
    return tuple(declarations)


def _size(robots: RobotsFile, groups: tuple[int, ...], split: bool) -> int:
    every = robots.groups(split=split)
    return sum(every[number].end - every[number].start for number in groups)


def _content(robots: RobotsFile) -> Callable[[Subject], Hashable]:
    """Return the function from a subject to what the file tells it, rules of both groupings.

    Rules are compared once for each set of groups: a file may name a hundred agents in one.
    """
    known: dict[tuple[tuple[int, ...], bool], int] = {}
    numbers: dict[tuple[tuple[bytes, bool], ...], int] = {}
    budget = limits.STATEMENTS_MAX

    def number(groups: tuple[int, ...], split: bool) -> Hashable:
        nonlocal budget
        key = (groups, split)
        if key not in known:
            budget -= _size(robots, groups, split)
            if budget < 0:
                return groups  # too much to compare: taken as told differently
            content = tuple((r.pattern, r.allow) for r in robots.rules(groups, split=split))
            known[key] = numbers.setdefault(content, len(numbers))
        return known[key]

    def told(subject: Subject) -> Hashable:
        grouped, split = number(subject.groups, False), number(subject.split, robots.ambiguous)
        return grouped, split, subject.usages, subject.policy

    return told


def _declaration(robots: RobotsFile, together: tuple[Subject, ...], source: Source) -> Declaration:
    lines = group_lines(robots, together)
    evidence = file_evidence(robots)
    if len({subject.groups for subject in together}) > 1:
        spans = ((subject.agents[0], group_lines(robots, (subject,))) for subject in together)
        text = "; ".join(f"{agent} {first}-{last}" for agent, (first, last) in spans)
        evidence["groups"] = text[: limits.CONDITION_TEXT_MAX]
    return declare(
        _SPEC,
        robots.raw,
        source,
        _readings(robots, min(together, key=lambda subject: subject.groups)),
        lines=lines,
        span=robots.span(*lines),
        agents=agents_of(together),
        evidence=evidence,
    )


def _readings(robots: RobotsFile, subject: Subject) -> tuple[Reading, ...]:
    rules = robots.rules(subject.groups)
    split = robots.rules(subject.split, split=True) if robots.ambiguous else rules
    grouped = _statements(rules, subject)
    found = [Reading(grouped, Matching.LONGEST, GROUPED_NOTE if split != rules else "")]
    if split != rules:
        found.append(Reading(_statements(split, subject), Matching.LONGEST, SPLIT_NOTE))
    for reading, its_rules in tuple(zip(found, (rules, split), strict=False)):
        mended = tuple(map(_mend, its_rules))
        if mended != its_rules:
            statements, note = _statements(mended, subject), reading.note + _SLASH_NOTE
            found.append(Reading(statements, Matching.LONGEST, note.removeprefix(", and ")))
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)


def _mend(rule: Rule) -> Rule:
    """Return the rule as meant where a denial holds NULs, lacks its first slash or is a URL."""
    if rule.allow:
        return rule
    pattern = rule.pattern.replace(b"%00", b"") or b"/"
    if pattern[:1] in (b"/", b"*", b"$"):
        return rule if pattern == rule.pattern else rule._replace(pattern=pattern)
    path = pattern.decode("ascii")
    authority = _AUTHORITY.match(path)
    path = path[authority.end() :] if authority else path
    return rule._replace(pattern=(path if path.startswith("/") else f"/{path}").encode())


def _statements(rules: tuple[Rule, ...], subject: Subject) -> tuple[Statement, ...]:
    deny = permit(subject.usages, Permission.DENY)
    lift = permit(subject.usages, Permission.ALLOW if subject.policy else Permission.UNKNOWN)
    said: dict[bool, Permissions] = {True: lift, False: deny}
    return tuple(
        Statement(said[rule.allow], rule.pattern.decode("ascii"), line=rule.line) for rule in rules
    )


SIGNAL = Signal(
    name="robots",
    title="robots.txt",
    spec="RFC 9309",
    spec_version="2022-09",
    url="https://www.rfc-editor.org/rfc/rfc9309",
    readers=((Resource.ROBOTS_TXT, read),),
)
