"""Path patterns: RFC 9309 examples, laws against a naive oracle, and hostile patterns."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tercet.consent.paths import (
    PathRules,
    google_pattern,
    matches,
    normalise_path,
    normalise_pattern,
)

SHORT = st.text(alphabet="ab/*$", max_size=8).map(str.encode)
PATH = st.text(alphabet="ab/$", max_size=10).map(lambda text: b"/" + text.encode())


def oracle(pattern: bytes, path: bytes) -> bool:
    """Match by the definition alone: follow every place the pattern can have reached."""
    places = {0}
    for at, octet in enumerate(pattern):
        if octet == ord("$") and at == len(pattern) - 1:
            return len(path) in places
        if octet == ord("*"):
            places = set(range(min(places), len(path) + 1))
        else:
            places = {p + 1 for p in places if path[p : p + 1] == bytes((octet,))}
        if not places:
            return False
    return True


@given(SHORT, PATH)
@example(b"/a*a$", b"/a")
@example(b"*$", b"/")
@example(b"/*b*$", b"/ab")
def test_matches_equals_the_oracle(pattern: bytes, path: bytes) -> None:
    assert matches(pattern, path) == oracle(pattern, path)


@given(st.lists(st.tuples(SHORT, st.booleans()), max_size=12), PATH)
def test_compiled_rules_equal_the_definition(
    statements: list[tuple[bytes, bool]], path: bytes
) -> None:
    rules = PathRules.compile(statements, normalised=True)
    matching = [index for index, (pattern, _) in enumerate(statements) if oracle(pattern, path)]
    assert rules.all(path) == tuple(matching)
    assert rules.first(path) == (matching[0] if matching else -1)
    best = max(matching, key=lambda i: (len(statements[i][0]), statements[i][1], -i), default=-1)
    assert rules.longest(path) == best
    assert rules.longest(path.decode()) == best


# RFC 9309 section 2.2.3 and section 5.2, and Google's documentation of path matching.
@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        (b"/", b"/any/thing", True),
        (b"/fish", b"/fish.html", True),
        (b"/fish", b"/Fish.asp", False),
        (b"/fish", b"/catfish", False),
        (b"/fish*", b"/fishheads/yummy.html", True),
        (b"/fish/", b"/fish", False),
        (b"/*.php", b"/folder/any.php.file.html", True),
        (b"/*.php", b"/windows.PHP", False),
        (b"/*.php$", b"/folder/filename.php", True),
        (b"/*.php$", b"/filename.php?parameters", False),
        (b"/fish*.php", b"/fishheads/catfish.php?parameters", True),
        (b"*.gif$", b"/publications/a.gif", True),
        (b"/a$b", b"/a$bc", True),
        (b"", b"/", True),
    ],
)
def test_published_examples(pattern: bytes, path: bytes, expected: bool) -> None:
    assert matches(pattern, path) is expected
    assert (PathRules.compile([(pattern, False)], normalised=True).longest(path) == 0) is expected


# RFC 9309 section 2.2.2, the table of examples, and section 2.2.3 on special characters.
@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/foo/bar/ツ".encode(), b"/foo/bar/%E3%83%84"),
        (b"/foo/bar/%E3%83%84", "/foo/bar/ツ".encode()),
        (b"/foo/bar/%62%61%7A", b"/foo/bar/baz"),
        (b"/foo/bar/baz", b"/foo/bar/%62%61%7a"),
        (b"/foo/%e3%83%84", b"/foo/%E3%83%84"),
        (b"/path/file-with-a-%2A.html", b"/path/file-with-a-*.html"),
        (b"/path/foo-%24", b"/path/foo-$"),
        (b"/my folder/", b"/my%20folder/x"),
    ],
)
def test_normal_forms_meet(pattern: bytes, path: bytes) -> None:
    assert matches(normalise_pattern(pattern), normalise_path(path))
    assert PathRules.compile([(pattern, False)]).longest(normalise_path(path)) == 0


def test_reserved_octets_keep_their_escape() -> None:
    assert normalise_path(b"/a%2fb") == b"/a%2Fb"
    assert not matches(normalise_pattern(b"/a/b"), normalise_path(b"/a%2Fb"))


def test_google_undoes_no_escape() -> None:
    assert google_pattern(b"/%62%aa\xe3") == b"/%62%AA%E3"


@given(st.binary(max_size=40))
def test_normal_forms_are_stable(raw: bytes) -> None:
    path = normalise_path(raw)
    assert path.isascii()
    assert normalise_path(path) == path
    pattern = normalise_pattern(raw)
    assert normalise_pattern(pattern) == pattern


def test_the_longest_in_octets_wins_and_allow_wins_a_tie() -> None:
    rules = PathRules.compile([(b"/page", True), (b"/*.html", False), (b"/pag*", False)])
    assert rules.longest(b"/page.html") == 1
    assert PathRules.compile([(b"/a", False), (b"/a", True)]).longest(b"/a") == 1
    assert PathRules.compile([(b"/a**", False), (b"/abc", False)]).longest(b"/abc") == 0
    assert PathRules.compile([(None, False)]).longest(b"/") == 0
    assert PathRules.compile([]).longest(b"/") == -1


@pytest.mark.parametrize(
    "pattern",
    [b"*a" * 4 + b"$", b"*a" * 2000 + b"$", b"/" + b"*a*b" * 2000 + b"c", b"*" * 8000 + b"$"],
)
def test_quadratic_patterns_are_fast(pattern: bytes) -> None:
    path = b"/" + b"a" * 16_000
    rules = PathRules.compile([(pattern, False)])
    start = time.process_time()
    for _ in range(10):
        matches(pattern, path)
        rules.longest(path)
    assert time.process_time() - start < 1.0


def test_many_rules_cost_little_more() -> None:
    statements = [(b"/folder%d/page" % number, False) for number in range(20_000)]
    rules = PathRules.compile([*statements, (b"/", False)])
    start = time.process_time()
    for _ in range(10_000):
        rules.longest(b"/folder19999/x")
    assert time.process_time() - start < 1.0
