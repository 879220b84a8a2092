"""A robots.txt as a value: every record with its line, bytes and group, and who may fetch what.

    robots = parse(raw)                          # profile "rfc9309"; "google" decides like Google
    robots.allowed("GPTBot", b"/a?b=c")          # Decision(allowed=False, line=12)
    [r for r in robots.records if r.name == "license"]

Reading never fails. The file is cut into lines, and each line gets a letter for its kind:
d(isallow), a(llow), u(ser-agent), o(ther), - (no record). Groups are then found by regular
expressions over that string of letters, so the work per line stays in C.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, repeat
from operator import itemgetter
from typing import Literal, NamedTuple

from tercet.consent.paths import (
    PathRules,
    google_pattern,
    matches,
    normalise_path,
    normalise_pattern,
)
from tercet.core import limits

Profile = Literal["rfc9309", "google"]

_COMMENT = re.compile(rb"#[^\r\n]*")
_COMMENT_OR_NUL = re.compile(
    rb"[#\x00][^\r\n]*"
)  # Google's parser is of C strings: NUL ends a line
_PRODUCT = re.compile(rb"[A-Za-z_-]*")  # RFC 9309 section 2.2.1: no digits
_BLANKS = re.compile(rb"[ \t]+")
_WORD = re.compile(rb"[^\s/;(]*")
_BOM = b"\xef\xbb\xbf"

_BLANK, _DISALLOW, _ALLOW, _AGENT, _OTHER, _ODD = b"-dauo?"
# RFC 9309 section 2.2.4: other records do not interfere, so only a rule ends a run of agents.
_GROUP = re.compile(rb"(u[uo?-]*)((?:[da][^u]*)?)")
_SPLIT_GROUP = re.compile(rb"(u[u-]*)([^u]*)")
_AMBIGUOUS = re.compile(rb"u-*o[o-]*u")
# Mistakes that Google's parser accepts; it compares only the start of a key.
_AGENT_KEYS = (b"user-agent", b"useragent", b"user agent")
_DISALLOW_KEYS = (
    b"disallow", b"dissallow", b"dissalow", b"disalow", b"diasllow", b"disallaw",
)  # fmt: skip
_KINDS: dict[bytes, int] = {b"": _BLANK} | {
    spelling: kind
    for key, kind in (
        (b"disallow", _DISALLOW), (b"allow", _ALLOW), (b"user-agent", _AGENT),
        (b"sitemap", _OTHER), (b"crawl-delay", _OTHER), (b"host", _OTHER), (b"noindex", _OTHER),
    )
    for spelling in (key, key.capitalize(), key.title(), key.upper())
}  # fmt: skip
_FIRST_LETTERS = frozenset([b"d", b"D", b"a", b"A", b"u", b"U"])
_KEYS = frozenset(_KINDS) - {b""}
_SCANS_MAX = 4  # decisions made by scanning the rules before they are compiled


class Decision(NamedTuple):
    """Whether a path may be fetched, and the line that says so (0: no line does)."""

    allowed: bool
    line: int


class Record(NamedTuple):
    """One ``name: value`` line. ``name`` is in lower case, ``value`` as written, without comment.

    ``byte_start`` and ``byte_end`` are the half-open range of the line in the raw bytes, with its
    line end (the whole file where UTF-16 had to be decoded). ``group`` is the index of the group
    the record stands in, -1 before the first; ``split_group`` the same in ``split_groups``.
    """

    line: int
    byte_start: int
    byte_end: int
    name: str
    value: bytes
    group: int
    split_group: int


class Rule(NamedTuple):
    """An Allow or Disallow line: its pattern in the profile's form and as Google compares it."""

    pattern: bytes
    google: bytes
    allow: bool
    line: int


class Group(NamedTuple):
    """User-agent lines and what follows them, as indexes of lines from 0.

    ``start`` is the first User-agent line, ``body`` where rules may begin, ``end`` the first line
    of the next group.
    """

    start: int
    body: int
    end: int


