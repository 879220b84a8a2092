"""Bytes as text: UTF-8 and UTF-16 by what they are, older encodings by their commonest letters."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"(?i)(?:charset|encoding)\s*=\s*[\"']?\s*([a-z0-9_.:-]{2,40})")
_HEAD_BYTES = 2048
_GUESS_BYTES = 64 * 1024
_DAMAGE_MAX = 0.001  # of the bytes: a UTF-8 text with a few broken ones is still UTF-8
# For each encoding the letters its languages use most, outside of ASCII.
_COMMON = {
    "cp1252": "éèàêçâîôûùëïäöüßñóíáãåøæúõÉÈÀÄÖÜ’“”–—«»…",
    "cp1250": "áíéěščřžýůúółąęóżśćńźőűäöü„”–",
    "cp1251": "оеаинтсрвлкмдпуяыьгзбчйхОЕАИНТСРВЛКМДПУЯ«»–—",
    "koi8-r": "оеаинтсрвлкмдпуяыьгзбчйхОЕАИНТСРВЛКМДПУЯ",
    "cp1253": "αοιετσνρκπυμλςηωάίόέήύώ",
    "cp1254": "ışğüöçİŞĞÜÖÇ",
    "cp1255": "יוהלאמרתבנשדעקחפםטגסכצ",
    "cp1256": "اليمونرتبسعدهكفقحجشصخضطى",
    "cp1258": "đăâêôơưàáèéìíòóùúĐ\u0300\u0301\u0303\u0309\u0323",
    "cp874": "านรอกเงมยลวดทสตะปบคหแจพชขใไโ่้ีัิื็์ุู",
    "gb18030": "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得，。",
    "big5": "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得，。",
    "shift_jis": "のにはをたがでとしるれいかってすまこもなあきりさくよらんー、。",
    "euc_jp": "のにはをたがでとしるれいかってすまこもなあきりさくよらんー、。",
    "euc_kr": "이다는에의을를고하가은로한지도서기사어아리자나",
}


class Decoded(NamedTuple):
    """A text and the name of the encoding it was read in."""

    text: str
    encoding: str


def decoded(raw: bytes) -> Decoded:
    """Return ``raw`` as text. Total: what fits no encoding is read as Windows-1252.

    A byte order mark rules, then UTF-16 without a mark (by its zero bytes), then valid UTF-8,
    then the encoding a page or document declares, then the one whose commonest letters are there.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return Decoded(raw.decode(encoding, "replace"), encoding)
    encoding = _unmarked_utf_16(raw)
    if not encoding:
        try:
            return Decoded(raw.decode("utf-8"), "utf-8")
        except UnicodeDecodeError:
            encoding = _declared(raw) or _guessed(raw)
    return Decoded(raw.decode(encoding, "replace"), encoding)


def _unmarked_utf_16(raw: bytes) -> str:
    head = raw[:_HEAD_BYTES]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 < max(4, len(head)):  # half of one kind is zero in Latin text
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _declared(raw: bytes) -> str:
    found = _DECLARED.search(raw[:_HEAD_BYTES])
    if not found:
        return ""
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
        raw.decode(name)
    except (LookupError, ValueError):
        return ""
    return "cp1252" if name == "iso8859-1" else name  # as browsers do (WHATWG Encoding)


def _guessed(raw: bytes) -> str:
    sample = raw[:_GUESS_BYTES]
    if sample.decode("utf-8", "replace").count("\ufffd") <= _DAMAGE_MAX * len(sample) + 1:
        return "utf-8"
    return max(_COMMON, key=lambda encoding: _likeness(sample, encoding))


def _likeness(sample: bytes, encoding: str) -> float:
    """Return the share of non-ASCII characters that are common, less what cannot be decoded."""
    text = sample.decode(encoding, "replace")
    foreign = [letter for letter in text if letter > "\x7f"]
    common = set(_COMMON[encoding])
    good = sum(letter in common for letter in foreign)
    bad = sum(letter == "\ufffd" or "\x80" <= letter < "\xa0" for letter in foreign)
    return (good - 4 * bad) / max(1, len(foreign))
