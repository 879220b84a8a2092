"""tercet terms: a licence's terms in plain words, checked, and in other formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tercet.cli.output import emit_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tercet.consent.licences.story_pil import PilToken
    from tercet.consent.licences.unsaid import Unsaid
    from tercet.core.terms import PartyName, RepertoireName

_Command = TypeVar("_Command", bound=Callable[..., Any])
_FORMATS = ("terms", "rsl", "odrl", "pil")
_file = click.argument("file", type=click.Path(path_type=Path))
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _parties(command: _Command) -> _Command:
    """Add the options that say who grants and which works, where a file does not."""
    for option in (
        click.option("--works", "work_count", type=click.IntRange(0), default=0,
                     help="How many works are in that repertoire."),
        click.option("--repertoire", default="", help="SHA-256 of the repertoire that is meant."),
        click.option("--licensor-name", default="", help="The licensor's name."),
        click.option("--licensor", default="", help="Id of who gives the licence."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(short_help="a licence's terms in plain words, and in other formats")
def terms() -> None:
    """Show, check and convert the terms of licences.

    FILE is TOML as people write it, or the JSON of terms, an offer or an agreement. Signatures are
    not checked here.
    """


@terms.command("show")
@_file
@click.option("--language", default="en", show_default=True, type=click.Choice(("en", "vi")))
@_parties
@_json
def show(
    file: Path, language: str, licensor: str, licensor_name: str, repertoire: str,
    work_count: int, as_json: bool,
) -> int:  # fmt: skip
    """Say in plain words all that the terms in FILE say, and what they do not permit."""
    from tercet.consent.licences.terms_voice import Language
    from tercet.consent.licences.terms_words import describe, terms_text
    from tercet.flows.terms_file import read_terms_file

    found = read_terms_file(
        file,
        licensor=_party(licensor, licensor_name),
        repertoire=_repertoire(repertoire, work_count),
    ).terms
    if not as_json:
        click.echo(terms_text(found, Language(language)), nl=False)
        return 0
    sections = describe(found, Language(language))
    emit_json({"language": language, "sections": [
        {"name": each.name, "title": each.title,
         "sentences": [{"paths": list(one.paths), "text": one.text} for one in each.sentences]}
        for each in sections
    ]})  # fmt: skip
    return 0


@terms.command("compare")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--language", default="en", show_default=True, type=click.Choice(("en", "vi")))
@_parties
@_json
def compare(
    before: Path, after: Path, language: str, licensor: str, licensor_name: str, repertoire: str,
    work_count: int, as_json: bool,
) -> int:  # fmt: skip
    """Say in plain words what the terms in AFTER say otherwise than those in BEFORE."""
    from tercet.consent.licences.terms_voice import Language
    from tercet.consent.licences.terms_words import changes
    from tercet.flows.terms_file import read_terms_file

    party, works = _party(licensor, licensor_name), _repertoire(repertoire, work_count)
    old, new = (
        read_terms_file(each, licensor=party, repertoire=works).terms for each in (before, after)
    )
    found = changes(old, new, Language(language))
    if as_json:
        emit_json({"language": language, "changes": [
            {"name": each.name, "title": each.title, "before": each.before, "after": each.after}
            for each in found
        ]})  # fmt: skip
        return 0
    for each in found:
        click.echo(each.title)
        for sign, texts in (("-", each.before), ("+", each.after)):
            for text in texts:
                click.echo(f"  {sign} {text}")
    return 0


@terms.command("check")
@_file
@_parties
@_json
def check(
    file: Path, licensor: str, licensor_name: str, repertoire: str, work_count: int, as_json: bool
) -> int:
    """Check the terms in FILE; what is wrong is named with its field, and its line in TOML."""
    from tercet.consent.licences.rsl_terms_export import terms_urn
    from tercet.consent.licences.terms_schema import terms_fields
    from tercet.flows.terms_file import read_terms_file

    found = read_terms_file(
        file,
        licensor=_party(licensor, licensor_name),
        repertoire=_repertoire(repertoire, work_count),
    ).terms
    if as_json:
        emit_json({"id": terms_urn(found), "terms": terms_fields(found)})
    else:
        click.echo(f"valid {terms_urn(found)}")
    return 0


@terms.command("convert")
@_file
@click.option("--from", "source", default="terms", show_default=True, type=click.Choice(_FORMATS))
@click.option("--to", "target", required=True, type=click.Choice(_FORMATS))
@click.option("--content", "contents", multiple=True, help="RSL: a path or URL of the works.")
@click.option("--offer-url", default="", help="RSL: where the signed offer stands.")
@click.option("--license", "number", default=1, type=click.IntRange(1),
              help="RSL: which license of the file is read.")  # fmt: skip
@click.option("--start", default="", help="PIL: the day the licence begins, YYYY-MM-DD.")
@click.option("--token", default="", help="PIL: address of the token that is paid with.")
@click.option("--token-currency", default="", help="PIL: the currency it stands for.")
@click.option("--token-decimals", default=18, show_default=True, type=click.IntRange(0, 36))
@click.option("--royalty-policy", default="", help="PIL: address of the contract for shares.")
@_parties
@_json
def convert(
    file: Path, source: str, target: str, contents: tuple[str, ...], offer_url: str, number: int,
    start: str, token: str, token_currency: str, token_decimals: int, royalty_policy: str,
    licensor: str, licensor_name: str, repertoire: str, work_count: int, as_json: bool,
) -> int:  # fmt: skip
    """Write the terms in FILE in another format; what that cannot say is told on stderr."""
    from tercet.consent.licences.unsaid import unsaid_fields
    from tercet.flows.terms_convert import Format, Placing, convert_terms

    placing = Placing(
        licensor=_party(licensor, licensor_name),
        repertoire=_repertoire(repertoire, work_count),
        contents=contents,
        offer_url=offer_url,
        number=number,
        start=_day(start),
        token=_token(token, token_currency, token_decimals, royalty_policy),
    )
    done = convert_terms(file, Format(source), Format(target), placing)
    if as_json:
        emit_json({"format": target, "text": done.text, "unsaid": unsaid_fields(done.unsaid)})
        return 0
    click.echo(done.text, nl=False)
    _tell(done.unsaid)
    return 0


@terms.command("cc")
@click.argument("licence")
@click.option("--start", default="", help="First day, YYYY-MM-DD; today if not given.")
@_parties
@_json
def creative_commons(
    licence: str, start: str, licensor: str, licensor_name: str, repertoire: str,
    work_count: int, as_json: bool,
) -> int:  # fmt: skip
    """Print ready terms for a Creative Commons LICENCE, such as BY-4.0."""
    from datetime import UTC, datetime

    from tercet.consent.licences.creative_commons import creative_commons_terms
    from tercet.consent.licences.unsaid import unsaid_fields
    from tercet.core.terms import RepertoireName
    from tercet.flows.terms_convert import checked_parts

    found = creative_commons_terms(
        licence,
        _party_needed(licensor, licensor_name),
        _repertoire(repertoire, work_count) or RepertoireName(),
        start=_day(start) or datetime.now(UTC).date().isoformat(),
    )
    fields = checked_parts(found.terms)
    if as_json:
        emit_json({"terms": fields, "unsaid": unsaid_fields(found.unsaid)})
        return 0
    emit_json(fields)
    _tell(found.unsaid)
    return 0


@terms.command("schema")
@_json
def schema(as_json: bool) -> int:
    """Print the JSON Schema (2020-12) of `tercet/terms@1`."""
    from tercet.consent.licences.terms_schema import terms_schema

    emit_json(terms_schema())  # there is no other way to say it, with --json or without
    return 0


def _party(party_id: str, name: str) -> PartyName | None:
    from tercet.core.terms import PartyName

    return PartyName(party_id, name) if party_id else None


def _party_needed(party_id: str, name: str) -> PartyName:
    from tercet.core.errors import InputError

    found = _party(party_id, name)
    if found is None:
        raise InputError(
            "expected to be told who gives the licence, got nothing",
            hint="give --licensor urn:tercet:party:... (tercet desk shows yours)",
        )
    return found


def _repertoire(sha256: str, work_count: int) -> RepertoireName | None:
    from tercet.core.terms import RepertoireName

    return RepertoireName(sha256, work_count) if sha256 else None


def _token(address: str, currency: str, decimals: int, royalty_policy: str) -> PilToken | None:
    from tercet.consent.licences.story_pil import ZERO_ADDRESS, PilToken

    if not (address or royalty_policy or currency):
        return None
    return PilToken(address or ZERO_ADDRESS, currency, decimals, royalty_policy or ZERO_ADDRESS)


def _day(text: str) -> str:
    """Return a day as it is. Raises InputError where it is none."""
    from tercet.consent.licences.reach import is_day
    from tercet.core.errors import InputError

    if text and not is_day(text):
        raise InputError(f"expected a day such as 2027-01-31, got {text[:40]!r}")
    return text


def _tell(unsaid: Iterable[Unsaid]) -> None:
    from tercet.cli.registry_option import printable

    for each in unsaid:
        click.echo(f"not said: {printable(each.path)}: {printable(each.words)}", err=True)