class _Compiled(NamedTuple):
    raw: PathRules  # patterns as Google compares them with a path as given
    normal: PathRules  # normalised patterns, for a normalised path; the same object if all agree
    found: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class RobotsFile:
    """One robots.txt. ``fault`` says why nothing could be read; such a file has no records.

    ``truncated`` tells that bytes beyond the limit were left unread.
    """

    profile: Profile
    raw: bytes
    fault: str
    truncated: bool
    lines: list[bytes] = field(repr=False)  # without comments
    kinds: bytes = field(repr=False)  # one letter a line; "?" is o or -, see ``letters``
    _memo: dict[object, object] = field(default_factory=dict, repr=False, compare=False)

    @property
    def ambiguous(self) -> bool:
        """Whether some other record stands between User-agent lines of one run.

        Then ``groups`` are read as RFC 9309 section 2.2.4 demands (it does not interfere), and
        ``split_groups`` as if it ended the run.
        """
        return _AMBIGUOUS.search(self.letters) is not None

    @property
    def letters(self) -> bytes:
        """The kinds of all lines: whether a strange line is a record is seen when asked for."""
        if _ODD not in self.kinds:
            return self.kinds
        if "letters" not in self._memo:
            letters = bytearray(self.kinds)
            at = letters.find(_ODD)
            while at >= 0:
                key, separator, _ = self.lines[at].partition(b":")
                letters[at] = _OTHER if separator and key.strip() else _BLANK
                at = letters.find(_ODD, at + 1)
            self._memo["letters"] = bytes(letters)
        return self._memo["letters"]  # type: ignore[return-value]

    def groups(self, *, split: bool = False) -> tuple[Group, ...]:
        """Return the groups in order; ``split``: as if any other record ended a run of agents."""
        key = ("groups", split)
        if key not in self._memo:
            pattern = _SPLIT_GROUP if split else _GROUP
            found = pattern.finditer(self.letters if split else self.kinds)
            self._memo[key] = tuple([Group(*m.span(1), m.end()) for m in found])
        return self._memo[key]  # type: ignore[return-value]

    def tokens(self, *, split: bool = False, wide: bool = False) -> dict[str, tuple[int, ...]]:
        """Return for each named token (lower case, ``*`` included) the groups that name it.

        Names in use break the grammar of product tokens ("AI2Bot", "ChatGPT Agent"): ``wide``
        adds the first word and the whole of every name.
        """
        key = ("tokens", split, wide)
        if key not in self._memo:
            read = _spellings if wide else _TOKENS[self.profile]
            found: dict[str, list[int]] = {}
            letters = self.kinds
            for index, group in enumerate(self.groups(split=split)):
                for line in range(group.start, group.body):
                    if letters[line] == _AGENT:
                        for token in read(self.lines[line]):
                            found.setdefault(token, []).append(index)
            self._memo[key] = {token: tuple(dict.fromkeys(at)) for token, at in found.items()}
        return self._memo[key]  # type: ignore[return-value]

    def effective(self, agent: str) -> tuple[int, ...]:
        """Return the indexes of the groups that hold for ``agent``: its own, else ``*``'s."""
        own = self.tokens()
        return own.get(agent.lower()) or own.get("*", ())

    def rules(self, chosen: tuple[int, ...], *, split: bool = False) -> tuple[Rule, ...]:
        """Return the rules of the ``chosen`` groups; one without a pattern says nothing."""
        key = ("rules", chosen, split)
        if key not in self._memo:
            self._memo[key] = tuple(self._rules(chosen, split))
        return self._memo[key]  # type: ignore[return-value]

    def allowed(self, agent: str, path_and_query: bytes) -> Decision:
        """Return whether the crawler whose product token is ``agent`` may fetch the path.

        RFC 9309 section 2.2.2 undoes escapes of unreserved characters and escapes a path's raw
        octets; Google's parser and its conformance suite do not. Where the two comparisons
        differ, profile "rfc9309" takes the one that denies.
        """
        chosen = self.effective(agent)
        if not chosen:
            return Decision(True, 0)
        path = path_and_query if path_and_query[:1] == b"/" else b"/" + path_and_query
        normal = path if self.profile == "google" else normalise_path(path)
        key = ("scans", chosen)
        scans: int = self._memo.get(key, 0)  # type: ignore[assignment]
        if scans < _SCANS_MAX:
            self._memo[key] = scans + 1
            return _scan(self._near(chosen, path, normal), path, normal)
        raw_rules, normal_rules, found = self._compiled(chosen)
        decision = _decide(raw_rules, found, path)
        differs = raw_rules is not normal_rules or path is not normal
        return _decide(normal_rules, found, normal) if decision.allowed and differs else decision

    def span(self, line_start: int, line_end: int) -> tuple[int, int]:
        """Return the half-open byte range of the lines (both included) in the raw bytes."""
        offsets = self._offsets()
        if line_end >= len(offsets):
            return 0, len(self.raw)
        return offsets[line_start - 1], offsets[line_end]

    def line_end(self, group: Group) -> int:
        """Return the last line, from 1, of the group's agents, rules and other records."""
        return len(self.letters[: group.end].rstrip(b"-"))

    @property
    def records(self) -> tuple[Record, ...]:
        """Every record of the file in order: rules, extensions and unknown ones alike."""
        if "records" not in self._memo:
            self._memo["records"] = tuple(self._records())
        return self._memo["records"]  # type: ignore[return-value]

    def records_named(self, name: str) -> tuple[Record, ...]:
        """Return the records whose key is ``name`` (lower case), in order.

        Most files have none, and then no record is built to find that out.
        """
        if name.encode() not in b"\n".join(self.lines).lower():
            return ()
        return tuple(record for record in self.records if record.name == name)

    @property
    def records_count(self) -> int:
        """How many records the file has."""
        return len(self.kinds) - self.letters.count(_BLANK)

    def _compiled(self, chosen: tuple[int, ...]) -> _Compiled:
        key = ("compiled", chosen)
        if key not in self._memo:
            found = self.rules(chosen)
            raw = PathRules.compile(((r.google, r.allow) for r in found), normalised=True)
            same = all(rule.google is rule.pattern for rule in found)
            patterns = ((rule.pattern, rule.allow) for rule in found)
            normal = raw if same else PathRules.compile(patterns, normalised=True)
            self._memo[key] = _Compiled(raw, normal, found)
        return self._memo[key]  # type: ignore[return-value]

    def _near(self, chosen: tuple[int, ...], path: bytes, normal: bytes) -> list[Rule]:
        """Return at least the rules that match the path, chosen by their first two octets."""
        near: list[Rule] = []
        quick, far = _octets(path[1:2], normal[1:2])
        for number in chosen:
            group = self.groups()[number]
            for index, line in enumerate(self.lines[group.body : group.end], group.body):
                if line[:12] in far:
                    continue
                head = line.partition(b":")[2].strip()[:2]
                likely = head in quick or head[:1] != b"/" or not far
                if likely and self.kinds[index] in b"da":
                    near += self._rule(index)
        return near

    def _of_kind(self, start: int, end: int, kinds: bytes) -> list[int]:
        letters = self.kinds
        return [index for index in range(start, end) if letters[index] in kinds]

    def _rules(self, chosen: tuple[int, ...], split: bool) -> Iterator[Rule]:
        groups = self.groups(split=split)
        for number in chosen:
            for index in self._of_kind(groups[number].body, groups[number].end, b"da"):
                yield from self._rule(index)

    def _rule(self, index: int) -> tuple[Rule, ...]:
        value = self.lines[index].partition(b":")[2].strip()
        if not value:
            return ()
        google, allow = google_pattern(value), self.kinds[index] == _ALLOW
        pattern = google if self.profile == "google" else normalise_pattern(google)
        rule = Rule(pattern, google, allow, index + 1)
        slash = google.rfind(b"/")
        if allow and self.profile == "google" and google.startswith(b"/index.htm", slash):
            folder = google[: slash + 1] + b"$"  # there an index page stands for "/" too
            return rule, Rule(folder, folder, True, index + 1)
        return (rule,)

    def _offsets(self) -> list[int]:
        if "offsets" not in self._memo:
            wide = self.profile == "rfc9309" and _wide(self.raw)
            sizes = [] if wide else [len(line) for line in self.raw.splitlines(keepends=True)]
            self._memo["offsets"] = [0, *accumulate(sizes)]
        return self._memo["offsets"]  # type: ignore[return-value]

    def _records(self) -> Iterator[Record]:
        groups = _numbers(self.groups(), len(self.kinds))
        split = _numbers(self.groups(split=True), len(self.kinds)) if self.ambiguous else groups
        offsets = self._offsets()
        if len(offsets) <= len(self.lines):  # decoded text: byte places are not known
            offsets = []
        letters = self.letters
        for index, line in enumerate(self.lines):
            if letters[index] == _BLANK:
                continue
            key, _, value = line.partition(b":")
            start, end = offsets[index : index + 2] if offsets else (0, len(self.raw))
            name = key.strip().lower().decode("utf-8", "replace")
            yield Record(index + 1, start, end, name, value.strip(), groups[index], split[index])


