"""An HTML page as the few values permission signals stand in: metas, links, data scripts,
microdata and RDFa properties.

A reader of our own, over the tokens of html_tokens, because a permission must be seen exactly
where a browser or crawler sees it: not in comments, not in script text, but at any nesting depth.
One pass, linear time, no tree. `<noscript>` is read as markup, as crawlers without scripting read
it. The character encoding follows the WHATWG HTML Standard section 13.2.3.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar
from urllib.parse import urljoin

from tercet.consent.html_tokens import SPACES, Token, resolve_references, tokens
from tercet.core.limits import HTML_BYTES_MAX

_Kept = TypeVar("_Kept")

TEXT_CHARACTERS_MAX = 2_000  # kept of one property's text; "…" at its end tells of a cut
ELEMENTS_MAX = 50_000  # metas, links, scripts and properties kept of each kind
OPEN_TEXTS_MAX = 16  # properties whose text is collected at once: keeps nested ones linear
PATH_PARTS_MAX = 8


@dataclass(frozen=True, slots=True)
class Meta:
    """A ``<meta>``: ``name``, ``property`` and ``http_equiv`` in lower case, "" where absent."""

    name: str
    property: str
    http_equiv: str
    content: str
    line: int


@dataclass(frozen=True, slots=True)
class Link:
    """An element with ``rel`` and a target (link, a, area, or RDFa): tokens in lower case.

    ``about`` is the RDFa subject it speaks of; "" is the page itself.
    """

    rel: tuple[str, ...]
    href: str
    media_type: str
    tag: str
    line: int
    about: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """A data block: a ``<script>`` whose type is not JavaScript, e.g. application/ld+json."""

    media_type: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Property:
    """A microdata ``itemprop`` or an RDFa ``property``.

    ``path`` leads from the outermost item: "copyrightHolder.name". ``item_type`` is that item's
    type ("" for RDFa without one), ``item`` numbers the items of a page from 1 (0: no item).
    """

    vocabulary: str  # "microdata" or "rdfa"
    path: str
    value: str
    item_type: str
    item: int
    line: int
    about: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What `parse_page` found. ``fault`` says why the page was not read in full ("" when it was).

    ``base`` is the first ``<base href>``, unresolved; ``encoding`` the codec it was read with.
    """

    metas: tuple[Meta, ...]
    links: tuple[Link, ...]
    scripts: tuple[Script, ...]
    properties: tuple[Property, ...]
    base: str
    encoding: str
    fault: str = ""

    def resolve(self, href: str, uri: str) -> str:
        """Return ``href`` as an absolute URL on the page fetched from ``uri``; total."""
        try:
            return urljoin(urljoin(uri, self.base), href.strip(SPACES))
        except ValueError:
            return href


@lru_cache(maxsize=4)
def parse_page(raw: bytes, media_type: str = "") -> Page:
    """Return what stands in the HTML ``raw``; ``media_type`` may carry a charset. Total.

    Only the first HTML_BYTES_MAX bytes are read; ``Page.fault`` tells when there was more.
    """
    encoding = page_encoding(raw, media_type)
    text = raw[:HTML_BYTES_MAX].decode(encoding, errors="replace")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    builder = _Builder()
    for token in tokens(text):
        builder.take(token)
    builder.close_all()
    fault = "page too large" if len(raw) > HTML_BYTES_MAX else builder.fault
    return Page(
        metas=tuple(builder.metas),
        links=tuple(builder.links),
        scripts=tuple(builder.scripts),
        properties=tuple(builder.properties),
        base=builder.base,
        encoding=encoding,
        fault=fault,
    )


# ---- encoding (13.2.3) ----------------------------------------------------------------------

