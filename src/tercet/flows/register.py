"""register: files, folders and catalogues in; numbered works with signed claims out.

    file ──guarded child──▶ fingerprints, metadata ──▶ claims ──batch──▶ registry (acknowledged)

A run that was stopped goes on where it was: what the same owner registered before is not looked at
again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from tercet.consent.registry.claim import Basis, Claim, Evidence, Owner, Subject
from tercet.consent.registry.conflicts import Step
from tercet.consent.registry.declared_terms import licence_terms, reserved_terms
from tercet.consent.registry.description import Description
from tercet.consent.registry.fitness import HASH_ONLY_HINT, Fitness, fitness
from tercet.consent.registry.work_record import WorkRecord
from tercet.core.errors import InputError, RefusedError
from tercet.core.work import Medium
from tercet.flows.fingerprinting import MediaPlace
from tercet.flows.register_entries import Entry, RowFault
from tercet.flows.register_looking import Looked, Looking, NearCopy, look_at_all
from tercet.store.files import sha256_of_file
from tercet.store.registry import Registered, Registration, Registry, Signing

BATCH_WORKS = 256
BATCH_BYTES = 64 * 1024 * 1024
NEAR_COPY_PER_MILLE = 800
"""How much of a file another owner's work must make up before it is called a copy of it.

Below that it is a work that contains another: that is for a licence between them to settle.
"""
_ASKED_AT_ONCE = 64
_LOOKED_AT_ONCE = 1024


def _silent(stage: str, done: int, total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """What is asked: which entries, in whose name, under which terms.

    ``stated`` is what the registrant says of every entry; it wins over catalogue and file. Owners
    that are not named by either are ``owner``, with ``share_basis_points``.
    """

    entries: Iterable[Entry | RowFault]
    registry: Path
    keeper: Signing
    signing: Signing
    stated: Description = field(default_factory=Description)
    owner: Owner | None = None
    share_basis_points: int = 10_000
    basis: Basis = Basis.AUTHOR
    evidence: tuple[Evidence, ...] = ()
    hash_only: bool = False
    licence_from_file: bool = False
    may_dispute: bool = False
    amend: bool = False
    workers: int = 1
    total: int = 0
    progress: Callable[[str, int, int], None] = _silent


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one entry. ``status`` is a Step, or "refused" with the reason and a hint.

    ``line`` is that of the catalogue, 0 for a file; ``rights`` what the file says of licences, when
    it was not used.
    """

    name: str
    status: str
    number: int = 0
    reason: str = ""
    hint: str = ""
    flags: tuple[str, ...] = ()
    disputes: tuple[str, ...] = ()
    others: tuple[int, ...] = ()
    line: int = 0
    rights: str = ""

    @property
    def is_refused(self) -> bool:
        """Say whether nothing was registered although something was asked."""
        return self.status == REFUSED


REFUSED = "refused"
_COMMON = "much of what it is found by stands in several works of others: stock, or boilerplate?"
_WORDS = {
    Step.CONFLICT: (
        "it is, or contains nothing but, a work of another owner (work {others})",
        "--dispute registers it and opens a dispute; the work is then held until it is settled",
    ),
    Step.DIFFERS: (
        "it is registered already (work {number}) with other terms, owners or descriptions",
        "--amend replaces them, unless the claim is disputed",
    ),
    Step.SETTLED: (
        "a dispute has decided against an earlier claim of this key on it",
        "ask the keeper of the registry",
    ),
}


@dataclass(frozen=True, slots=True)
class _Pending:
    """A registration that waits for its batch, with what is to be told of it."""

    entry: Entry
    registration: Registration
    flags: tuple[str, ...]
    rights: str
    size: int


def register(request: RegisterRequest) -> Iterator[Outcome]:
    """Register every entry; yield what became of each once it is acknowledged.

    Raises InputError for options that cannot be used, StorageError when the registry cannot be
    written. What was yielded stays registered whatever happens later.
    """
    registry = Registry.make(request.registry, request.keeper)
    try:
        registry.expire_due(request.signing)
        for done, outcome in enumerate(_outcomes(request, registry), 1):
            request.progress("registering", done, request.total)
            yield outcome
    finally:
        registry.close()


def _outcomes(request: RegisterRequest, registry: Registry) -> Iterator[Outcome]:
    batch: list[_Pending] = []
    for found in _pending(request, registry):
        if isinstance(found, Outcome):
            yield found
            continue
        batch.append(found)
        if len(batch) >= BATCH_WORKS or sum(one.size for one in batch) >= BATCH_BYTES:
            yield from _acknowledge(request, registry, batch)
            batch = []
    yield from _acknowledge(request, registry, batch)


