"""HTML out of values: what is not already markup is escaped, whoever wrote it."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence

OUTSIDE_CHARACTERS_MAX = 300  # shown of a name or URL that strangers wrote
THIN_SPACE = "\u202f"
_JOINERS = "\u200c\u200d"  # zero-width, but letters of several scripts need them in prose
_VOID = frozenset({"meta", "br", "input"})


class Markup(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str) -> Markup:
    """Return one element; children that are not Markup are escaped, attributes always.

    ``class_`` gives ``class``; other underscores become hyphens.
    Empty attributes are left out.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{html.escape(plain(value))}"'
        for name, value in attributes.items()
        if value
    )
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{join(children)}</{tag}>")


def join(children: Iterable[str]) -> Markup:
    """Return ``children`` one after the other, escaped where they are not Markup."""
    return Markup(
        "".join(child if isinstance(child, Markup) else escape(child) for child in children)
    )


def escape(text: str) -> Markup:
    """Return prose as Markup."""
    return Markup(html.escape(plain(text)))


def prose(text: str) -> Markup:
    """Return our own words as Markup, with what stands between backticks as code."""
    parts = text.split("`")
    return join(
        element("code", part) if at % 2 and at < len(parts) - 1 else part
        for at, part in enumerate(parts)
    )


def plain(text: str) -> str:
    """Return ``text`` with characters that steer a terminal or the reading direction spelt out."""
    return "".join(_spelt(c) if _steers(c) else c for c in text)


def outside(text: str) -> Markup:
    """Return a name that strangers wrote: isolated, cut to a limit, nothing in it invisible."""
    cut = text[:OUTSIDE_CHARACTERS_MAX]
    seen = "".join(_spelt(c) if _steers(c) or c in _JOINERS or c in "\n\t" else c for c in cut)
    return element("bdi", seen + ("…" if len(text) > len(cut) else ""))


def link(url: str) -> Markup:
    """Return ``url`` as a link when it leads to the web, else as text."""
    safe = url.lower().startswith(("https://", "http://")) and not any(map(_steers, url))
    if not safe:
        return outside(url)
    return element("a", outside(url), href=url, rel="nofollow noopener noreferrer")


def _steers(character: str) -> bool:
    if character in _JOINERS or character in "\n\t":
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def _spelt(character: str) -> str:
    return f"\\u{{{ord(character):x}}}"


def number(count: int) -> str:
    """Return ``count`` in groups of three digits, held together by thin spaces."""
    return f"{count:,}".replace(",", THIN_SPACE)


def share(count: int, whole: int) -> str:
    """Return a percentage that never rounds something to nothing, nor a part to the whole."""
    if whole == 0 or count == 0:
        return f"0{THIN_SPACE}%"
    if count == whole:
        return f"100{THIN_SPACE}%"
    per_mille = round(count * 1000 / whole)
    if per_mille == 0:
        return f"<{THIN_SPACE}0.1{THIN_SPACE}%"
    if per_mille == 1000:
        return f">{THIN_SPACE}99.9{THIN_SPACE}%"
    return f"{per_mille // 10}.{per_mille % 10}{THIN_SPACE}%"


def size(count: int) -> str:
    """Return a number of bytes in the unit people use for it (1 MB = 1,000,000 bytes)."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            tenths = count * 10 // factor
            return f"{number(tenths // 10)}.{tenths % 10}{THIN_SPACE}{unit}"
    return f"{number(count)}{THIN_SPACE}bytes"


def plural(count: int, one: str, many: str = "") -> str:
    """Return ``count`` with its noun."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def table(
    caption: str,
    columns: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[str]],
    *,
    label: str,
) -> Markup:
    """Return a captioned table in a frame of its own that scrolls on narrow screens.

    ``columns`` are (heading, class); the first cell of a row is its heading. ``label`` names
    the frame for those who reach it by keyboard.
    """
    heads = [element("th", name, scope="col", class_=kind) for name, kind in columns]
    body = []
    for row in rows:
        first = element("th", row[0], scope="row", class_=columns[0][1])
        rest = [
            element("td", cell, class_=kind)
            for cell, (_, kind) in zip(row[1:], columns[1:], strict=True)
        ]
        body.append(element("tr", first, *rest))
    inner = element(
        "table",
        element("caption", element("span", caption)),
        element("thead", element("tr", *heads)),
        element("tbody", *body),
    )
    return element("div", inner, class_="frame", tabindex="0", role="region", aria_label=label)


def bar(parts: Sequence[tuple[str, int]], whole: int) -> Markup:
    """Return a small stacked bar of (class, count); the table beside it has the figures."""
    pieces, start = [], 0
    for kind, count in parts:
        if count:
            pieces.append(_piece(kind, start, count, whole))
            start += count
    return element("svg", *pieces, class_="bar", width="100%", height="12", aria_hidden="true")


def wide_bar(parts: Sequence[tuple[str, str, int]], whole: int) -> Markup:
    """Return the one large stacked bar of (class, name, count), with its words for who hears it."""
    said = ", ".join(f"{name} {share(count, whole)}" for _, name, count in parts)
    pieces, start = [], 0
    for kind, _, count in parts:
        if count:
            pieces.append(_piece(kind, start, count, whole, height=48))
            if count * 100 >= whole * 15:
                middle = percent(2 * start + count, 2 * whole)
                pieces.append(
                    element("text", share(count, whole), x=middle, y="30", text_anchor="middle")
                )
            start += count
    return element(
        "svg", *pieces, class_="wide", width="100%", height="48", role="img", aria_label=said
    )


def _piece(kind: str, start: int, count: int, whole: int, height: int = 12) -> Markup:
    return element(
        "rect",
        class_=kind, x=percent(start, whole), width=percent(count, whole), height=str(height),
    )  # fmt: skip


def percent(count: int, whole: int) -> str:
    """Return a length of an SVG in per cent, to a thousandth."""
    thousandths = count * 100_000 // whole if whole else 0
    return f"{thousandths // 1000}.{thousandths % 1000:03d}%"
