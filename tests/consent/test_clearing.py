"""Clearing a batch gives each row what a slow reading of its site's files gives."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tercet.consent import row_matching
from tercet.consent.capture import Capture, Captured, capture_of, declarations_of
from tercet.consent.clearing import Clearing
from tercet.consent.evaluation import compile_declaration
from tercet.consent.facts import Facts, Standing, channel, join_readings, permission_standing
from tercet.consent.failures import Failure
from tercet.consent.paths import matches, normalise_path, normalise_pattern
from tercet.consent.policy import decide
from tercet.consent.policy_file import built_in
from tercet.consent.rulebook import compile_rulebook
from tercet.consent.signal import Resource
from tercet.consent.site_index import SiteIndex
from tercet.consent.urls import split_url
from tercet.core.declaration import Carrier, Declaration, Matching, Reading, Statement
from tercet.core.usage import Usage
from tercet.core.verdict import Outcome, Verdict

USAGE = Usage.TRAIN_GENERATIVE
POLICY = built_in("eu-tdm")
BODIES = [
    b"User-agent: GPTBot\nDisallow: /private\nDisallow: /*.jpg$\nAllow: /private/open\n",
    b"User-agent: *\nDisallow: /search\nDisallow: /*?q=\nAllow: /search/about$\n",
    b"User-agent: *\nDisallow:\n\nUser-agent: CCBot\nDisallow: /\nAllow: /a/b/c\n",
    b"User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /open/ train-ai=y\nAllow: /\n",
    b"User-agent: GPTBot\nCrawl-delay: 3\nUser-agent: CCBot\nDisallow: /x%7Ey/\n",
    b"User-agent: *\nDisallow: *\nAllow: /abcdefgh/\nDisallow: /abcdefghij\n",
    b"",
]
FAILED = Capture(Resource.AI_TXT, Carrier.FILE, failure=Failure.SERVER_ERROR)


def captures(body: bytes, *, broken: bool) -> list[Captured]:
    absent = Failure.SERVER_ERROR if broken else Failure.CLIENT_ERROR
    return [
        capture_of(Capture(Resource.AI_TXT, Carrier.FILE, failure=absent), None),
        capture_of(
            Capture(Resource.ROBOTS_TXT, Carrier.FILE, uri="https://h.example/robots.txt"), body
        ),
        capture_of(Capture(Resource.TDMREP_JSON, Carrier.FILE, failure=Failure.CLIENT_ERROR), None),
    ]  # fmt: skip


SITES = [captures(body, broken=False) for body in BODIES] + [captures(BODIES[0], broken=True)]


def index() -> SiteIndex:
    books = [compile_rulebook(site, USAGE, of_site=True) for site in SITES]
    origins = sorted(f"https://s{at}.example" for at in range(len(SITES)))
    starts = np.cumsum([0] + [book.declaration_count for book in books[:-1]])
    total = sum(book.declaration_count for book in books)
    ids = pa.array([f"{at:016x}" for at in range(total)])
    return SiteIndex(pa.array(origins), np.arange(len(books), dtype=np.int32), starts, ids, books)


def slow_reading(reading: Reading, path: bytes) -> int:
    """Read one reading by the definitions, without any index."""
    said: list[tuple[int, Statement, int]] = []
    for statement in reading.statements:
        spoken = dict(statement.permissions).get(USAGE)
        pattern = normalise_pattern((statement.pattern or "").encode())
        if spoken is not None and matches(pattern, path):
            said.append(
                (len(pattern), statement, permission_standing(spoken, statement.conditions))
            )
    if not said:
        return Standing.NONE
    if reading.matching is Matching.FIRST:
        return said[0][2]
    if reading.matching is Matching.LONGEST:
        return max(said, key=lambda entry: (entry[0], not entry[2] & Standing.DENIES))[2]
    joined = Standing.NONE
    for _, _, standing in said:
        joined |= standing
    return joined


def slow_facts(site: list[Captured], path: bytes) -> Facts:
    facts = Facts(compile_rulebook(site, USAGE, of_site=True).states)
    for capture, raw in site:
        for declaration in declarations_of(capture, raw):
            if not declaration.advisory:
                said = [slow_reading(reading, path) for reading in declaration.readings]
                standing = join_readings(said, fault=bool(declaration.fault))
                if standing:
                    facts |= Facts(standings=((channel(declaration), standing),))
    return facts


@pytest.fixture(autouse=True, params=["compiled", "plain"])
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test with the compiled inner loops and with those in Python."""
    if request.param == "plain":
        monkeypatch.setattr(row_matching, "_library", None)
    elif not row_matching.COMPILED:
        pytest.skip("no C compiler was there when Tercet was installed")