def _numbers(groups: tuple[Group, ...], size: int) -> list[int]:
    """Return for each line the index of its group, -1 before the first."""
    starts = [group.start for group in groups]
    ends = [*starts[1:], size][: len(starts)]
    numbers = [-1] * (starts[0] if starts else size)
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        numbers += [number] * (end - start)
    return numbers


@lru_cache(maxsize=64)
def _octets(second: bytes, normal: bytes) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Return how a pattern may begin that matches a path with this second octet, and how not.

    The latter are whole beginnings of lines, to pass over most of them with one look. An escape
    may be spelt in other ways: then there are none.
    """
    seconds = {second, normal, b"", b"*", b"$", b"%"}
    quick = frozenset(b"/" + octet for octet in (*seconds, b"i"))  # "/index.html" may mean "/"
    if b"%" in (second, normal):
        return quick, frozenset()
    others = {bytes((octet,)) for octet in range(256)} - seconds
    return quick, frozenset(b"Disallow: /" + octet for octet in others if not octet.isspace())


def _scan(rules: list[Rule], path: bytes, normal: bytes) -> Decision:
    """Decide for the first few paths without compiling; the stricter comparison holds."""
    best: tuple[int, bool, Rule | None] = (0, False, None)
    strict = best
    for rule in rules:
        google, allow = rule.google, rule.allow
        hit = matches(google, path)
        if hit and (len(google), allow) > best[:2]:
            best = (len(google), allow, rule)
        if rule.pattern is not google or normal is not path:
            hit = matches(rule.pattern, normal)
        if hit and (len(rule.pattern), allow) > strict[:2]:
            strict = (len(rule.pattern), allow, rule)
    chosen = best[2] if best[2] and not best[2].allow else strict[2]
    return Decision(chosen.allow, chosen.line) if chosen else Decision(True, 0)


def _decide(rules: PathRules, found: tuple[Rule, ...], path: bytes) -> Decision:
    index = rules.longest(path)
    return Decision(found[index].allow, found[index].line) if index >= 0 else Decision(True, 0)


_recent: list[RobotsFile] = []  # newest first; several signals read the same bytes in turn


def parse(raw: bytes, profile: Profile = "rfc9309") -> RobotsFile:
    """Read a robots.txt. Total: any bytes give a RobotsFile.

    The last few are kept and given again for the very same bytes object: comparing or hashing
    the bytes would cost a tenth of reading them.

    ``rfc9309`` reads comma lists of agents (erratum 8895) and UTF-16 with or without a byte order
    mark, up to 500 KiB; ``google`` decides as Google's open-source parser does, which leaves the
    limit to the crawler. Both accept the misspelt keys and the missing colon that Google accepts:
    a misspelt denial is a denial.
    """
    for robots in _recent:
        if robots.raw is raw and robots.profile == profile:
            return robots
    robots = _read(raw, profile)
    _recent[:] = [robots, *_recent[:3]]
    return robots


def _read(raw: bytes, profile: Profile) -> RobotsFile:
    text, truncated, fault = raw, False, ""
    if len(text) > limits.ROBOTS_BYTES_MAX and profile == "rfc9309":
        text, truncated = _cut(text), True
    if profile == "rfc9309" and _wide(text):
        try:
            text = text.decode(_wide(text)).encode("utf-8")
        except UnicodeDecodeError:
            text, fault = b"", "UTF-16 or UTF-32 text that cannot be decoded"
    if text[:1] == b"\xef":  # a byte order mark, or the start of one (Google skips both)
        text = text[next(size for size in (3, 2, 1) if text.startswith(_BOM[:size])) :]
    text = (_COMMENT_OR_NUL if profile == "google" else _COMMENT).sub(b"", text)
    lines = text.splitlines()
    if len(text) > limits.LINE_BYTES_MAX:
        lines = [line[: limits.LINE_BYTES_MAX] for line in lines]
    kinds = _classify(lines)
    return RobotsFile(profile, raw, fault, truncated, lines, kinds)


def _classify(lines: list[bytes]) -> bytes:
    """Return the kind of each line, and put unusual lines right in place."""
    if not _KEYS.isdisjoint(lines):  # a key alone, without separator, is no record
        lines[:] = [b"" if line in _KEYS else line for line in lines]
    keys = map(itemgetter(0), map(bytes.partition, lines, repeat(b":")))
    kinds = bytearray(map(_KINDS.get, keys, repeat(_ODD)))
    for index in [index for index, kind in enumerate(kinds) if kind == _ODD]:
        if lines[index].lstrip()[:1] in _FIRST_LETTERS:  # perhaps a rule in an unusual spelling
            kinds[index], lines[index] = _odd(lines[index])
    return bytes(kinds)


def _cut(raw: bytes) -> bytes:
    """Cut at the limit, and drop the line that was cut: half an Allow would allow too much."""
    text = raw[: limits.ROBOTS_BYTES_MAX]
    end = max(text.rfind(b"\n"), text.rfind(b"\r"))
    return text[: end + 1] if end >= 0 else b""


def _wide(raw: bytes) -> str:
    """Return the codec of UTF-16 or UTF-32 text, "" for all else."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-32" if raw[2:4] == b"\x00\x00" else "utf-16"
    if b"\x00" not in raw[:4]:
        return ""
    if raw[:4] == b"\x00\x00\xfe\xff":
        return "utf-32"
    even, odd = raw[0:1024:2], raw[1:1024:2]  # a few NULs before ASCII text are not UTF-16
    zeros = even.count(0), odd.count(0)
    if len(raw) > 3 and zeros[1] * 10 >= len(odd) * 9 and zeros[0] * 10 <= len(even):
        return "utf-16-le"
    likely = len(raw) > 3 and zeros[0] * 10 >= len(even) * 9 and zeros[1] * 10 <= len(odd)
    return "utf-16-be" if likely else ""