_CHARSET = re.compile(rb"charset[ \t\n\f\r]*=[ \t\n\f\r]*[\"']?([A-Za-z0-9_:.\-]{1,40})", re.I)
_PRESCAN_BYTES = 4096  # the standard asks for 1024; pages in the wild declare later
# Labels whose codec differs from Python's reading of the label (Encoding Standard section 4.2).
_LABELS = {
    "ascii": "cp1252", "us-ascii": "cp1252", "iso-8859-1": "cp1252", "iso8859-1": "cp1252",
    "latin1": "cp1252", "x-sjis": "cp932", "shift_jis": "cp932", "shift-jis": "cp932",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949", "iso-8859-9": "cp1254", "tis-620": "cp874",
}  # fmt: skip
# Never utf-7 or the byte-to-byte codecs: they would let markup hide from us, or raise.
_CODECS = re.compile(
    r"utf-8|cp(125[0-8]|874|932|949|866)|iso8859-\d+|koi8-[ru]|mac-roman|gb18030|big5(hkscs)?"
    r"|euc_jp|iso2022_jp\Z"
)


def page_encoding(raw: bytes, media_type: str = "") -> str:
    """Return the Python codec of a page: byte order mark, HTTP charset, meta, else a guess."""
    for mark, codec in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"),
                        (b"\xfe\xff", "utf-16-be")):  # fmt: skip
        if raw.startswith(mark):
            return codec
    match = _CHARSET.search(media_type.encode("utf-8", "replace")) or _CHARSET.search(
        raw[:_PRESCAN_BYTES]
    )
    codec = _codec(match[1].decode("ascii")) if match else ""
    return codec or _guess(raw)


def _codec(label: str) -> str:
    name = label.lower()
    try:
        found = codecs.lookup(_LABELS.get(name, name)).name
    except (LookupError, ValueError):
        return ""
    return found if _CODECS.fullmatch(found) else ""


def _guess(raw: bytes) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(raw[:HTML_BYTES_MAX], final=len(raw) <= HTML_BYTES_MAX)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


# ---- building the page ----------------------------------------------------------------------

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param",
     "source", "track", "wbr", "frame"}
)  # fmt: skip
_TARGETS = {
    "a": "href", "area": "href", "link": "href", "img": "src", "audio": "src", "video": "src",
    "embed": "src", "iframe": "src", "source": "src", "track": "src", "object": "data",
    "time": "datetime", "data": "value", "meter": "value",
}  # fmt: skip
_JAVASCRIPT = re.compile(
    r"(?:(?:text|application)/(?:x-)?(?:java|ecma|j|live)script[0-9.]*)?\Z|module\Z"
    r"|importmap\Z|speculationrules\Z"
)


@dataclass(slots=True)
class _Text:
    """The text of a property being collected until its element ends."""

    made: tuple[Property, ...]
    slot: int
    parts: list[str]
    characters: int = 0


@dataclass(slots=True)
class _Open:
    """An open element: the microdata item and the RDFa subject its content belongs to."""

    tag: str
    item: int
    item_type: str
    prefix: str
    about: str
    collects: bool = False


_ROOT = _Open("", 0, "", "", "")


