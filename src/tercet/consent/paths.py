"""Matching of URL paths against robots.txt patterns, on octets, in linear time.

    rules = PathRules.compile([(b"/a/", False), (b"/a/*.jpg$", True)])
    rules.longest(b"/a/x.jpg")   # 1: the longest pattern holds; a True wins a tie

A pattern is split at its ``*`` and the pieces are found greedily from the left, which never
backtracks. The literal patterns of a file lie in one sorted list: the last one that is not greater
than the path is either a prefix of it or shares one with it, so one binary search finds the
longest literal match however many rules there are.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import compress
from typing import AnyStr, NamedTuple

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PLAIN = bytes(_UNRESERVED) + b":/?#[]@!&'()*+,;="  # with RFC 3986's reserved octets but "$"
_ESCAPE = {octet: b"%%%02X" % octet for octet in range(256)}
_PATH_ODD = re.compile(rb"%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~:/?#\[\]@!&'()+,;=%]")
_PATTERN_ODD = re.compile(rb"%[0-9A-Fa-f]{2}|\$(?!\Z)|[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]")
_GOOGLE_ODD = re.compile(rb"%[0-9A-Fa-f]{2}|[\x80-\xff]")


def _normal(match: re.Match[bytes]) -> bytes:
    found = match[0]
    if len(found) == 1:
        return _ESCAPE[found[0]]
    octet = int(found[1:], 16)
    return bytes((octet,)) if octet in _UNRESERVED else found.upper()


def _google(match: re.Match[bytes]) -> bytes:
    found = match[0]
    return _ESCAPE[found[0]] if len(found) == 1 else found.upper()


def normalise_path(path: bytes) -> bytes:
    """Return a URL's path and query in the one form that patterns are compared with.

    RFC 9309 section 2.2.2: escapes of unreserved characters are undone, other escapes are in
    upper case, octets that may not stand in a URI are escaped. A literal ``*`` or ``$`` becomes
    its escape (section 2.2.3), so that only ``%2A`` in a pattern means the character itself.
    An empty path is ``/``.
    """
    if not path.startswith(b"/"):
        path = b"/" + path
    if not path.translate(None, _PLAIN) and b"*" not in path:
        return path
    return _PATH_ODD.sub(_normal, path)


def normalise_pattern(pattern: bytes) -> bytes:
    """Return a pattern in the form of ``normalise_path``; ``*`` and a last ``$`` stay special."""
    rest = pattern.translate(None, _PLAIN)  # most patterns are in normal form already
    if not rest or (rest == b"$" and pattern[-1:] == b"$"):
        return pattern
    return _PATTERN_ODD.sub(_normal, pattern)


def google_pattern(pattern: bytes) -> bytes:
    """Return a pattern as Google's parser escapes it: nothing is undone, and paths stay raw."""
    if pattern.isascii() and b"%" not in pattern:
        return pattern
    return _GOOGLE_ODD.sub(_google, pattern)


class _Wildcard(NamedTuple):
    """A pattern with ``*`` inside: ``first``, ``middle`` in order, then ``last`` at the end."""

    first: str
    middle: tuple[str, ...]
    last: str
    anchored: bool

    def matches(self, path: str) -> bool:
        """Return whether ``path`` matches."""
        if not path.startswith(self.first):
            return False
        return _follows(path, len(self.first), self.middle, self.last if self.anchored else None)


def _follows(path: AnyStr, position: int, middle: Iterable[AnyStr], last: AnyStr | None) -> bool:
    """Find the pieces in order; each at its leftmost place leaves most room for the rest."""
    for piece in middle:
        found = path.find(piece, position)
        if found < 0:
            return False
        position = found + len(piece)
    return last is None or (len(path) - len(last) >= position and path.endswith(last))


def _split(pattern: str) -> _Wildcard:
    anchored = pattern.endswith("$")
    pieces = (pattern[:-1] if anchored else pattern).split("*")
    first, rest = pieces[0], pieces[1:]
    last = rest.pop() if anchored and rest else ""
    return _Wildcard(first, tuple(piece for piece in rest if piece), last, anchored)


def matches(pattern: bytes, path: bytes) -> bool:
    """Return whether ``pattern`` matches ``path`` (RFC 9309 section 2.2.3), octet by octet.

    A pattern holds from the start of the path; ``*`` stands for any octets, a last ``$`` for the
    end. Nothing is normalised here. Time is linear in the path.
    """
    first, star, rest = pattern.partition(b"*")
    if not star:
        return path == first[:-1] if first[-1:] == b"$" else path.startswith(first)
    if not path.startswith(first):
        return False
    if rest[-1:] != b"$":
        return _follows(path, len(first), rest.split(b"*"), None)
    *middle, last = rest[:-1].split(b"*")
    return _follows(path, len(first), middle, last)


Rank = tuple[int, bool, int]
"""(pattern length in octets, wins a tie, minus the statement's index): the greatest rules."""

_NONE: Rank = (-1, False, 1)


