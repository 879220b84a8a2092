"""tercet register: works in, with their owners' signed claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tercet.cli.output import emit_json, progress_bar
from tercet.cli.registry_option import printable
from tercet.core.usage import Usage
from tercet.core.work import Medium

if TYPE_CHECKING:
    from tercet.consent.registry.claim import Evidence, Terms
    from tercet.consent.survey import SurveyOptions
    from tercet.flows.register import Outcome, RegisterRequest

_USAGES = click.Choice([str(usage) for usage in Usage])
_BASES = ("author", "employer", "assignment", "collective mandate", "other")


@click.command(short_help="register works: files, folders or catalogues, with signed claims")
@click.argument("places", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--registry", type=click.Path(path_type=Path), help="Folder of the registry.")
@click.option("--owner", default="", help="Whose works they are: the name on the claims.")
@click.option("--owner-isni", default="", help="The owner's ISNI.")
@click.option("--owner-email", default="", help="Where the owner can be written to.")
@click.option("--owner-url", default="", help="The owner's web page.")
@click.option("--share", type=float, default=100.0, help="The owner's share in per cent.")
@click.option("--basis", type=click.Choice(_BASES), default="author", show_default=True)
@click.option("--title", default="", help="Title; else that of the catalogue or the file.")
@click.option("--creator", "creators", multiple=True, help="A creator; can be repeated.")
@click.option("--identifier", "identifiers", multiple=True, metavar="SCHEME:VALUE",
              help="isrc:, iswc:, isbn:, isni: or eidr:; can be repeated.")  # fmt: skip
@click.option("--source-url", default="", help="Where the work is published.")
@click.option("--medium", type=click.Choice([str(each) for each in Medium]))
@click.option("--licence", default="", help="A licence by name, SPDX identifier or URL.")
@click.option("--licence-from-file", is_flag=True, help="Take the licence that the file names.")
@click.option("--terms", "terms_file", type=click.Path(path_type=Path), help="Terms (.toml).")
@click.option("--allow", multiple=True, type=_USAGES, help="Allow a usage; can be repeated.")
@click.option("--deny", multiple=True, type=_USAGES, help="Deny a usage; can be repeated.")
@click.option("--offer-url", default="", help="Where a licence for reserved usages can be had.")
@click.option("--price", default="", help='Its price, such as "EUR 25".')
@click.option("--domain", "domains", multiple=True, help="A host you control; can be repeated.")
@click.option("--whole-domain", is_flag=True, help="The terms hold for all published there.")
@click.option("--check-domain", is_flag=True, help="Ask the hosts for your key now.")
@click.option("--contact", default="", help="With --check-domain: URL or address of who asks.")
@click.option("--statement", "statements", multiple=True, type=click.Path(path_type=Path),
              help="A signed statement, kept by its SHA-256.")  # fmt: skip
@click.option("--mandate", "mandates", multiple=True, type=click.Path(path_type=Path),
              help="A collective's mandate, kept by its SHA-256.")  # fmt: skip
@click.option("--hash-only", is_flag=True, help="Register also what only its bytes identify.")
@click.option("--dispute", "may_dispute", is_flag=True, help="Claim also what others claim.")
@click.option("--amend", is_flag=True, help="Replace your earlier claims on the same works.")
@click.option("--key", type=click.Path(path_type=Path), help="Owner's key; made on first use.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Processes; default: all processors.")
@click.option("--json", "as_json", is_flag=True, help="Print what became of each entry as JSON.")
def register(**given: Any) -> int:
    """Register works, so that they are found wherever copies or excerpts of them turn up.

    PLACES are files, folders, and catalogues (.csv, .tsv, .jsonl, .parquet). Without other terms
    everything but search and ai_index is reserved. What you registered before is left as it is.
    """
    from tercet.flows.register import register as register_works

    as_json = given["as_json"]
    options = _survey_options(given)
    with progress_bar(quiet=as_json) as progress:
        request = _request(given, progress)
        outcomes = list(register_works(request))
    if options is not None:
        _check_domains(request, options)
    if as_json:
        emit_json(_document(outcomes))
    else:
        _show(outcomes)
    return 1 if any(outcome.is_refused for outcome in outcomes) else 0


def _request(given: dict[str, Any], progress: Callable[[str, int, int], None]) -> RegisterRequest:
    from tercet.cli.registry_option import owner_key_path, registry_folder
    from tercet.consent.registry.claim import Basis, Owner
    from tercet.consent.registry.declared_terms import web_address
    from tercet.consent.registry.description import Description
    from tercet.consent.registry.identifiers import isni, parse_identifier
    from tercet.core.errors import InputError
    from tercet.flows.pool import processor_count
    from tercet.flows.register import RegisterRequest
    from tercet.flows.register_entries import entries_of
    from tercet.store.keys import default_key_path, load_or_make_key
    from tercet.store.registry import Signing

    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    stated = Description(
        title=given["title"],
        creators=tuple(given["creators"]),
        identifiers=tuple(sorted(dict(map(parse_identifier, given["identifiers"])).items())),
        source_url=web_address(given["source_url"]) if given["source_url"] else "",
        terms=_terms(given),
        medium=Medium(given["medium"]) if given["medium"] else None,
    )
    share_basis_points = _share(given["share"])
    number = given["owner_isni"]
    owner = Owner(given["owner"], isni(number) if number else "", given["owner_email"],
                  given["owner_url"])  # fmt: skip
    entries, total = entries_of(given["places"])
    if not owner.name and (number or given["owner_email"] or given["owner_url"]):
        raise InputError("an owner needs a name", hint="give it with --owner")
    evidence = _evidence(given, stated.identifiers)
    return RegisterRequest(
        entries=entries,
        total=total,
        registry=registry_folder(given["registry"]),
        keeper=Signing(load_or_make_key(default_key_path()), now),
        signing=Signing(load_or_make_key(given["key"] or owner_key_path()), now),
        stated=stated,
        owner=owner if owner.name else None,
        share_basis_points=share_basis_points,
        basis=Basis(given["basis"]),
        evidence=evidence,
        hash_only=given["hash_only"],
        licence_from_file=given["licence_from_file"],
        may_dispute=given["may_dispute"],
        amend=given["amend"],
        workers=given["workers"] or processor_count(),
        progress=progress,
    )


def _share(percent: float) -> int:
    from tercet.core.errors import InputError

    if not 0.01 <= percent <= 100:
        raise InputError(f"expected a share of 0.01 to 100 %, got {percent:g}")
    return round(percent * 100)


def _survey_options(given: dict[str, Any]) -> SurveyOptions | None:
    from tercet.consent.survey import SurveyOptions

    return SurveyOptions(contact=given["contact"]) if given["check_domain"] else None


def _check_domains(request: RegisterRequest, options: SurveyOptions) -> None:
    from tercet.flows.check_domains import check_domains
    from tercet.store.registry import Registry

    for check in check_domains(Registry.open(request.registry), options, request.signing):
        note = f": {check.note}" if check.note else ""
        click.echo(f"control of {check.domain}: {check.found}{note}", err=True)


def _terms(given: dict[str, Any]) -> Terms | None:
    """Return what the options say of usages, None when they say nothing."""
    from tercet.consent.registry.declared_terms import (
        licence_terms,
        read_terms_file,
        reserved_terms,
        stated_terms,
    )
    from tercet.core.errors import InputError

    licence, file = given["licence"], given["terms_file"]
    if licence and file:
        raise InputError("both --licence and --terms are given", hint="say one of them")
    single = {name: given[name] for name in ("allow", "deny", "offer_url", "price")}
    if not licence and not file and not any(single.values()):
        return None
    base = licence_terms(licence) if licence else reserved_terms()
    if file:
        base = read_terms_file(_bytes_of(file), str(file))
    return stated_terms(base, **single)


def _evidence(
    given: dict[str, Any], identifiers: Iterable[tuple[str, str]]
) -> tuple[Evidence, ...]:
    from tercet.consent.registry.claim import Evidence, EvidenceKind
    from tercet.consent.registry.domain_file import host_named
    from tercet.core.errors import InputError
    from tercet.core.ids import sha256_hex

    if given["whole_domain"] and not given["domains"]:
        raise InputError("--whole-domain needs a --domain", hint="name the host with --domain")
    found = [
        Evidence(EvidenceKind.DOMAIN, host_named(host), covers_all=given["whole_domain"])
        for host in given["domains"]
    ]
    for kind, files in (
        (EvidenceKind.STATEMENT, given["statements"]),
        (EvidenceKind.MANDATE, given["mandates"]),
    ):
        found += [Evidence(kind, file.name, sha256_hex(_bytes_of(file))) for file in files]
    found += [Evidence(EvidenceKind.IDENTIFIER, f"{name}:{value}") for name, value in identifiers]
    return tuple(found)


def _bytes_of(file: Path) -> bytes:
    from tercet.core.errors import InputError

    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error


def _document(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    from dataclasses import asdict

    found = list(outcomes)
    return {
        "type": "tercet/registration@1",
        "counts": dict(sorted(Counter(outcome.status for outcome in found).items())),
        "entries": [asdict(outcome) for outcome in found],
    }


def _show(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        place = f"line {outcome.line}: " if outcome.line else ""
        number = f" as work {outcome.number}" if outcome.number and not outcome.is_refused else ""
        click.echo(f"{place}{printable(outcome.name)}: {_STATUS[outcome.status]}{number}")
        for note in outcome.flags:
            click.echo(f"    note: {printable(note)}")
        for dispute in outcome.disputes:
            click.echo(f"    dispute {dispute[:16]} opened with the owner of work "
                       f"{', '.join(map(str, outcome.others))}")  # fmt: skip
        if outcome.rights:
            rights = printable(outcome.rights[:200])
            click.echo(f"    the file says: {rights!r} (--licence-from-file uses it)")
        if outcome.reason:
            click.echo(f"    {printable(outcome.reason)}")
        if outcome.hint:
            click.echo(f"    hint: {outcome.hint}")
    counts = Counter(outcome.status for outcome in outcomes)
    text = ", ".join(f"{count:,} {_STATUS[status]}" for status, count in sorted(counts.items()))
    click.echo(f"\n{text or 'nothing to register'}", err=True)


_STATUS = {
    "new": "registered",
    "attach": "registered beside another owner",
    "conflict": "registered, disputed",
    "amend": "amended",
    "unchanged": "registered already",
    "refused": "refused",
}