def _pending(request: RegisterRequest, registry: Registry) -> Iterator[_Pending | Outcome]:
    files: list[Entry] = []
    for found in _new_entries(request, registry):
        if isinstance(found, Outcome):
            yield found
        elif found.path is None:
            yield _of_hash(request, found)
        else:
            files.append(found)
            if len(files) >= _LOOKED_AT_ONCE:
                yield from _looked_at(request, files)
                files = []
    yield from _looked_at(request, files)


def _looked_at(request: RegisterRequest, files: Sequence[Entry]) -> Iterator[_Pending | Outcome]:
    by_place: dict[MediaPlace, list[Entry]] = {}
    for entry in files:
        assert entry.path is not None
        by_place.setdefault(_place(entry.path, entry.name), []).append(entry)
    looking = Looking(request.registry, request.signing.public_key)
    workers = min(request.workers, max(1, len(by_place)))
    for place, looked in look_at_all(iter(by_place), looking, workers=workers):
        for entry in by_place[place]:
            yield _of_file(request, entry, looked)


def _place(path: Path, name: str) -> MediaPlace:
    try:
        size = os.stat(path).st_size
    except OSError:
        size = 0  # whoever reads it will say what is wrong
    return MediaPlace(str(path), 0, size, name)


def _new_entries(request: RegisterRequest, registry: Registry) -> Iterator[Entry | Outcome]:
    """Yield what is not registered yet by this key; the rest as outcomes.

    With --amend everything is looked at again, since what is said of it may have changed.
    """
    asked: list[Entry] = []
    for found in request.entries:
        if isinstance(found, RowFault):
            yield Outcome(found.name, REFUSED, reason=found.reason, hint=found.hint,
                          line=found.line)  # fmt: skip
            continue
        asked.append(found)
        if len(asked) >= _ASKED_AT_ONCE:
            yield from _not_known(request, registry, asked)
            asked = []
    yield from _not_known(request, registry, asked)


def _not_known(
    request: RegisterRequest, registry: Registry, entries: Sequence[Entry]
) -> Iterator[Entry | Outcome]:
    key = request.signing.public_key
    if request.amend or not registry.has_claims_of(key):
        yield from entries
        return
    digests = [entry.sha256 or _digest(entry.path) for entry in entries]
    known = registry.registered_by(key, filter(None, digests))
    numbers = registry.works_by_sha256(known)
    for entry, digest in zip(entries, digests, strict=True):
        works = [registry.work(number) for number in numbers.get(digest, ())]
        finds_more = entry.path is not None and not any(w.methods or w.unfit for w in works)
        mine = [c.claim for w in works for c in registry.standing(w.number)[0]
                if c.public_key == key]  # fmt: skip
        if digest in known and not finds_more and not _says_other(request, entry, mine):
            yield Outcome(entry.name, Step.UNCHANGED, works[0].number, line=entry.line)
        else:
            yield entry


def _says_other(request: RegisterRequest, entry: Entry, mine: Sequence[Claim]) -> bool:
    """Say whether command or catalogue say what the standing claims do not, as far as they speak.

    What is in the file itself is not asked for: it is the same bytes. An owner who now says no must
    not be told that all is registered already.
    """
    said = request.stated.over(entry.description)
    owners = said.owners or ((request.owner, request.share_basis_points),)
    claimed = {(c.owner, c.share_basis_points) for c in mine}
    fields = ("title", "creators", "source_url", "medium")
    return (
        any(owner is not None and (owner, share) not in claimed for owner, share in owners)
        or (bool(said.owners or request.owner) and len(owners) != len(mine))
        or any(_lacks(request, said, claim, fields) for claim in mine)
    )


def _lacks(
    request: RegisterRequest, said: Description, claim: Claim, fields: Sequence[str]
) -> bool:
    subject = claim.subject
    from_file = said.terms is None and request.licence_from_file
    terms = reserved_terms() if said.terms is None else said.terms
    return (
        any(getattr(said, name) not in ("", (), None, getattr(subject, name)) for name in fields)
        or not set(said.identifiers) <= set(subject.identifiers)
        or (terms != claim.terms and not from_file)
        or request.basis is not claim.basis
        or tuple(request.evidence) != claim.evidence
    )


def _digest(path: Path | None) -> str:
    try:
        return sha256_of_file(path) if path else ""
    except OSError:
        return ""


# ---- from what was found to claims ----------------------------------------------------------


