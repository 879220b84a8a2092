"""A robots.txt as a value: every record with its line, bytes and group, and who may fetch what.

    robots = parse(raw)                          # profile "rfc9309"; "google" decides like Google
    robots.allowed("GPTBot", b"/a?b=c")          # Decision(allowed=False, line=12)
    [r for r in robots.records if r.name == "license"]

Reading never fails. One regular expression cuts the file into lines, keys and values; groups keep
indexes into that list, and records, byte ranges and compiled rules are made when asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Literal, NamedTuple

from tercet.consent.paths import PathRules, google_pattern, normalise_path, normalise_pattern
from tercet.core import limits

Profile = Literal["rfc9309", "google"]

# Exactly one match a line, and each part always matches, so there is nothing to backtrack to.
_LINE = re.compile(rb"[ \t\v\f\r]*([^\n:#]*:?)[ \t\v\f]*([^\n#]*)[^\n]*\n")
_PRODUCT = re.compile(rb"[A-Za-z_-]*")  # RFC 9309 section 2.2.1: no digits
_WORD = re.compile(rb"[^\s/;(]*")
_BOM = b"\xef\xbb\xbf"

_BLANK, _DISALLOW, _ALLOW, _AGENT, _OTHER = range(5)
# Mistakes that Google's parser accepts; it compares only the start of a key.
_AGENT_KEYS = (b"user-agent", b"useragent", b"user agent")
_DISALLOW_KEYS = (
    b"disallow", b"dissallow", b"dissalow", b"disalow", b"diasllow", b"disallaw",
)  # fmt: skip
_KINDS: dict[bytes, int] = {b"": _BLANK} | {
    spelling + b":": kind
    for key, kind in (
        (b"disallow", _DISALLOW), (b"allow", _ALLOW), (b"user-agent", _AGENT),
        (b"sitemap", _OTHER), (b"crawl-delay", _OTHER), (b"host", _OTHER), (b"noindex", _OTHER),
    )
    for spelling in (key, key.capitalize(), key.title(), key.upper())
}  # fmt: skip

Pair = tuple[bytes, bytes]


class Decision(NamedTuple):
    """Whether a path may be fetched, and the line that says so (0: no line does)."""

    allowed: bool
    line: int


@dataclass(frozen=True, slots=True)
class Record:
    """One ``name: value`` line. ``name`` is in lower case, ``value`` as written, without comment.

    ``byte_start`` and ``byte_end`` are the half-open range of the line in the raw bytes, without
    its line end. ``group`` is the index of the group the record stands in, -1 before the first;
    ``split_group`` the same where any record ends a run of User-agent lines.
    """

    line: int
    byte_start: int
    byte_end: int
    name: str
    value: bytes
    group: int
    split_group: int


@dataclass(frozen=True, slots=True)
class Rule:
    """An Allow or Disallow line: its pattern as ``normalise_pattern`` and as Google writes it."""

    pattern: bytes
    google: bytes
    allow: bool
    line: int


@dataclass(frozen=True, slots=True)
class Group:
    """User-agent lines and the rules under them.

    ``tokens`` are the product tokens in lower case. ``agents`` and ``rules`` are indexes of lines
    from 0, inverted (``~index``) for Allow.
    """

    line_start: int
    tokens: list[str] = field(default_factory=list)
    agents: list[int] = field(default_factory=list)
    rules: list[int] = field(default_factory=list)

    @property
    def line_end(self) -> int:
        """The last User-agent or rule line."""
        ends = [index if index >= 0 else ~index for index in self.rules[-1:]]
        return max([*ends, *self.agents[-1:]]) + 1


@dataclass(frozen=True, slots=True)
class RobotsFile:
    """One robots.txt. ``fault`` says why nothing could be read; such a file has no records.

    ``truncated`` tells that bytes beyond the limit were left unread. ``ambiguous`` tells that
    some other record stands between User-agent lines of one run: ``groups`` are read as RFC 9309
    section 2.2.4 demands (it does not interfere), ``split_groups`` as if it ended the run.
    """

    profile: Profile
    raw: bytes
    fault: str
    truncated: bool
    ambiguous: bool
    groups: list[Group]
    _pairs: list[Pair]
    _memo: dict[object, object] = field(default_factory=dict, repr=False, compare=False)

    def allowed(self, agent: str, path_and_query: bytes) -> Decision:
        """Return whether the crawler whose product token is ``agent`` may fetch the path.

        RFC 9309 section 2.2.2 undoes escapes of unreserved characters and escapes a path's raw
        octets; Google's parser and its conformance suite do not. Where the two comparisons
        differ, profile "rfc9309" takes the one that denies.
        """
        chosen = self.effective(agent)
        if not chosen:
            return Decision(True, 0)
        compiled = self._compiled(chosen)
        path = path_and_query if path_and_query[:1] == b"/" else b"/" + path_and_query
        if self.profile == "google":
            return _decide(compiled.raw, compiled.found, path)
        normal = normalise_path(path)
        decision = _decide(compiled.normal, compiled.found, normal)
        if decision.allowed and (compiled.raw is not compiled.normal or path != normal):
            return _decide(compiled.raw, compiled.found, path)
        return decision

    def _compiled(self, chosen: tuple[int, ...]) -> _Compiled:
        key = ("rules", chosen)
        if key not in self._memo:
            found = tuple(self.rules(chosen))
            raw = PathRules.compile(((r.google, r.allow) for r in found), normalised=True)
            same = all(rule.google == rule.pattern for rule in found)
            patterns = ((rule.pattern, rule.allow) for rule in found)
            normal = raw if same else PathRules.compile(patterns, normalised=True)
            self._memo[key] = _Compiled(raw, normal, found)
        return self._memo[key]  # type: ignore[return-value]

    def effective(self, agent: str, *, split: bool = False) -> tuple[int, ...]:
        """Return the indexes of the groups that hold for ``agent``: its own, else those of ``*``.

        ``split`` asks for indexes into ``split_groups``. Empty when no group holds.
        """
        own = self.tokens(split=split)
        return own.get(agent.lower()) or own.get("*", ())

    def tokens(self, *, split: bool = False, wide: bool = False) -> dict[str, tuple[int, ...]]:
        """Return for each named token (lower case, ``*`` included) the groups that name it.

        Names in use break the grammar of product tokens ("AI2Bot", "ChatGPT Agent"): ``wide``
        adds the first word and the whole of every name.
        """
        key = ("tokens", split, wide)
        if key not in self._memo:
            found: dict[str, dict[int, None]] = {}
            for index, group in enumerate(self.split_groups if split else self.groups):
                names = [n for at in group.agents for n in _spellings(self._pairs[at][1])]
                for token in names if wide else group.tokens:
                    found.setdefault(token, {})[index] = None
            self._memo[key] = {token: tuple(ids) for token, ids in found.items()}
        return self._memo[key]  # type: ignore[return-value]

    @property
    def split_groups(self) -> list[Group]:
        """The groups if any record but User-agent ends a run of User-agent lines."""
        if not self.ambiguous:
            return self.groups
        if "split" not in self._memo:
            self._memo["split"] = _group(self._pairs, self.profile, closing=True)[0]
        return self._memo["split"]  # type: ignore[return-value]

    def rules(self, chosen: tuple[int, ...], *, split: bool = False) -> Iterator[Rule]:
        """Yield the rules of the ``chosen`` groups in order; a rule without a pattern is none."""
        groups = self.split_groups if split else self.groups
        for number in chosen:
            for index in groups[number].rules:
                line = index if index >= 0 else ~index
                value = self._pairs[line][1].rstrip()
                if not value:
                    continue
                google = google_pattern(value)
                yield Rule(normalise_pattern(value), google, index < 0, line + 1)
                slash = google.rfind(b"/")
                index_page = index < 0 and google.startswith(b"/index.htm", slash)
                if index_page and self.profile == "google":  # there it stands for "/" too
                    folder = google[: slash + 1] + b"$"
                    yield Rule(folder, folder, True, line + 1)

    @property
    def records(self) -> tuple[Record, ...]:
        """Every record of the file in order: rules, extensions and unknown ones alike."""
        if "records" not in self._memo:
            self._memo["records"] = tuple(self._records())
        return self._memo["records"]  # type: ignore[return-value]

    @property
    def records_count(self) -> int:
        """How many records the file has."""
        return sum(1 for key, _ in self._pairs if key)

    def span(self, line_start: int, line_end: int) -> tuple[int, int]:
        """Return the half-open byte range of the lines (both included) in the raw bytes."""
        if "offsets" not in self._memo:
            ends = list(accumulate(len(line) for line in self.raw.splitlines(keepends=True)))
            self._memo["offsets"] = [0, *ends]
        offsets: list[int] = self._memo["offsets"]  # type: ignore[assignment]
        if _wide(self.raw) or line_end >= len(offsets):
            return 0, len(self.raw)
        return offsets[line_start - 1], offsets[line_end]

    def _records(self) -> Iterator[Record]:
        starts = [group.line_start for group in self.groups]
        split_starts = [group.line_start for group in self.split_groups]
        group = split = -1
        for line, (key, value) in enumerate(self._pairs, 1):
            if not key:
                continue
            while group + 1 < len(starts) and starts[group + 1] <= line:
                group += 1
            while split + 1 < len(split_starts) and split_starts[split + 1] <= line:
                split += 1
            start, end = self.span(line, line)
            name = key.rstrip(b": \t\v\f").lower().decode("utf-8", "replace")
            yield Record(line, start, end, name, value.rstrip(), group, split)


class _Compiled(NamedTuple):
    raw: PathRules  # patterns as Google compares them with a path as given
    normal: PathRules  # normalised patterns, for a normalised path; the same object if all agree
    found: tuple[Rule, ...]


def _decide(rules: PathRules, found: tuple[Rule, ...], path: bytes) -> Decision:
    index = rules.longest(path)
    return Decision(found[index].allow, found[index].line) if index >= 0 else Decision(True, 0)


@lru_cache(maxsize=8)
def parse(raw: bytes, profile: Profile = "rfc9309") -> RobotsFile:
    """Read a robots.txt. Total: any bytes give a RobotsFile; the last few are kept.

    ``rfc9309`` reads comma lists of agents (erratum 8895) and UTF-16 with or without a byte order
    mark; ``google`` decides as Google's open-source parser does. Both accept the misspelt keys and
    the missing colon that Google accepts: a misspelt denial is a denial.
    """
    text, truncated, fault = raw, False, ""
    if len(text) > limits.ROBOTS_BYTES_MAX:
        text, truncated = _cut(text), True
    if profile == "rfc9309" and _wide(text):
        try:
            text = text.decode(_wide(text)).encode("utf-8")
        except UnicodeDecodeError:
            text, fault = b"", "UTF-16 or UTF-32 text that cannot be decoded"
    pairs: list[Pair] = _LINE.findall(_plain(text, profile))
    groups, ambiguous = _group(pairs, profile, closing=False)
    return RobotsFile(profile, raw, fault, truncated, ambiguous, groups, pairs)


def _cut(raw: bytes) -> bytes:
    """Cut at the limit, and drop the line that was cut: half an Allow would allow too much."""
    text = raw[: limits.ROBOTS_BYTES_MAX]
    end = max(text.rfind(b"\n"), text.rfind(b"\r"))
    return text[: end + 1] if end >= 0 else b""


def _wide(raw: bytes) -> str:
    """Return the codec of UTF-16 or UTF-32 text, "" for all else."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-32" if raw[2:4] == b"\x00\x00" else "utf-16"
    if raw[:4] == b"\x00\x00\xfe\xff":
        return "utf-32"
    if len(raw) > 3 and raw[1] == raw[3] == 0 != raw[0]:
        return "utf-16-le"
    return "utf-16-be" if len(raw) > 3 and raw[0] == raw[2] == 0 != raw[1] else ""


