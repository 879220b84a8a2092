"""tercet policies: list the policies, or show and check one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tercet.cli.output import emit_json

if TYPE_CHECKING:
    from tercet.consent.policy import Policy


@click.command(short_help="list the policies, or show or check one")
@click.argument("policy", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the policies as JSON.")
def policies(policy: str | None, as_json: bool) -> int:
    """List the policies that come with Tercet, or show POLICY: an id, or a .toml file.

    A file is checked; what is wrong is named with its line and key.
    """
    from tercet.cli.policy_option import load_policy
    from tercet.consent.policy_file import BUILT_IN

    chosen = [load_policy(name) for name in ([policy] if policy else BUILT_IN)]
    documents = [_document(each) for each in chosen]
    if as_json:
        emit_json(documents[0] if policy else documents)
    elif policy:
        _show(documents[0])
    else:
        for document in documents:
            click.echo(f"{document['id']:22} {document['title']}")
    return 0


def _document(policy: Policy) -> dict[str, Any]:
    reservations = policy.reservations_from
    return {
        "id": policy.id,
        "version": policy.version,
        "date": policy.date,
        "title": policy.title,
        "summary": policy.summary,
        "usages": sorted(policy.usages),
        "silence": str(policy.silence),
        "ambiguity": str(policy.ambiguity),
        "grants_from": sorted(policy.grants_from),
        "reservations_from": "all" if reservations is None else sorted(reservations),
        "reservations_except": sorted(policy.reservations_except),
        "conditions_met": sorted(policy.conditions_met),
        "assertion": policy.assertion,
        "sources": [{"title": title, "url": url} for title, url in policy.sources],
        "sha256": policy.sha256,
    }


def _show(document: dict[str, Any]) -> None:
    click.echo(f"{document['id']} {document['version']}, {document['date']}: {document['title']}")
    click.echo(f"\n{document['summary']}\n")
    for key in ("usages", "silence", "ambiguity", "grants_from", "reservations_from",
                "reservations_except", "conditions_met", "sha256"):  # fmt: skip
        value = document[key]
        words = ", ".join(value) if isinstance(value, list) else value
        click.echo(f"{key:20} {words or '-'}")
    if document["assertion"]:
        click.echo(f"\nEvery clearance under it asserts: {document['assertion']}")
    for source in document["sources"]:
        click.echo(f"\nsource: {source['title']}\n        {source['url']}")