def _of_file(request: RegisterRequest, entry: Entry, looked: Looked) -> _Pending | Outcome:
    found = looked.found
    description = request.stated.over(entry.description).over(looked.description)
    fit = fitness(found.fingerprints, found.problem)
    medium = found.medium or description.medium
    try:
        if not found.sha256 or not found.size:
            why = f"it cannot be read: {found.problem}"
            raise RefusedError("it is empty" if found.sha256 else why)
        if entry.sha256 and entry.sha256 != found.sha256:
            raise RefusedError(
                f"its SHA-256 is {found.sha256}, the catalogue says {entry.sha256}",
                hint="one of the two is of another version",
            )
        if fit.refusal and not request.hash_only:
            raise RefusedError(fit.refusal, hint=HASH_ONLY_HINT)
        if medium is None:
            raise RefusedError("its medium cannot be told", hint="say it with --medium")
        claims = _claims(request, description, found.sha256, found.iscc, medium)
    except (RefusedError, InputError) as error:
        return _refused(entry, error)
    near = looked.near if fit.fit else ()
    flags = (*fit.flags, *_contained(near), *((_COMMON,) if looked.common else ()))
    work = _work(request, claims[0].subject, fit, flags=flags, size=found.size,
                 path=os.path.abspath(entry.path or ""))  # fmt: skip
    registration = Registration(
        work,
        claims,
        fit.fit,
        found.preview,
        tuple(copy.work for copy in near if copy.covers_per_mille >= NEAR_COPY_PER_MILLE),
    )
    keys = sum(t.keys.nbytes + t.places.nbytes for f in fit.fit for t in f.tracks.values())
    rights = "" if request.licence_from_file else looked.description.rights
    return _Pending(entry, registration, flags, rights, keys + len(found.preview))


def _contained(near: Iterable[NearCopy]) -> tuple[str, ...]:
    return tuple(
        f"contains work {copy.work}, {copy.covers_per_mille / 10:g} % of it is that"
        for copy in near
        if copy.covers_per_mille < NEAR_COPY_PER_MILLE
    )


def _of_hash(request: RegisterRequest, entry: Entry) -> _Pending | Outcome:
    description = request.stated.over(entry.description)
    try:
        if description.medium is None:
            raise RefusedError(
                "its medium is not said", hint="add a column medium: image, video, audio or text"
            )
        claims = _claims(request, description, entry.sha256, "", description.medium)
    except (RefusedError, InputError) as error:
        return _refused(entry, error)
    work = _work(request, claims[0].subject, Fitness(()))
    return _Pending(entry, Registration(work, claims), (), "", 0)


def _refused(entry: Entry, error: RefusedError | InputError) -> Outcome:
    return Outcome(entry.name, REFUSED, reason=error.message, hint=error.hint, line=entry.line)


def _claims(
    request: RegisterRequest, description: Description, sha256: str, iscc: str, medium: Medium
) -> tuple[Claim, ...]:
    owners = description.owners
    if not owners:
        if request.owner is None:
            raise InputError("no owner is named", hint="give one with --owner NAME")
        owners = ((request.owner, request.share_basis_points),)
    subject = Subject(
        sha256=sha256,
        medium=medium,
        iscc=iscc,
        title=description.title,
        creators=description.creators,
        identifiers=description.identifiers,
        source_url=description.source_url,
    )
    terms = description.terms
    if terms is None and request.licence_from_file and description.rights:
        terms = licence_terms(description.rights)
    return tuple(
        Claim(
            subject=subject,
            owner=owner,
            terms=reserved_terms() if terms is None else terms,
            made_at=request.signing.at,
            share_basis_points=share,
            basis=request.basis,
            evidence=request.evidence,
        )
        for owner, share in owners
    )


def _work(
    request: RegisterRequest,
    subject: Subject,
    fit: Fitness,
    *,
    flags: tuple[str, ...] = (),
    size: int = 0,
    path: str = "",
) -> WorkRecord:
    return WorkRecord(
        medium=subject.medium,
        sha256=subject.sha256,
        title=subject.title,
        creators=subject.creators,
        identifiers=subject.identifiers,
        source_url=subject.source_url,
        iscc=subject.iscc,
        bytes=size,
        path=path,
        registered_at=request.signing.at,
        methods=tuple(sorted(each.method for each in fit.fit)),
        unfit=fit.unfit,
        flags=flags,
    )


def _acknowledge(
    request: RegisterRequest, registry: Registry, batch: Sequence[_Pending]
) -> Iterator[Outcome]:
    if not batch:
        return
    results = registry.register(
        [one.registration for one in batch],
        request.signing,
        amend=request.amend,
        may_dispute=request.may_dispute,
    )
    for one, result in zip(batch, results, strict=True):
        yield _outcome(one, result)


def _outcome(one: _Pending, result: Registered) -> Outcome:
    is_disputed = result.step is Step.CONFLICT and bool(result.number)
    words = None if is_disputed else _WORDS.get(result.step)
    others = ", ".join(map(str, result.others))
    unfit = one.registration.work.unfit
    by_hash_alone = () if one.registration.work.methods else ("found by its SHA-256 alone",)
    return Outcome(
        name=one.entry.name,
        status=REFUSED if words else str(result.step),
        number=result.number,
        reason=words[0].format(others=others, number=result.number) if words else "",
        hint=words[1] if words else "",
        flags=tuple(chain(one.flags, unfit, by_hash_alone)),
        disputes=result.disputes,
        others=result.others,
        line=one.entry.line,
        rights=one.rights,
    )