PIECES = ["private", "open", "x.jpg", "search", "about", "?q=1", "a", "b", "c", "abcdefgh", "ij",
          "x~y", "x%7ey", "..", "é", "", "%2F", "$", "*"]  # fmt: skip
paths = st.lists(st.sampled_from(PIECES), max_size=4).map("/".join)
rows = st.lists(st.tuples(st.integers(0, len(SITES)), paths), min_size=1, max_size=30)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows)
def test_batches_agree_with_a_slow_reading(drawn: list[tuple[int, str]]) -> None:
    clearing = Clearing(index(), POLICY)
    urls = [f"https://s{site}.example/{path}" for site, path in drawn]
    ground, site = clearing.site_ground(pa.array(urls), np.zeros(len(urls), dtype=np.bool_))
    decided = clearing.decide_rows([ground], site)
    for at, (number, _) in enumerate(drawn):
        verdict: Verdict = clearing.verdicts.values[decided.verdict[at]]
        if number == len(SITES):
            assert verdict.reasons == ("not_surveyed",)
            continue
        split = split_url(urls[at])
        assert split is not None
        expected = decide(slow_facts(SITES[number], normalise_path(split.path.encode())), POLICY)
        assert verdict.outcome is expected.outcome, urls[at]
        assert set(verdict.reasons) == set(expected.reasons), urls[at]


def clear_one(urls: list[str | None], faulty: list[bool] | None = None) -> list[Verdict]:
    clearing = Clearing(index(), POLICY)
    fault = np.array(faulty or [False] * len(urls))
    ground, site = clearing.site_ground(pa.array(urls, pa.string()), fault)
    decided = clearing.decide_rows([ground], site)
    return [clearing.verdicts.values[number] for number in decided.verdict]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://s0.example/private/x", "denied_by_robots"),
        ("HTTPS://S0.Example:443/private/x", "denied_by_robots"),
        ("https://user@s0.example/private/x", "denied_by_robots"),
        ("https://s0.example\\private\\x", "denied_by_robots"),
        ("https://s0.example/open/../private/x", "denied_by_robots"),
        ("https://s0.example/%70rivate/x", "denied_by_robots"),
        ("https://s0.example/private/open/x", "no_reservation_found"),
        ("https://s0.example", "no_reservation_found"),
        ("https://s0.example/#private", "no_reservation_found"),
        ("http://s0.example/private/x", "not_surveyed"),
        ("https://s0.example:8443/x", "not_surveyed"),
        ("https://s0.example./x", "not_surveyed"),
        ("https://s7.example/x", "unchecked"),
        ("not a url", "url_invalid"),
        ("https://", "url_invalid"),
        (None, "no_source"),
    ],
)
def test_spellings_of_one_place(url: str | None, reason: str) -> None:
    assert clear_one([url])[0].reasons == (reason,)


def test_a_faulty_row_is_held_whatever_its_url() -> None:
    verdict = clear_one(["https://s6.example/"], [True])[0]
    assert verdict.outcome is Outcome.HELD
    assert verdict.reasons == ("row_fault",)


def test_evidence_names_the_declarations_that_decided() -> None:
    sites = index()
    clearing = Clearing(sites, POLICY)
    urls = pa.array(["https://s0.example/private/x", "https://s6.example/", "https://s2.example/"])
    ground, site = clearing.site_ground(urls, np.zeros(3, dtype=np.bool_))
    decided = clearing.decide_rows([ground], site)
    named = [
        decided.evidence[decided.evidence_start[at] : decided.evidence_start[at + 1]].tolist()
        for at in range(3)
    ]
    assert named[1] == []
    for at in (0, 2):
        assert named[at]
        start = sites.id_start[site[at]]
        count = sites.rulebooks[sites.book[site[at]]].declaration_count
        assert all(start <= position < start + count for position in named[at])


def test_a_broad_denial_is_not_asked_path_by_path() -> None:
    """A site that denies everything needs no look at paths: speed rests on this."""
    robots = b"User-agent: *\nDisallow: /\n\nUser-agent: GPTBot\nDisallow: /x\n"
    book = compile_rulebook(captures(robots, broken=False), USAGE, of_site=True)
    assert book.ruled == ()


def declared(*statements: Statement, matching: Matching = Matching.LONGEST) -> Declaration:
    from tercet.consent.signal import declare
    from tercet.core.declaration import Source

    source = Source("https://h.example/", Carrier.FILE)
    return declare(("robots", "x", "1"), b"", source, (Reading(statements, matching),))


def test_advisory_declarations_have_no_say() -> None:
    from dataclasses import replace

    from tercet.core.usage import Permission, permit

    denial = declared(Statement(permit([USAGE], Permission.DENY)))
    assert compile_declaration(denial, USAGE) is not None
    assert compile_declaration(replace(denial, advisory=True), USAGE) is None
    assert compile_declaration(denial, Usage.SEARCH) is None
