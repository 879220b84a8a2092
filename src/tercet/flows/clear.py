"""clear: corpus, policy and evidence in; a verdict for every row and a signed clearance out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tercet.consent.corpora import ColumnNames, Corpus, open_corpus
from tercet.consent.policy import Policy
from tercet.consent.site_index import SiteIndex
from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, StorageError
from tercet.core.usage import Usage
from tercet.flows.clear_shard import ShardTask
from tercet.flows.clearance import (
    Clearance,
    make_plan,
    output_files,
    sign_clearance,
    unchanged,
)
from tercet.flows.local_evidence import gather_local_evidence
from tercet.flows.local_notes import changed_inputs, inputs_state, keep_notes
from tercet.flows.pool import worker_pool
from tercet.flows.report import render_report
from tercet.flows.shard_pool import clear_shards
from tercet.flows.summary import summarise
from tercet.store.evidence import check_evidence, read_survey
from tercet.store.evidence_index import load_sites, no_sites
from tercet.store.files import write_atomically
from tercet.store.keys import SigningKey
from tercet.store.offers import write_offers
from tercet.store.verdict_parts import VerdictParts

if TYPE_CHECKING:
    from tercet.flows.agreements import AgreementsAsked
    from tercet.flows.agreements_kept import Prepared
    from tercet.flows.claim_offers import ClaimOffers

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); total is 0 where it is not known yet."""


def _silent(stage: str, done: int, total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True)
class ClearRequest:
    """What is asked: which corpus, under which policy, on what evidence, to which folder.

    ``agreements`` names a desk whose agreements count, and the use that they are asked about;
    ``declarations`` is a survey's folder, ``registry`` that of a registry whose works are looked
    for in the corpus, ``trusted_keys`` the public keys (Base64) of the owners whose grants count:
    to deny, anybody's claim is enough. ``now`` is an RFC 3339 time in UTC; ``workers`` how many
    processes share the work.
    """

    places: tuple[Path, ...]
    policy: Policy
    usage: Usage
    out: Path
    key: SigningKey
    now: str
    declarations: Path | None = None
    registry: Path | None = None
    trusted_keys: frozenset[str] = frozenset()
    agreements: AgreementsAsked | None = None
    columns: ColumnNames = field(default_factory=ColumnNames)
    workers: int = 1
    progress: Progress = _silent


def clear(request: ClearRequest) -> Clearance:
    """Clear a corpus and return the signed clearance.

    Writes verdicts.parquet/, offers.parquet, clearance.json and report.html under ``out``. A run
    that was stopped goes on where it was; shards that are finished are not done again.

    Raises InputError for input that cannot be used, IntegrityError when evidence was altered,
    StorageError when the disk cannot take the result.
    """
    if request.usage not in request.policy.usages:
        raise InputError(
            f"policy {request.policy.id} does not speak of the usage {request.usage}",
            hint=f"it covers {', '.join(sorted(request.policy.usages))}",
        )
    try:
        return _clear(request)
    except OSError as error:
        raise StorageError(
            f"cannot write under {request.out}: {error.strerror or error}",
            hint="free some space or choose another folder; finished shards are kept, so the "
            "same command goes on where it stopped",
        ) from error


def _clear(request: ClearRequest) -> Clearance:
    _check_out(request.places, request.out)
    survey = check_evidence(request.declarations) if request.declarations else None
    corpus = _open(request)
    offers = _claim_offers(request)
    registry = _registry_state(request, offers)
    agreements = _agreements(request)
    plan = make_plan(corpus, request.policy, request.usage, survey, registry)
    if agreements is not None:
        plan["agreements"] = agreements.state
    _keep_plan(request.out, plan)
    inputs = inputs_state(corpus)
    keep_notes(request.out, inputs, request.declarations, request.places, desk=_desk(request))
    local = gather_local_evidence(
        corpus,
        request.out / "evidence",
        now=request.now,
        workers=request.workers,
        progress=lambda done, total: request.progress("reading media", done, total),
    )
    matched = _matches(request, corpus, offers)
    surveyed = [request.declarations] if request.declarations else []
    evidence = (*surveyed, *local, *matched)
    items = tuple(f for f in evidence if read_survey(f)["counts"]["items"])
    task = ShardTask(
        corpus, request.policy, request.usage, request.out, items, request.registry,
        agreements.task if agreements else None, offers,
    )  # fmt: skip
    request.progress("reading sites", 0, 0)
    sites = _sites(request)
    verdicts = VerdictParts(request.out)
    verdicts.prepare()
    corpus, parts = clear_shards(task, sites, request.workers, request.progress)
    if inputs_state(corpus) != inputs:
        raise changed_inputs(request.out)
    if _registry_state(request, offers) != registry:
        raise _changed_registry(request)
    write_offers(request.out, sites)
    account = _account(request, agreements, len(parts))
    files = output_files(request.out)
    clearance = sign_clearance(
        corpus, request.policy, plan, parts, files, request.key, request.now, agreements=account
    )
    clearance = unchanged(clearance, request.out / "clearance.json")
    counts = verdicts.site_counts(range(len(parts)), len(sites.origins))
    page = render_report(summarise(clearance, request.policy, sites, counts, evidence, request.out))
    write_atomically(request.out / "report.html", page.encode())
    write_atomically(request.out / "clearance.json", clearance.to_bytes() + b"\n")
    return clearance


