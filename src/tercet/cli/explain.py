"""tercet explain: in plain words, why an item got its verdict."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tercet.cli.output import emit_json

if TYPE_CHECKING:
    from tercet.flows.explain import Asked, Explanation, Quote

_VERDICTS = {
    "cleared": "It may be used; duties named below must be met.",
    "offered": "It may not be used yet; a licence can be had at a known price.",
    "blocked": "It may not be used.",
    "held": "It could not be decided, and is not to be used until it is.",
}
_CARRIERS = {
    "file": "a file of the site",
    "header": "a header of the answer",
    "meta": "the page",
    "embedded": "the file's own metadata",
    "sidecar": "a file beside the item",
    "registry": "a registry",
    "table": "a column of the corpus",
}
_RESOURCES = {
    "http_headers": "headers of ",
    "registry_match": "registered works in ",
    "html": "page ",
    "xmp": "XMP in ",
    "metadata": "metadata in ",
    "opf": "package document in ",
    "c2pa": "content credentials in ",
}
_WIDTH_MAX = 100
_REGISTRY = "registry"  # the signal whose words are claims: told, not quoted
_AGREEMENT = "agreement"  # a standing that the clearing wrote itself: told, not quoted


@click.command(short_help="say in plain words why an item got its verdict")
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("item")
@click.option(
    "--declarations",
    type=click.Path(path_type=Path),
    help="The survey's folder, if it was moved after `tercet clear`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
def explain(out: Path, item: str, declarations: Path | None, as_json: bool) -> int:
    """Say why ITEM got its verdict in OUT, and quote the lines it rests on.

    OUT is a folder that `tercet clear` wrote; ITEM a URL or path as it stands in the corpus, or
    its position (item_id). Nothing is fetched.
    """
    from tercet.flows.explain import explain as explain_item

    explanation = explain_item(out, item, declarations=declarations)
    if as_json:
        emit_json(asdict(explanation))
    else:
        from tercet.flows.report_markup import plain

        click.echo(plain("\n".join(_letter(explanation))))
    return 0


def _letter(found: Explanation) -> list[str]:
    from tercet.consent.wording import USAGE_WORDS
    from tercet.core.usage import Usage

    policy = found.policy
    lines = [found.item, "", f"Verdict: {found.verdict}. {_VERDICTS[found.verdict]}"]
    lines += [f"Asked for: {USAGE_WORDS[Usage(found.usage)]} ({found.usage})."]
    lines += _wrapped(
        f"Decided on {found.created_at} under the policy {policy['id']}, version "
        f"{policy['version']} of {policy['date']}: {policy['title']}.",
        "",
    )
    if found.copies > 1:
        lines += [f"The corpus names it {found.copies} times; this is row {found.item_id}."]
    lines += ["", "Why"]
    for code, words in found.reasons:
        detail = f": {found.fault.replace('_', ' ')}" if code == "row_fault" and found.fault else ""
        lines += _wrapped(f"- {words}{detail} [{code}]", "  ")
    lines += ["", "What it rests on"]
    for number, quote in enumerate(found.quotes, 1):
        lines += _quote(number, quote)
    if not found.quotes:
        lines += ["  No declaration decided it."]
    times = sorted(asked.fetched_at for asked in found.asked if asked.fetched_at)
    between = f", from {times[0]} to {times[-1]}" if times else ""
    lines += ["", f"What was asked{between}"]
    lines += [line for asked in found.asked for line in _asked(asked)]
    if not found.asked:
        lines += ["  Nothing: " + _nothing(found)]
    return lines


def _asked(asked: Asked) -> list[str]:
    result = "read" if not asked.failure else asked.failure.replace("_", " ")
    if asked.status in (404, 410) and not asked.is_doubt:
        result = "not there"
    status = f" (HTTP {asked.status})" if asked.status else ""
    doubt = "; this holds it" if asked.is_doubt else ""
    note = f"; {asked.note}" if asked.note else ""
    what = _RESOURCES.get(asked.resource, "")
    return _wrapped(f"- {what}{asked.uri}: {result}{status}{doubt}{note}", "  ")


def _nothing(found: Explanation) -> str:
    if found.is_surveyed:
        return "the survey did not ask this item's site."
    return "the corpus was cleared without a survey."


def _quote(number: int, quote: Quote) -> list[str]:
    carrier = _CARRIERS.get(quote.carrier, quote.carrier)
    carrier = "a desk" if quote.signal == _AGREEMENT else carrier
    lines = _wrapped(f"{number}. {quote.title} ({quote.spec}), in {carrier}:", "  ")
    lines += [f"     {quote.uri}"]
    looked = "For the day" if quote.signal == _AGREEMENT else "Fetched"
    at = quote.fetched_at[:10] if quote.signal == _AGREEMENT else quote.fetched_at
    fetched = f"{looked} {at}. " if at else ""
    lines += [f"     {fetched}Declaration {quote.declaration_id}."]
    if quote.agents == ("*",):
        lines += ["     It speaks to every crawler."]
    elif quote.agents:
        lines += _wrapped(f"It names {', '.join(quote.agents)}.", "     ")
    lines += _wrapped(quote.says, "     ")
    if quote.signal == _REGISTRY:
        return [*lines, *_found(dict(quote.facts))]
    if quote.signal == _AGREEMENT:
        return [*lines, *_agreed(dict(quote.facts), quote.duties)]
    lines += [""] * bool(quote.lines)
    lines += [f"     {at or '':>5} | {text}" for at, text in quote.lines]
    return lines if number == 1 else ["", *lines]


def _found(facts: dict[str, str]) -> list[str]:
    """Say which registered work was found, and how surely."""
    edits = f"; {facts['edits']}" if facts.get("edits") else ""
    return [
        *_wrapped(f"Work {facts['work'].rstrip(': ')}, claimed by {facts['owner']}.", "     "),
        *_wrapped(
            f"A {facts['band']} match by {facts['method']} ({facts['score']}): "
            f"{facts['covers']}{edits}.",
            "     ",
        ),
        *_wrapped(f"Claim {facts['claim_id'][:16]}.", "     "),
        *(_wrapped(f"Offered at {facts['offers']}.", "     ") if facts.get("offers") else []),
    ]


def _agreed(facts: dict[str, str], duties: tuple[str, ...]) -> list[str]:
    """Say with whom an agreement is, how far it reaches, and what it asks in return."""
    reach = [
        f"{name.removeprefix('scope ')}: {text}"
        for name, text in facts.items()
        if name.startswith("scope ")
    ]
    lines = _wrapped(f"The agreement {facts.get('agreement', '')},", "     ")
    lines += _wrapped(f"with {facts.get('licensor', 'nobody who is known')}.", "     ")
    if reach:
        lines += _wrapped(f"It reaches so far: {'; '.join(reach)}.", "     ")
    if facts.get("obstacles"):
        lines += _wrapped(f"It grants nothing here: {facts['obstacles']}.", "     ")
    if duties:
        lines += _wrapped(f"In return: {'; '.join(duties)}.", "     ")
    return lines


def _wrapped(text: str, indent: str) -> list[str]:
    """Wrap without ever breaking a URL."""
    width = min(shutil.get_terminal_size().columns, _WIDTH_MAX)
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent + "  " * bool(indent),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