@dataclass(frozen=True, slots=True)
class PathRules:
    """Patterns compiled for many paths. Build it with ``compile``; statements keep their index.

    Octets are held as Latin-1 text, one character each: CPython searches text several times
    faster than bytes. The methods take a path as bytes or as such text.
    """

    literals: tuple[str, ...]  # sorted
    shorter: tuple[int, ...]  # for each literal: the longest other one that is its prefix, or -1
    best: tuple[Rank, ...]  # for each literal: the greatest rank of it and its shorter ones
    own: tuple[tuple[int, ...], ...]  # for each literal: the statements that are just this
    exact: dict[str, tuple[Rank, ...]]  # patterns such as "/$"
    wildcards: tuple[tuple[Rank, _Wildcard], ...]  # greatest rank first
    probes: tuple[str, ...]  # for each wildcard: a piece without which it cannot match

    @classmethod
    def compile(
        cls, statements: Iterable[tuple[bytes | None, bool]], *, normalised: bool = False
    ) -> PathRules:
        """Compile (pattern, wins a tie) statements; a pattern of None matches every path.

        Patterns are normalised for paths from ``normalise_path`` unless they already are.
        """
        prefixes: dict[str, list[Rank]] = {}
        exact: dict[str, list[Rank]] = {}
        wild: list[tuple[Rank, str, _Wildcard]] = []
        for index, (given, preferred) in enumerate(statements):
            octets = given or b""
            pattern = (octets if normalised else normalise_pattern(octets)).decode("latin-1")
            rank = (len(pattern), preferred, -index)
            literal = pattern.rstrip("*")  # a last "*" adds length but matches nothing more
            if "*" in literal:
                wildcard = _split(pattern)
                probe = max((wildcard.last, wildcard.first, *wildcard.middle), key=len)
                wild.append((rank, probe, wildcard))
            elif pattern.endswith("$"):
                exact.setdefault(pattern[:-1], []).append(rank)
            else:
                prefixes.setdefault(literal, []).append(rank)
        wild.sort(key=lambda entry: entry[0], reverse=True)
        ends = {path: tuple(sorted(ranks, reverse=True)) for path, ranks in exact.items()}
        compiled = tuple((rank, wildcard) for rank, _, wildcard in wild)
        return cls(*_chain(prefixes), ends, compiled, tuple(probe for _, probe, _ in wild))

    def longest(self, path: bytes | str) -> int:
        """Return the index of the longest matching statement, -1 if none matches.

        Length is counted in octets of the pattern. On a tie one that was compiled with True
        wins, then the earlier one.
        """
        if isinstance(path, bytes):
            path = path.decode("latin-1")
        at = bisect_right(self.literals, path) - 1
        while at >= 0 and not path.startswith(self.literals[at]):
            at = self.shorter[at]
        best = self.best[at] if at >= 0 else _NONE
        if self.exact and path in self.exact:
            best = max(best, self.exact[path][0])
        if self.probes:
            found = [probe in path for probe in self.probes]
            if True in found:
                for rank, wildcard in compress(self.wildcards, found):
                    if rank < best:
                        break
                    if wildcard.matches(path):
                        return -rank[2]
        return -best[2]

    def first(self, path: bytes | str) -> int:
        """Return the lowest index of the matching statements, -1 if none matches."""
        every = self.all(path)
        return every[0] if every else -1

    def all(self, path: bytes | str) -> tuple[int, ...]:
        """Return the indexes of all matching statements, in ascending order."""
        if isinstance(path, bytes):
            path = path.decode("latin-1")
        at = bisect_right(self.literals, path) - 1
        while at >= 0 and not path.startswith(self.literals[at]):
            at = self.shorter[at]
        every: list[int] = []
        while at >= 0:  # the shorter ones of a prefix are prefixes too
            every += self.own[at]
            at = self.shorter[at]
        if self.exact and path in self.exact:
            every += [-rank[2] for rank in self.exact[path]]
        likely = compress(self.wildcards, [probe in path for probe in self.probes])
        every += [-rank[2] for rank, wildcard in likely if wildcard.matches(path)]
        return tuple(sorted(every))


_Chain = tuple[tuple[str, ...], tuple[int, ...], tuple[Rank, ...], tuple[tuple[int, ...], ...]]


def _chain(prefixes: dict[str, list[Rank]]) -> _Chain:
    """Sort the literals and link each to the longest other literal that is its prefix."""
    literals = sorted(prefixes)
    shorter: list[int] = []
    best: list[Rank] = []
    above = -1  # the literal before this one, or one of its prefixes: a stack through ``shorter``
    for at, literal in enumerate(literals):
        while above >= 0 and not literal.startswith(literals[above]):
            above = shorter[above]
        rank = max(prefixes[literal])
        best.append(max(rank, best[above]) if above >= 0 else rank)
        shorter.append(above)
        above = at
    own = tuple(tuple(-rank[2] for rank in prefixes[literal]) for literal in literals)
    return tuple(literals), tuple(shorter), tuple(best), own