def _plain(text: bytes, profile: Profile) -> bytes:
    """Return lines that all end in LF; every octet keeps its place but in over-long lines."""
    if text[:1] == b"\xef":  # a byte order mark, or the start of one (Google skips both)
        size = next(n for n in (3, 2, 1) if text.startswith(_BOM[:n]))
        text = b" " * size + text[size:]
    if b"\r" in text:
        text = text.replace(b"\r\n", b" \n").replace(b"\r", b"\n")
    if profile == "google" and b"\x00" in text:  # C strings end there
        text = re.sub(rb"\x00[^\n]*", b"", text)
    if len(text) > limits.LINE_BYTES_MAX:
        lines = text.split(b"\n")
        if max(map(len, lines)) > limits.LINE_BYTES_MAX:
            text = b"\n".join([line[: limits.LINE_BYTES_MAX] for line in lines])
    return text + b"\n"


def _group(pairs: list[Pair], profile: Profile, *, closing: bool) -> tuple[list[Group], bool]:
    """Gather groups in one pass; also tell whether other records make the grouping ambiguous.

    With ``closing`` every record but User-agent ends a run of User-agent lines.
    """
    groups: list[Group] = []
    rules: list[int] = []  # rules before the first group belong to nobody
    running = ambiguous = other = False
    kind_of = _KINDS.get
    read_tokens = _TOKENS[profile]
    for index, (key, value) in enumerate(pairs):
        kind = kind_of(key)
        if kind is None:
            kind, pairs[index] = _odd(key, value)
        if kind == _DISALLOW:
            rules.append(index)
            running = False
        elif kind == _ALLOW:
            rules.append(~index)
            running = False
        elif kind == _AGENT:
            if not running:
                group = Group(index + 1)
                groups.append(group)
                rules = group.rules
                running, other = True, False
            ambiguous = ambiguous or other
            group.tokens.extend(read_tokens(pairs[index][1]))
            group.agents.append(index)
        elif kind == _OTHER:
            other = running
            running = running and not closing
    return groups, ambiguous


