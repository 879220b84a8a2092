"""X-Robots-Tag headers and robots metas: ``noai``, ``noimageai``, ``noml`` and their kin.

There is no one standard. Sources: DeviantArt's definition of noai and noimageai (11 Nov 2022),
noml.info (25 Oct 2023), draft-canel-robots-ai-control-00 (21 Oct 2024); Google's robots meta tag
specification for the grammar, ``noindex`` and ``nosnippet``. Nothing here ever grants: ``index``,
``follow`` and ``all`` are the default spelt out, not a permission.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tercet.consent.html_page import Meta, parse_page
from tercet.consent.http_headers import headers_fault, parse_headers
from tercet.consent.signal import Resource, Signal, declare, unreadable
from tercet.consent.signals.agents import OWN_TOKEN, purposes
from tercet.core.declaration import Declaration, Reading, Source, Statement
from tercet.core.limits import CONDITION_TEXT_MAX, DECLARATIONS_MAX
from tercet.core.usage import TRAINING, Permission, Usage, permit

_SPEC = ("x_robots", "X-Robots-Tag and robots meta", "DeviantArt 2022-11-11, noml 2023-10-25")

# "may not be used as input to AI models"; "train machine-learning models of any kind".
_NO_AI = TRAINING | {Usage.AI_INPUT}
_DENIED: dict[str, frozenset[Usage]] = {
    "noai": _NO_AI,
    "noimageai": _NO_AI,  # said of images; Tercet applies it to the resource it came with
    "noml": TRAINING,
    # draft-canel-robots-ai-control-00 (21 Oct 2024, expired): "training generative AI foundation
    # models". Its AllowAITraining grants nothing: a wish of an expired draft is no permission.
    "disallowaitraining": frozenset({Usage.TRAIN_GENERATIVE}),
    "noindex": frozenset({Usage.SEARCH}),
    "none": frozenset({Usage.SEARCH}),  # Google: "equivalent to noindex, nofollow"
    # Google: "will also prevent the content from being used as a direct input for AI Overviews".
    "nosnippet": frozenset({Usage.AI_INPUT}),
}
_AI_WORDS = frozenset({"noai", "noimageai", "noml", "disallowaitraining"})
_WITH_VALUE = frozenset(
    {"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"}
)
_PLAIN = frozenset(_DENIED) | {
    "all", "allowaitraining", "index", "follow", "nofollow", "noarchive", "nocache",
    "noimageindex", "notranslate", "indexifembedded", "nositelinkssearchbox", "noodp", "noydir",
}  # fmt: skip
_NO_AGENTS = frozenset(
    {"description", "keywords", "author", "title", "subject", "generator", "category", "tags"}
)
_EVERYBODY = frozenset({"robots", "*", "x-robots-tag"})
_SCOPE = re.compile(r"([A-Za-z*][A-Za-z0-9._*/\-]{0,99})[ \t]*:(.*)\Z", re.DOTALL)
_SEPARATORS = re.compile(r"[,;\r\n]")
_QUOTES = "\"'`“”‘’()[]{}<>.!"
_COLONS_MAX = 4  # scopes within one list member; what lies deeper is read without a scope


@dataclass(slots=True)
class _Said:
    """The directives addressed to one agent ("" for everybody), and the usages they deny."""

    words: list[str] = field(default_factory=list)
    denied: set[Usage] = field(default_factory=set)


def read_headers(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return one declaration per X-Robots-Tag field and agent that denies anything. Total."""
    found: list[Declaration] = []
    for header in parse_headers(raw):
        if header.name_lower == "x-robots-tag":
            span = (header.byte_start, header.byte_end)
            lines = (header.line, header.line)
            found += _declarations(raw, source, header.value, "", lines=lines, span=span)
    return _bounded(found, headers_fault(raw), raw, source)