class _Builder:
    def __init__(self) -> None:
        self.metas: list[Meta] = []
        self.links: list[Link] = []
        self.scripts: list[Script] = []
        self.properties: list[Property] = []
        self.base = ""
        self.fault = ""
        self._stack: list[_Open] = []
        self._open_tags: dict[str, int] = {}
        self._texts: list[_Text] = []
        self._items = 0

    def take(self, token: Token) -> None:
        if token.attributes is not None:
            self._start(token, token.attributes)
        elif token.tag:
            self._end(token.tag)
        else:
            self._text(token.text)

    def close_all(self) -> None:
        while self._stack:
            self._pop()

    def _start(self, token: Token, attributes: dict[str, str]) -> None:
        tag = token.tag
        outer = self._stack[-1] if self._stack else _ROOT
        about = attributes.get("about", outer.about)
        if tag == "meta":
            self._meta(attributes, token.line)
        elif tag == "base" and not self.base:
            self.base = attributes.get("href", "").strip(SPACES)
        elif tag == "script":
            self._script(token, attributes)
        if "rel" in attributes:
            self._link(tag, attributes, token.line, about)
        opened = _Open(tag, outer.item, outer.item_type, outer.prefix, about)
        if "itemprop" in attributes or "itemscope" in attributes or "property" in attributes:
            self._property(token, attributes, outer, opened)
        if tag in ("title", "textarea"):
            self._text(token.text)
        if tag not in _VOID:
            self._stack.append(opened)
            self._open_tags[tag] = self._open_tags.get(tag, 0) + 1

    def _meta(self, attributes: dict[str, str], line: int) -> None:
        meta = Meta(
            name=attributes.get("name", "").strip(SPACES).lower(),
            property=attributes.get("property", "").strip(SPACES).lower(),
            http_equiv=attributes.get("http-equiv", "").strip(SPACES).lower(),
            content=attributes.get("content", ""),
            line=line,
        )
        self._keep(self.metas, meta)

    def _link(self, tag: str, attributes: dict[str, str], line: int, about: str) -> None:
        href = next((attributes[k] for k in ("href", "resource", "src") if k in attributes), "")
        rel = tuple(attributes["rel"].lower().split())
        media_type = attributes.get("type", "").partition(";")[0].strip(SPACES).lower()
        if rel and href:
            self._keep(self.links, Link(rel, href.strip(SPACES), media_type, tag, line, about))

    def _script(self, token: Token, attributes: dict[str, str]) -> None:
        kind = attributes.get("type", "").partition(";")[0].strip(SPACES).lower()
        if not _JAVASCRIPT.match(kind):
            self._keep(self.scripts, Script(kind, token.text, token.line))

    def _property(
        self, token: Token, attributes: dict[str, str], outer: _Open, opened: _Open
    ) -> None:
        names = attributes.get("itemprop", "").split()[:PATH_PARTS_MAX]
        if "itemscope" in attributes:
            nested = bool(names) and outer.item > 0
            if not nested:
                self._items += 1
                opened.item, opened.prefix = self._items, ""
                opened.item_type = attributes.get("itemtype", "").strip(SPACES)
            elif outer.prefix.count(".") < PATH_PARTS_MAX:
                opened.prefix = f"{outer.prefix}{names[0][:80]}."
            names = []
        made = [
            Property("microdata", f"{outer.prefix}{name[:80]}", "", outer.item_type,
                     outer.item, token.line, opened.about)
            for name in names
        ]  # fmt: skip
        if token.tag != "meta" or "name" not in attributes:
            rdfa = attributes.get("property", "").split()[:PATH_PARTS_MAX]
            made += [
                Property("rdfa", name[:80], "", "", 0, token.line, opened.about) for name in rdfa
            ]
        if made:
            self._value(token, attributes, tuple(made), opened)

    def _value(
        self, token: Token, attributes: dict[str, str], made: tuple[Property, ...], opened: _Open
    ) -> None:
        target = "content" if "content" in attributes else _TARGETS.get(token.tag, "resource")
        slot = len(self.properties)
        for one in made:
            self._keep(self.properties, one)
        if len(self.properties) < slot + len(made):
            return
        text = _Text(made, slot, [])
        if target in attributes:
            text.parts.append(attributes[target][: TEXT_CHARACTERS_MAX + 1])
            self._fill(text)
        elif token.tag not in _VOID and len(self._texts) < OPEN_TEXTS_MAX:
            opened.collects = True
            self._texts.append(text)

    def _fill(self, text: _Text) -> None:
        whole = "".join(text.parts)
        value = " ".join(whole[:TEXT_CHARACTERS_MAX].split())
        if len(whole) > TEXT_CHARACTERS_MAX:
            value += "…"
        for index, one in enumerate(text.made):
            self.properties[text.slot + index] = Property(
                one.vocabulary, one.path, value, one.item_type, one.item, one.line, one.about
            )

    def _text(self, text: str) -> None:
        if not self._texts:
            return
        plain = resolve_references(text[: TEXT_CHARACTERS_MAX * 4])[: TEXT_CHARACTERS_MAX + 1]
        for one in self._texts:
            if one.characters <= TEXT_CHARACTERS_MAX:
                one.parts.append(plain)
                one.characters += len(plain)

    def _end(self, tag: str) -> None:
        if not self._open_tags.get(tag):
            return  # an end tag without its element
        while self._pop() != tag:
            continue

    def _pop(self) -> str:
        opened = self._stack.pop()
        self._open_tags[opened.tag] -= 1
        if opened.collects:
            self._fill(self._texts.pop())
        return opened.tag

    def _keep(self, kept: list[_Kept], one: _Kept) -> None:
        if len(kept) < ELEMENTS_MAX:
            kept.append(one)
        else:
            self.fault = "too many elements"
