"""The RSL 1.0 document model: XML elements to values, with every deviation named.

    Document ──has──▶ Content (a scope: url, server ...) ──has──▶ License (one set of terms)

Two kinds of deviation are told apart. A *fault* makes the document non-conformant where terms
stand (an unknown RSL element, two ``permits`` of a type, an unknown word): it may deny, never
grant. A *defect* is a slip that changes no permission (a bad ``max-age``, a price that is no
number): it is kept as evidence.

Source: RSL-SPEC-1.0 sections 3.1 to 3.17 with errata up to 2026-08-07.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tercet.consent.plain_text import clean
from tercet.consent.xml_tree import Element, names, text_of
from tercet.core.limits import DECLARATIONS_MAX, XML_BYTES_MAX
from tercet.core.usage import AI_USAGES, ALL_USAGES, TRAINING, Usage

NAMESPACE = "https://rslstandard.org/rsl"
PRICE_NAMESPACE = "urn:tercet:rsl-price:1"
"""Of our extension `<price amount currency unit>` in a payment: units RSL has no word for.

RSL section 3.1 lets elements of other namespaces stand; who does not know them passes them over.
"""
LIST_CHARACTERS_MAX = 2 * XML_BYTES_MAX  # of all lists of a document together
MAX_AGE_DAYS = 30  # section 3.2: when max-age is absent

USAGE_WORDS: dict[str, frozenset[Usage]] = {
    "all": ALL_USAGES,
    "ai-all": AI_USAGES,
    "ai-train": TRAINING,
    "ai-input": frozenset({Usage.AI_INPUT}),
    "ai-index": frozenset({Usage.AI_INDEX}),
    "search": frozenset({Usage.SEARCH}),
}
"""Section 3.4.1.1. Mining as such is named by ``all`` only."""

DENIED_WORDS: dict[str, frozenset[Usage]] = USAGE_WORDS | {
    "train-ai": TRAINING,  # AIPREF's word, in RSL's own guide and in files in the wild
    "ai-training": TRAINING,
    "train": TRAINING,
    "training": TRAINING,
    "ai": AI_USAGES,
    "tdm": frozenset({Usage.MINE}) | TRAINING,
}
"""Words that deny; those RSL does not have never grant."""

PAYMENT_WORDS = frozenset({
    "purchase", "subscription", "training", "crawl", "use", "contribution", "attribution", "free",
})  # fmt: skip
LEGACY_PAYMENT_WORDS = {"inference": "use"}  # RSL 0.9

_ELEMENTS = frozenset({
    "rsl", "content", "license", "permits", "prohibits", "payment", "standard", "custom", "amount",
    "accepts", "reporting", "legal", "alternate", "schema", "copyright", "terms",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Payment:
    """One ``<payment>``: ``type`` "" when absent; ``amount`` and ``currency`` as written.

    ``unit`` is what one amount pays for where our extension says it, "" where ``type`` does.
    """

    type: str = ""
    standard: str = ""
    custom: str = ""
    amount: str = ""
    currency: str = ""
    accepts: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Classes:
    """The user or geo words one license permits (None: no list, so everybody) and prohibits."""

    permits: tuple[str, ...] | None = None
    prohibits: tuple[str, ...] = ()

    def admits_nobody(self) -> bool:
        """Return whether the permitted list is empty once the prohibited words are taken out."""
        return self.permits is not None and not set(self.permits) - set(self.prohibits)


@dataclass(frozen=True, slots=True)
class License:
    """One set of terms. ``permits`` is None without a list: then no usage is left out."""

    line: int
    permits: frozenset[Usage] | None = None
    prohibits: frozenset[Usage] = frozenset()
    users: Classes = Classes()
    places: Classes = Classes()
    payments: tuple[Payment, ...] = ()
    reporting: tuple[tuple[str, str], ...] = ()  # (endpoint or profile, wording)
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """One licensed scope; ``url`` is None when the required attribute is missing."""

    url: str | None
    line: int
    licenses: tuple[License, ...]
    server: str = ""
    encrypted: bool = False
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """All contents in document order, which carries no meaning (section 3.1.1)."""

    contents: tuple[Content, ...]
    max_age_days: int
    faults: tuple[str, ...]
    defects: tuple[str, ...]


@dataclass(slots=True)
class _Notes:
    """Deviations met while reading, each kept once, in order."""

    faults: dict[str, None] = field(default_factory=dict)
    defects: dict[str, None] = field(default_factory=dict)
    characters_left: int = LIST_CHARACTERS_MAX
    licenses_left: int = DECLARATIONS_MAX

    def fault(self, text: str) -> None:
        if len(self.faults) < 20:
            self.faults[clean(text, 200)] = None

    def defect(self, text: str) -> None:
        if len(self.defects) < 20:
            self.defects[clean(text, 200)] = None


def read_document(root: Element) -> Document | None:
    """Return the RSL terms anywhere under ``root``, or None when there are none.

    Finds a standalone document, a document inside XMP, an EPUB package or a page, and the
    ``content`` elements of an RSS feed alike.
    """
    notes = _Notes()
    roots: list[Element] = []
    contents: list[Element] = []
    stray: list[Element] = []
    spaces = _spaces_of(root)
    for element in root.iter():
        namespace, local = names(element)
        if not local or not _speaks_rsl(namespace, spaces):
            continue
        _check_name(namespace, local, notes)
        if local == "rsl":
            roots.append(element)
        elif local == "content":
            contents.append(element)
        elif local == "license" and not _inside(element, "content"):
            stray.append(element)
    if not roots and not contents and not stray:
        return None
    read = [_content(element, notes) for element in contents[:DECLARATIONS_MAX]]
    if stray:
        notes.fault("a license outside content")
        licenses = tuple(_license(element, notes) for element in stray[:DECLARATIONS_MAX])
        read.append(Content(None, _line(stray[0]), licenses))
    if len(contents) > DECLARATIONS_MAX or len(stray) > DECLARATIONS_MAX:
        notes.fault("more contents than the limit")
    if not read:
        notes.fault("no content element")
    return Document(
        tuple(read), _max_age_days(roots, notes), tuple(notes.faults), tuple(notes.defects)
    )


def _spaces_of(root: Element) -> frozenset[str]:
    """Return the namespaces to read: RSL's, and whatever the root of an ``<rsl>`` file is in."""
    namespace, local = names(root)
    return frozenset({NAMESPACE, namespace} if local == "rsl" else {NAMESPACE})


