"""ai.txt of Spawning: which files of a site may not be used for AI training.

The grammar is that of robots.txt, applied to file types (``Disallow: *.jpg``); the file is asked
when a work is downloaded. A ``Disallow`` denies training and mining for the paths it matches. An
``Allow`` only takes paths out of a broader ``Disallow``: it is read as unknown, never as consent,
because nothing makes it a licence and most files with one are copies of a robots.txt.

Several unrelated things are called ai.txt. Only a plain-text body that begins with a comment or a
record and holds at least one group with a rule is read; everything else says nothing.

Source: Spawning, "ai.txt: A new way for websites to set permissions for AI", 30 May 2023.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tercet.consent.paths import normalise_pattern
from tercet.consent.signal import Resource, Signal, declare, unreadable
from tercet.consent.signals.robots_file import RobotsFile, parse
from tercet.core.declaration import Declaration, Matching, Reading, Source, Statement
from tercet.core.limits import DECLARATIONS_MAX
from tercet.core.usage import TRAINING, Permission, Usage, permit

_SPEC = ("ai_txt", "Spawning ai.txt", "2023-05-30")
_USAGES = TRAINING | {Usage.MINE}
DENIED = permit(_USAGES, Permission.DENY)
LIFTED = permit(_USAGES, Permission.UNKNOWN)
_NOTE = "robots.txt grammar: the longest match holds, a denial wins a tie"

_GROUPS_MAX = 1_000  # each costs a digest of the whole file
_DISALLOW = ("disal", "dissal", "diasl")  # with the misspellings that robots.txt readers accept
_FILE_TYPE = re.compile(r"\*\.[^*/]+\Z")
_OPENING = re.compile(rb"#|user[- ]?agent|dis?+s?allow|allow", re.IGNORECASE)
_EVERYTHING = frozenset({"*", "/", "/*", "**", ""})


@dataclass(slots=True)
class _Group:
    """The lines and product tokens of one group."""

    line_start: int
    line_end: int = 0
    tokens: list[str] = field(default_factory=list)


def read_file(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read an ai.txt: one declaration for each group of agents that has a rule."""
    if not _looks_like_text(raw):
        return ()
    robots = parse(raw)
    groups = _groups(robots)
    found = [
        declaration
        for index in list(groups)[:_GROUPS_MAX]
        if (declaration := _declaration(robots, index, groups[index], raw, source)) is not None
    ]
    if not found:
        found = list(_without_group(robots, raw, source))
    if found and (robots.truncated or len(groups) > _GROUPS_MAX):
        found.append(unreadable(_SPEC, raw, source, "larger than the limit"))
    return tuple(found)


def _groups(robots: RobotsFile) -> dict[int, _Group]:
    """Return the groups of agents by their index in ``robots``."""
    groups: dict[int, _Group] = {}
    for record in robots.records:
        if record.group >= 0:
            group = groups.setdefault(record.group, _Group(record.line))
            group.line_end = record.line
    for token, indexes in robots.tokens(wide=True).items():
        for index in indexes:
            if index in groups:
                groups[index].tokens.append(token)
    return groups


def _looks_like_text(raw: bytes) -> bool:
    """Return whether the body begins as Spawning's file does: a comment or a record."""
    start = raw[:4096]
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        start = start.replace(b"\x00", b"")[2:]
    opening = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    return b"\x00" not in start and _OPENING.match(opening) is not None


def _declaration(
    robots: RobotsFile, index: int, group: _Group, raw: bytes, source: Source
) -> Declaration | None:
    statements = tuple(_statements(robots, index))
    if not statements:
        return None
    agents = () if "*" in group.tokens else tuple(group.tokens)
    fault = "" if group.tokens else "a User-agent line without a name"
    lines = (group.line_start, group.line_end)
    return declare(
        _SPEC, raw, source, (Reading(statements, _matching(statements), _NOTE),),
        lines=lines, span=robots.span(*lines), agents=agents, fault=fault,
        evidence={"rules": str(len(statements))},
    )  # fmt: skip


def _statements(robots: RobotsFile, index: int) -> Iterator[Statement]:
    rules = list(robots.rules((index,)))
    denied = {_pattern(rule.pattern) for rule in rules if not rule.allow}
    for rule in rules:
        pattern = _pattern(rule.pattern)
        if not rule.allow:
            yield Statement(DENIED, pattern, line=rule.line)
        elif pattern not in denied and pattern not in _EVERYTHING:
            yield Statement(LIFTED, pattern, line=rule.line)


def _pattern(pattern: bytes) -> str:
    """Return a pattern that can match a path: ``.jpg`` and ``images/`` may stand anywhere."""
    whole = pattern if pattern.startswith((b"/", b"*")) else b"*" + pattern
    return whole.decode("ascii", "replace")


def _matching(statements: tuple[Statement, ...]) -> Matching:
    """Longest match, unless an Allow and a Disallow of equal length could tie at a path.

    Literal prefixes of equal length never meet, and file types are taken not to.
    """
    denied: dict[int, set[str]] = {}
    lifted: dict[int, set[str]] = {}
    for statement in statements:
        patterns = denied if statement.permissions == DENIED else lifted
        pattern = statement.pattern or ""
        patterns.setdefault(len(pattern), set()).add(pattern)
    for length in denied.keys() & lifted.keys():
        every = denied[length] | lifted[length]
        wild = any("*" in pattern for pattern in every)
        if wild and not all(_FILE_TYPE.match(pattern) for pattern in every):
            return Matching.STRICTEST
    return Matching.LONGEST


def _without_group(robots: RobotsFile, raw: bytes, source: Source) -> Iterator[Declaration]:
    """Rules before any User-agent line belong to nobody; a denial among them still counts."""
    records = [one for one in robots.records if one.group < 0 and one.name.startswith(_DISALLOW)]
    statements = tuple(
        Statement(DENIED, _pattern(normalise_pattern(one.value)), line=one.line)
        for one in records[:DECLARATIONS_MAX]
        if one.value
    )
    if statements:
        lines = (statements[0].line, statements[-1].line)
        yield declare(
            _SPEC, raw, source, (Reading(statements, Matching.LONGEST, _NOTE),),
            lines=lines, span=robots.span(*lines), fault="Disallow without a User-agent line",
        )  # fmt: skip


SIGNAL = Signal(
    name="ai_txt",
    title="Spawning ai.txt",
    spec="Spawning ai.txt",
    spec_version="2023-05-30",
    url="https://site.spawning.ai/spawning-ai-txt",
    readers=((Resource.AI_TXT, read_file),),
)