def _odd(line: bytes) -> tuple[int, bytes]:
    """Return the kind of a line whose key is not spelt in a usual way, and the line put right."""
    key, separator, _ = line.partition(b":")
    if separator:
        name = key.strip().lower()
        return (_kind(name), line) if name else (_BLANK, b"")
    words = _BLANKS.split(line.strip(), 2)
    if len(words) == 2:  # Google takes white space for a missing colon
        kind = _kind(words[0].lower())
        if kind != _OTHER:
            return kind, words[0] + b":" + words[1]
    return _BLANK, b""


def _kind(name: bytes) -> int:
    if name.startswith(_DISALLOW_KEYS):
        return _DISALLOW
    if name.startswith(b"allow"):
        return _ALLOW
    return _AGENT if name.startswith(_AGENT_KEYS) else _OTHER


@lru_cache(maxsize=1024)
def _google_tokens(line: bytes) -> tuple[str, ...]:
    """Return the product token of a User-agent line as Google reads it; it may be empty."""
    return (_product(line.partition(b":")[2].strip()),)


@lru_cache(maxsize=1024)
def _rfc_tokens(line: bytes) -> tuple[str, ...]:
    """Return the product token of every name in a comma list (erratum 8895)."""
    found = [_product(name.strip()) for name in line.partition(b":")[2].split(b",")]
    return tuple(token for token in dict.fromkeys(found) if token)


@lru_cache(maxsize=1024)
def _spellings(line: bytes) -> tuple[str, ...]:
    """Return the product token, the first word and the whole of every name in a comma list."""
    found = dict.fromkeys(_rfc_tokens(line))
    for name in line.partition(b":")[2].split(b","):
        bare = name.strip().lower()
        for spelling in (_WORD.match(bare)[0], bare):  # type: ignore[index]
            if spelling:
                found[spelling.decode("utf-8", "replace")] = None
    return tuple(found)


def _product(name: bytes) -> str:
    if name[:1] == b"*" and (len(name) == 1 or name[1:2].isspace()):
        return "*"
    return _PRODUCT.match(name)[0].decode("ascii").lower()  # type: ignore[index]


_TOKENS: dict[str, Callable[[bytes], tuple[str, ...]]] = {
    "google": _google_tokens,
    "rfc9309": _rfc_tokens,
}