def _speaks_rsl(namespace: str, spaces: frozenset[str]) -> bool:
    # Wrong namespaces in the wild: http for https, a trailing slash, none at all.
    return namespace in spaces or "rslstandard.org/rsl" in namespace.lower()


def _check_name(namespace: str, local: str, notes: _Notes) -> None:
    if namespace != NAMESPACE:
        notes.fault("not in the RSL namespace")
    if local not in _ELEMENTS:
        notes.fault(f"unknown RSL element {local}")


def _inside(element: Element, local: str) -> bool:
    parent = element.getparent()
    return parent is not None and names(parent)[1] == local


def _line(element: Element) -> int:
    return int(element.sourceline or 0)


def _max_age_days(roots: list[Element], notes: _Notes) -> int:
    ages: list[int] = []
    for root in roots:
        text = root.get("max-age")
        if text is None:
            continue
        digits = text.strip()
        if digits.isascii() and digits.isdigit() and 0 < len(digits) < 7 and int(digits) > 0:
            ages.append(int(digits))
        else:
            notes.defect(f"max-age is not a positive number of days: {text}")
    return min(ages, default=MAX_AGE_DAYS)


def _children(element: Element) -> Iterator[tuple[str, Element]]:
    """Yield RSL children; elements of other namespaces are extensions and left out (3.1)."""
    spaces = frozenset({NAMESPACE, names(element)[0]})
    for child in element:
        namespace, local = names(child)
        if local and _speaks_rsl(namespace, spaces):
            yield local, child


def _content(element: Element, notes: _Notes) -> Content:
    url = element.get("url")
    if url is None:
        notes.fault("a content without url")
    licenses: list[License] = []
    facts: list[tuple[str, str]] = []
    for local, child in _children(element):
        if notes.licenses_left <= 0:
            notes.fault("more licenses than the limit")
            break
        if local == "license":
            licenses.append(_license(child, notes))
        elif local in ("permits", "prohibits", "payment"):
            notes.fault(f"{local} outside a license")
            licenses.append(_read_license(_line(child), [(local, child)], notes))
        elif local in ("copyright", "terms", "schema", "alternate"):
            facts.extend(_content_facts(local, child))
    server = clean(element.get("server", ""))
    encrypted = element.get("encrypted", "false").strip().lower() in ("true", "1")
    if server:
        facts.append(("server", server))
    if element.get("lastmod"):
        facts.append(("lastmod", clean(element.get("lastmod"), 100)))
    if encrypted:
        facts.append(("encrypted", "true"))
    return Content(
        None if url is None else clean(url),
        _line(element), tuple(licenses), server, encrypted, tuple(facts),
    )  # fmt: skip


def _content_facts(local: str, child: Element) -> Iterator[tuple[str, str]]:
    text = clean(text_of(child, 2_000), 500)
    if local == "terms":
        yield "terms_url", text
    elif local == "copyright":
        yield "copyright_holder", text
        for key, name in (("type", "copyright_type"), ("contactEmail", "copyright_email"),
                          ("contactUrl", "copyright_url")):  # fmt: skip
            if child.get(key):
                yield name, clean(child.get(key), 500)
    elif text:
        yield local, text


def _license(element: Element, notes: _Notes) -> License:
    return _read_license(_line(element), list(_children(element)), notes)