def _matches(request: ClearRequest, corpus: Corpus, offers: ClaimOffers | None) -> list[Path]:
    """Look for registered works in the media of the corpus, where a registry is given."""
    if request.registry is None:
        return []
    from tercet.flows.match_evidence import gather_matches

    return gather_matches(
        corpus,
        request.registry,
        request.out / "matches",
        request.out / "evidence",
        request.trusted_keys,
        offers,
        now=request.now,
        workers=request.workers,
        progress=lambda done, total: request.progress("looking for works", done, total),
    )


def _agreements(request: ClearRequest) -> Prepared | None:
    """Check the agreements of the desk, where one is given."""
    if request.agreements is None:
        return None
    from tercet.flows.agreements_kept import prepare_agreements

    request.progress("checking agreements", 0, 0)
    return prepare_agreements(request.agreements, request.trusted_keys, request.key)


def _account(
    request: ClearRequest, agreements: Prepared | None, part_count: int
) -> dict[str, Any] | None:
    """Return what the clearance says of the agreements that it rests on, and keep their copies."""
    if agreements is None:
        return None
    from tercet.flows.agreement_account import keep_account

    return keep_account(request.out, agreements, part_count, request.trusted_keys)


def _desk(request: ClearRequest) -> Path | None:
    return request.agreements.desk if request.agreements else None


def _claim_offers(request: ClearRequest) -> ClaimOffers | None:
    """Look up the offers of the registry, once for all rows."""
    if request.registry is None:
        return None
    from tercet.flows.claim_offers import claim_offers

    return claim_offers(request.registry, request.usage, request.now)


def _registry_state(request: ClearRequest, offers: ClaimOffers | None) -> dict[str, Any]:
    """Return what the registry is at; which offers are in force is told where there are any."""
    if request.registry is None:
        return {}
    from tercet.flows.table_matches import registry_state

    state = registry_state(request.registry)
    in_force = {"offers": offers.ids} if offers and offers.offers else {}
    return {**state, **in_force, "trusted_keys": sorted(request.trusted_keys)}


def _changed_registry(request: ClearRequest) -> InputError:
    return InputError(
        f"the registry {request.registry} was changed while {request.out} was made",
        hint="choose another folder with -o, or delete this one",
    )


def _sites(request: ClearRequest) -> SiteIndex:
    if request.declarations is None:
        return no_sites()
    with worker_pool(request.workers) as pool:
        return load_sites(request.declarations, request.usage, mapper=pool.map)


def _open(request: ClearRequest) -> Corpus:
    return open_corpus(
        request.places,
        work=request.out / "work",
        columns=request.columns,
        progress=lambda rows: request.progress("reading the corpus", rows, 0),
    )


def _check_out(places: tuple[Path, ...], out: Path) -> None:
    """Refuse a result folder inside the corpus: the result would become part of it."""
    for place in places:
        if place.is_dir() and out.resolve().is_relative_to(place.resolve()):
            raise InputError(
                f"the result folder {out} lies inside the corpus {place}",
                hint="choose a folder outside of it with -o",
            )


def _keep_plan(out: Path, plan: dict[str, Any]) -> None:
    """Write the plan on the first run; refuse a folder that holds another clearing."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "plan.json"
    fresh = canonical_json(plan) + b"\n"
    if path.exists():
        if path.read_bytes() != fresh:
            raise InputError(
                f"{out} holds a clearing of {_difference(path, plan)}",
                hint="choose another folder with -o, or delete this one",
            )
        return
    write_atomically(path, fresh)


def _difference(path: Path, plan: dict[str, Any]) -> str:
    """Say which part of the plan differs."""
    try:
        old = json.loads(path.read_bytes())
    except ValueError:
        return "an unreadable plan"
    names = [name for name in plan if old.get(name) != plan[name]]
    return "other " + ", ".join(names) if names else "another kind"