def _odd(key: bytes, value: bytes) -> tuple[int, Pair]:
    """Return the kind of a key that is not spelt in a usual way, and the record put right."""
    if key[-1:] != b":":
        words = key.split()
        if len(words) != 2 or _kind(words[0].lower()) == _OTHER:
            return _BLANK, (b"", b"")
        key, value = words[0] + b":", words[1]
    name = key[:-1].strip().lower()
    if not name:
        return _BLANK, (b"", b"")
    return _kind(name), (key, value)


def _kind(name: bytes) -> int:
    if name.startswith(_DISALLOW_KEYS):
        return _DISALLOW
    if name.startswith(b"allow"):
        return _ALLOW
    return _AGENT if name.startswith(_AGENT_KEYS) else _OTHER


@lru_cache(maxsize=1024)
def _google_tokens(value: bytes) -> tuple[str, ...]:
    if value[:1] == b"*" and (len(value) == 1 or value[1:2].isspace()):
        return ("*",)
    return (_PRODUCT.match(value)[0].decode("ascii").lower(),)  # type: ignore[index]


@lru_cache(maxsize=1024)
def _rfc_tokens(value: bytes) -> tuple[str, ...]:
    """Return the product token of every name in a comma list (erratum 8895)."""
    found = [token for name in value.split(b",") for token in _google_tokens(name.strip())]
    return tuple(token for token in dict.fromkeys(found) if token)


@lru_cache(maxsize=1024)
def _spellings(value: bytes) -> tuple[str, ...]:
    """Return the product token, the first word and the whole of every name in a comma list."""
    found = dict.fromkeys(_rfc_tokens(value))
    for name in value.split(b","):
        bare = name.strip().lower()
        for spelling in (_WORD.match(bare)[0], bare):  # type: ignore[index]
            if spelling:
                found[spelling.decode("utf-8", "replace")] = None
    return tuple(found)


_TOKENS: dict[str, Callable[[bytes], tuple[str, ...]]] = {
    "google": _google_tokens,
    "rfc9309": _rfc_tokens,
}