def _read_license(line: int, children: list[tuple[str, Element]], notes: _Notes) -> License:
    notes.licenses_left -= 1
    lists: dict[tuple[str, str], list[str]] = {}
    payments: list[Payment] = []
    reporting: list[tuple[str, str]] = []
    facts: list[tuple[str, str]] = []
    for local, child in children:
        if local in ("permits", "prohibits"):
            key = (local, _list_type(local, child, notes))
            if key in lists:
                notes.fault(f"more than one {local} of type {key[1]} in a license")
            lists.setdefault(key, []).extend(_words(child, notes))
        elif local == "payment":
            payments.append(_payment(child, notes))
        elif local == "reporting":
            reporting.append(_reporting(child, notes))
        elif local == "legal":
            facts.append(
                (f"legal_{clean(child.get('type', ''), 40)}", clean(text_of(child, 2_000), 500))
            )
    if len(payments) > 1:
        notes.fault("more than one payment in a license")
    permits = lists.get(("permits", "usage"))
    return License(
        line=line,
        permits=None if permits is None else _usages(permits, USAGE_WORDS, "permits", notes),
        prohibits=_usages(lists.get(("prohibits", "usage"), []), DENIED_WORDS, "prohibits", notes),
        users=_classes(lists, "user"),
        places=_classes(lists, "geo"),
        payments=tuple(payments),
        reporting=tuple(reporting),
        facts=tuple(facts),
    )


def _list_type(local: str, child: Element, notes: _Notes) -> str:
    kind = child.get("type")
    if kind in ("usage", "user", "geo"):
        return str(kind)
    lowered = (kind or "usage").strip().lower()
    notes.fault(f"{local} without a valid type")
    return lowered if lowered in ("user", "geo") else "usage"


def _words(child: Element, notes: _Notes) -> list[str]:
    """Return the different words of a list; lists nested in lists share one budget."""
    text = text_of(child, notes.characters_left)
    notes.characters_left -= len(text)
    if notes.characters_left <= 0:
        notes.fault("longer lists than the limit")
    if "," in text:
        notes.defect("a list with commas, as in RSL 0.9")
    words = list(dict.fromkeys(text.replace(",", " ").split()))
    if not words:
        notes.fault("an empty list")
    return words


def _usages(
    words: list[str], known: dict[str, frozenset[Usage]], where: str, notes: _Notes
) -> frozenset[Usage]:
    """Join the usages of ``words``. Words of a namespace (``prefix:word``) are extensions."""
    joined: frozenset[Usage] = frozenset()
    for word in words:
        if where == "prohibits" and word.lower() in known:
            joined |= known[word.lower()]
        elif word in known:
            joined |= known[word]
        elif ":" not in word:
            notes.fault(f"unknown usage {word[:40]} in {where}")
    return joined


def _classes(lists: dict[tuple[str, str], list[str]], kind: str) -> Classes:
    permits = lists.get(("permits", kind))
    prohibits = lists.get(("prohibits", kind), [])
    cut = [clean(word, 40) for word in permits[:300]] if permits is not None else None
    return Classes(
        None if cut is None else tuple(dict.fromkeys(cut)),
        tuple(dict.fromkeys(clean(word, 40) for word in prohibits[:300])),
    )


def _payment(element: Element, notes: _Notes) -> Payment:
    kind = element.get("type", "").strip().lower()
    kind = LEGACY_PAYMENT_WORDS.get(kind, kind)
    if kind and kind not in PAYMENT_WORDS:
        notes.fault(f"unknown payment type {kind[:40]}")
    found: dict[str, str] = {}
    for local, child in _children(element):
        if local in found:
            notes.fault(f"more than one {local} in a payment")
            continue
        found[local] = clean(text_of(child, 8_000))
        if local == "amount":
            found["currency"] = clean(child.get("currency", ""), 20)
        elif local == "accepts":
            found["accepts"] = clean(child.get("type", ""), 200)
    if "amount" not in found:
        found |= _own_price(element)
    return Payment(
        clean(kind, 40), found.get("standard", ""), found.get("custom", ""),
        found.get("amount", "")[:60], found.get("currency", ""), found.get("accepts", ""),
        found.get("unit", ""),
    )  # fmt: skip


def _own_price(element: Element) -> dict[str, str]:
    """Return what our extension says of the price; an ``<amount>`` of RSL's own comes first."""
    for child in element:
        if names(child) == (PRICE_NAMESPACE, "price"):
            return {name: clean(child.get(name, ""), 60) for name in ("amount", "currency", "unit")}
    return {}


def _reporting(element: Element, notes: _Notes) -> tuple[str, str]:
    profile = clean(element.get("profile", ""), 500)
    if not profile:
        notes.defect("reporting without a profile")
    endpoint = clean(element.get("endpoint", ""), 500)
    kind = clean(element.get("type", ""), 40)
    return endpoint or profile, f"{kind} {profile}".strip()
