"""Throw damaged bytes at policy files, and damaged declarations at the clearing itself.

    python fuzz/policies.py --inputs 200000 --seed 1

A policy file is a checked policy or one PolicyError that names it. A site with damaged files gets
a rulebook, and every built-in policy a verdict from it at every path; where no file grants, no
policy that wants a grant clears.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from importlib.resources import files as package_files

from campaign import Reader, options, run
from signals import bombs, vectors, words

from tercet.consent.capture import Capture, capture_of
from tercet.consent.policy import decide
from tercet.consent.policy_file import BUILT_IN, built_in, parse_policy
from tercet.consent.rulebook import compile_rulebook
from tercet.consent.signal import Resource
from tercet.core.declaration import Carrier
from tercet.core.errors import PolicyError
from tercet.core.usage import Usage
from tercet.core.verdict import Outcome

SITE = {
    Resource.ROBOTS_TXT: "https://example.org/robots.txt",
    Resource.TDMREP_JSON: "https://example.org/.well-known/tdmrep.json",
    Resource.AI_TXT: "https://example.org/ai.txt",
    Resource.RSL_XML: "https://example.org/license.xml",
}
PATHS = (b"/", b"/a/b.jpg?c=d", b"/" + b"a" * 2_000, b"/%24%2A", b"/images/")
USAGES = itertools.cycle(Usage)
POLICIES = [built_in(name) for name in BUILT_IN]


def read_policy(raw: bytes) -> None:
    """Parse ``raw`` as a policy file."""
    try:
        policy = parse_policy(raw, "p.toml")
    except PolicyError as error:
        if not error.message.startswith("p.toml"):
            raise
    else:
        assert policy.sha256


def clear_site(kind: Resource, raw: bytes) -> None:
    """Decide some paths of a site whose one file is ``raw``, the others being absent."""
    base = Capture(kind, Carrier.FILE, site="https://example.org", uri=SITE[kind])
    usage = next(USAGES)
    book = compile_rulebook([capture_of(base, raw)], usage, of_site=True)
    for path in PATHS:
        facts = book.at(path).facts
        verdicts = {policy.id: decide(facts, policy).outcome for policy in POLICIES}
        if kind in (Resource.ROBOTS_TXT, Resource.AI_TXT, Resource.TDMREP_JSON):
            assert verdicts["strict"] is not Outcome.CLEARED, (path, usage, facts)


def readers() -> Iterator[Reader]:
    """Yield the policy reader and one rulebook reader for each file of a site."""
    folder = package_files("tercet.consent").joinpath("policies")
    starts = [folder.joinpath(f"{name}.toml").read_bytes() for name in BUILT_IN]
    yield Reader("policy file", starts, read_policy, words(starts))
    every = vectors("*")
    for kind in SITE:
        starts = every[kind]

        def cleared(raw: bytes, of: Resource = kind) -> None:
            clear_site(of, raw)

        yield Reader(f"rulebook {kind}", starts, cleared, words(starts), bombs()[kind])


def main() -> None:
    run(list(readers()), options(__doc__))


if __name__ == "__main__":
    main()