def read_page(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return one declaration per robots or per-agent ``<meta>`` that denies anything. Total."""
    page = parse_page(raw, source.media_type)
    found: list[Declaration] = []
    for meta in page.metas:
        agent, value = _addressed(meta)
        if value and len(found) <= DECLARATIONS_MAX:
            found += _declarations(raw, source, value, agent, lines=(meta.line, meta.line))
    return _bounded(found, page.fault, raw, source)


def _bounded(
    found: list[Declaration], fault: str, raw: bytes, source: Source
) -> tuple[Declaration, ...]:
    """Cut at the limit; what was cut or not read may deny, so it is one unreadable declaration."""
    if len(found) > DECLARATIONS_MAX:
        fault = fault or "more declarations than the limit"
    doubt = [unreadable(_SPEC, raw, source, fault)] if fault else []
    return (*found[:DECLARATIONS_MAX], *doubt)


def _addressed(meta: Meta) -> tuple[str, str]:
    """Return the agent ("" for everybody) and the text of a robots meta; no text for others."""
    names = (meta.name, meta.http_equiv, meta.property)
    if any(name in _EVERYBODY for name in names):
        return "", meta.content
    for name in names:
        if _word(name) in _AI_WORDS:  # <meta name="noai">: written wrong, meant well
            return "", _word(name)
    # A meta named after an agent. Any other name counts only when all it says is directives.
    named = meta.name and meta.name not in _NO_AGENTS
    if named and (purposes(meta.name) or _only_directives(meta.content)):
        return meta.name, meta.content
    return "", ""


def _only_directives(text: str) -> bool:
    words = [_word(word) for part in _SEPARATORS.split(text) for word in part.split()]
    return bool(words) and all(w.partition(":")[0] in _PLAIN | _WITH_VALUE for w in words)


def _word(text: str) -> str:
    """Return a directive in its plain spelling: no quotes, lower case, "no-ai" as "noai"."""
    word = text.strip(_QUOTES).lower()
    joined = word.replace("-", "").replace("_", "")
    return joined if joined in _AI_WORDS else word


def directives(value: str, agent: str = "") -> dict[str, tuple[str, ...]]:
    """Return the directives of a field value by lower-case agent token ("" is everybody).

    ``agent`` is whom the whole value is addressed to, as in a per-agent ``<meta>``. Directives
    are in plain spelling with their value: ``noai``, ``max-snippet:50``.
    """
    return {scope: tuple(said.words) for scope, said in _read_value(value, agent).items()}


def _read_value(value: str, agent: str) -> dict[str, _Said]:
    said: dict[str, _Said] = {}
    scope = agent.lower()
    for part in _SEPARATORS.split(value):
        for kind, text in _parts(part):
            if kind == "scope":
                scope = "" if text in _EVERYBODY else text
            else:
                _add(said.setdefault(scope, _Said()), text)
    return said


def _parts(part: str) -> Iterator[tuple[str, str]]:
    """Yield ("scope", agent) and ("word", directive) of one comma-separated member."""
    rest = part.strip().strip(_QUOTES)
    for _ in range(_COLONS_MAX):
        match = _SCOPE.match(rest)
        if not match:
            break
        name, rest = _word(match[1]), match[2].strip().strip(_QUOTES)
        if name in _WITH_VALUE:
            first, _, rest = rest.partition(" ")
            yield "word", f"{name}:{first.lower()}"
            break
        yield ("word" if name in _PLAIN else "scope"), name
    for word in rest.split():
        yield "word", _word(word)


def _add(said: _Said, word: str) -> None:
    name, _, value = word.partition(":")
    if name not in _PLAIN and name not in _WITH_VALUE:
        return  # the rest of a date, or a word nobody has defined
    said.words.append(word)
    if name == "max-snippet" and value.isascii() and value.isdigit() and int(value[:9]) == 0:
        name = "nosnippet"  # Google: max-snippet:0 is "equivalent to nosnippet"
    said.denied |= _DENIED.get(name, frozenset())


def _declarations(
    raw: bytes,
    source: Source,
    value: str,
    agent: str,
    *,
    lines: tuple[int, int],
    span: tuple[int, int] | None = None,
) -> Iterator[Declaration]:
    for scope, said in _read_value(value, agent).items():
        if said.denied:
            yield declare(
                _SPEC, raw, source, _readings(scope, said.denied, lines[0]),
                lines=lines, span=span, agents=(scope,) if scope else (),
                evidence={"directives": ", ".join(said.words)[:CONDITION_TEXT_MAX]},
            )  # fmt: skip


def _readings(agent: str, denied: set[Usage], line: int) -> tuple[Reading, ...]:
    """Return how a denial reads: plainly, or as one agent's own affair that may mean more.

    A denial to a known agent denies the usages that agent works for, as in robots.txt. What is
    said to an unknown agent, or beyond a known agent's purpose, holds for that agent alone in
    one reading; in the other it is meant for all, be it that the agent does such work, be it
    that a proxy has joined two fields with a comma (RFC 9110 section 5.3).
    """
    everybody = Reading((Statement(permit(denied, Permission.DENY), line=line),))
    own = not agent or agent == OWN_TOKEN.lower()
    certain = denied if own else denied & purposes(agent.partition("/")[0])
    if certain == denied:
        return (everybody,)
    alone = {usage: Permission.DENY if usage in certain else Permission.UNKNOWN for usage in denied}
    narrow = Statement(tuple(sorted(alone.items())), line=line)
    return (
        Reading((narrow,), note="holds for the named agent alone"),
        Reading(everybody.statements, note="the agent does such work, or two fields were joined"),
    )


SIGNAL = Signal(
    name="x_robots",
    title="X-Robots-Tag and robots meta",
    spec=_SPEC[1],
    spec_version=_SPEC[2],
    url="https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag",
    readers=((Resource.HTTP_HEADERS, read_headers), (Resource.HTML, read_page)),
)
