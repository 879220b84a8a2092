"""check domains: do the hosts that claims name carry their owners' public keys?

Each host is asked once, politely, for /.well-known/tercet-owner.txt. What it answers is signed and
logged; a host that could not be reached stays unchecked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tercet.consent.registry.claim import Check
from tercet.consent.registry.domain_file import BYTES_MAX, file_url, names_key
from tercet.consent.survey import SurveyOptions
from tercet.store.registry import Registry, Signing

_ABSENT = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class DomainCheck:
    """What came of asking one host for one claim; ``note`` says why it is not verified."""

    claim_id: str
    domain: str
    found: Check
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The file of a host, or None and why there is none; ``is_final``: the host said so itself."""

    raw: bytes | None
    note: str = ""
    is_final: bool = False


def check_domains(
    registry: Registry, options: SurveyOptions, signing: Signing
) -> list[DomainCheck]:
    """Check every domain that a standing claim names and that is not verified; return them all.

    Redirects to another host do not count: it is this host whose control is to be shown.
    """
    waiting = registry.unchecked_domains()
    hosts = sorted({domain for _, domain, _ in waiting})
    answers = dict(zip(hosts, asyncio.run(answers_of(hosts, options)), strict=True))
    checks = []
    for claim_id, domain, public_key in waiting:
        check = _judged(claim_id, domain, public_key, answers[domain])
        if check.found is not Check.UNCHECKED:
            registry.record_check(claim_id, domain, check.found, check.note, signing)
        checks.append(check)
    return checks


def _judged(claim_id: str, domain: str, public_key: str, answer: Answered) -> DomainCheck:
    if answer.raw is None:
        found = Check.FAILED if answer.is_final else Check.UNCHECKED
        return DomainCheck(claim_id, domain, found, answer.note)
    if names_key(answer.raw, public_key):
        return DomainCheck(claim_id, domain, Check.VERIFIED)
    return DomainCheck(claim_id, domain, Check.FAILED, "the file does not name the owner's key")


async def answers_of(hosts: Sequence[str], options: SurveyOptions) -> list[Answered]:
    """Ask each host once, politely, for its file; return the answers in the order of the hosts."""
    from tercet.consent.surveying.addresses import PinnedNetwork, system_resolver
    from tercet.consent.surveying.fetching import Ask, Fetcher
    from tercet.consent.surveying.politeness import Clock, Politeness
    from tercet.consent.surveying.targets import target_of

    clock = Clock()
    network = PinnedNetwork(
        system_resolver(),
        allow_private=options.allow_private,
        overrides={host.lower(): place for host, place in options.overrides},
    )
    politeness = Politeness(
        clock, interval_s=options.host_interval_s, concurrency=options.concurrency
    )
    fetcher = Fetcher(
        options.user_agent, network, politeness, clock, options.timeout_s, options.retries_max
    )

    async def ask(host: str) -> Answered:
        target = target_of(file_url(host))
        if target is None:
            return Answered(None, "it is no host that can be asked", is_final=True)
        answer = await fetcher.fetch(Ask(target, BYTES_MAX, "text/plain"))
        if answer.off_host:
            return Answered(None, "it leads to another host", is_final=True)
        if answer.failure is not None or answer.body is None:
            status = f", status {answer.status}" if answer.status else ""
            note = f"{answer.failure or 'no file'}{status}"
            return Answered(None, note, is_final=answer.status in _ABSENT)
        if answer.cut:
            return Answered(None, "the file is too long", is_final=True)
        return Answered(answer.body)

    async with fetcher:
        return list(await asyncio.gather(*map(ask, hosts)))
