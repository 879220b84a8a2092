"""Licence names, identifiers and URLs: which licence a text names, and whether it is certain.

Creative Commons licences and marks are recognised by rule (URLs of creativecommons.org, the
licences' own titles, SPDX identifiers); others by a dated table, licence_table.json. A free text
names a licence *with certainty* only when everything around the name is known boilerplate:
"not CC BY" and "CC BY except the photos" name a licence and grant nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from urllib.parse import urlsplit

from tercet.core.condition import ConditionKind
from tercet.core.limits import URL_BYTES_MAX

TEXT_CHARACTERS_MAX = 8_000  # a longer text is never certain

_ATTRIBUTION, _SHARE_ALIKE = ConditionKind.ATTRIBUTION, ConditionKind.SHARE_ALIKE
_PARTS = {
    "by": _ATTRIBUTION,
    "sa": _SHARE_ALIKE,
    "nc": ConditionKind.NON_COMMERCIAL,
    "nd": ConditionKind.NO_DERIVATIVES,
}
_ORDER = ("by", "nc", "nd", "sa")  # the order of SPDX identifiers
_CC_VERSIONS = frozenset({"1.0", "2.0", "2.1", "2.5", "3.0", "4.0"})


@dataclass(frozen=True, slots=True, order=True)
class Licence:
    """A licence by its SPDX identifier, with its conditions; none means free of conditions.

    ``grants`` is False for a licence that is known but permits too little to read as a grant.
    """

    licence_id: str
    conditions: tuple[ConditionKind, ...]
    url: str = ""
    grants: bool = True


@dataclass(frozen=True, slots=True)
class Naming:
    """What a text says of licences.

    ``certain``: nothing but the names and known boilerplate stands in it. ``reserved``: it
    reserves all rights. ``machine_use``: it speaks, in words no rule can read, against training
    or mining.
    """

    licences: tuple[Licence, ...]
    certain: bool
    reserved: bool = False
    machine_use: bool = False


PUBLIC_DOMAIN = Licence("public-domain", ())
_CC0 = Licence("CC0-1.0", (), "https://creativecommons.org/publicdomain/zero/1.0/")
_PDM = Licence("CC-PDM-1.0", (), "https://creativecommons.org/publicdomain/mark/1.0/")
_PDDC = Licence("CC-PDDC", (), "https://creativecommons.org/licenses/publicdomain/")


# ---- URLs -----------------------------------------------------------------------------------

_PORTS = frozenset(
    {"am", "ar", "at", "au", "az", "be", "bg", "br", "ca", "ch", "cl", "cn", "co", "cr",
     "cz", "de", "dk", "ec", "ee", "eg", "es", "fi", "fr", "ge", "gr", "gt", "hk", "hr",
     "hu", "ie", "igo", "il", "in", "it", "jp", "kr", "lu", "mk", "mt", "mx", "my", "ng",
     "nl", "no", "nz", "pe", "ph", "pl", "pr", "pt", "ro", "rs", "scotland", "se", "sg",
     "si", "th", "tw", "ua", "ug", "uk", "us", "ve", "vn", "za"}
)  # fmt: skip
_LEGAL_SUFFIX = (
    r"(?:(?:deed|legalcode)(?:\.[a-z]{2,3}(?:[-_][a-z]{2,8})?|\.txt|\.html|\.rdf)?|rdf)?"
)
_CC_PATH = re.compile(
    r"/licen[sc]es/((?:by|nc|nd|sa)(?:-(?:by|nc|nd|sa)){0,3})(?:/([0-9]\.[0-9]))?"
    rf"(?:/({'|'.join(sorted(_PORTS))}))?/?{_LEGAL_SUFFIX}/?\Z"
)
_CC_MARKS = (
    (re.compile(rf"/publicdomain/zero(?:/1\.0)?(?:/(?:us|scotland))?/?{_LEGAL_SUFFIX}/?\Z"), _CC0),
    (re.compile(rf"/publicdomain/mark(?:/1\.0)?/?{_LEGAL_SUFFIX}/?\Z"), _PDM),
    (re.compile(rf"/(?:licen[sc]es/publicdomain|publicdomain/certification)(?:/1\.0)?(?:/us)?/?"
                rf"{_LEGAL_SUFFIX}/?\Z"), _PDDC),
)  # fmt: skip
_CC_RETIRED = re.compile(r"/licen[sc]es/((?:nc-)?sampling\+?|devnations)/[0-9]\.[0-9]/")
_CC_HOSTS = frozenset({"creativecommons.org", "www.creativecommons.org"})
_DEDICATION_2004 = "web.resource.org/cc/publicdomain"
"""How the RDF of Creative Commons named its public domain dedication before 2008."""
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\@%<>\"^`{|}]")


def licence_of_url(url: str) -> Licence | None:
    """Return the licence whose text or deed ``url`` is, or None. Total.

    Only the licence body's own host counts: a URL elsewhere that merely contains
    "creativecommons.org" names nothing. The scheme may be http, https or left out.
    """
    text = url.strip()
    if len(text) > URL_BYTES_MAX or _FORBIDDEN.search(text):
        return None
    try:
        parts = urlsplit(text if "//" in text[:8] else f"//{text}")
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    if parts.scheme not in ("", "http", "https") or port not in (None, 80, 443):
        return None
    path = parts.path.lower()
    if host in _CC_HOSTS:
        return _cc_of_path(path)
    if host + path.rstrip("/") == _DEDICATION_2004:
        return _PDDC
    host = host.removeprefix("www.")
    if host == "spdx.org" and path.startswith("/licenses/"):
        name = path.removeprefix("/licenses/").removesuffix(".html").removesuffix(".json")
        return licence_of_id(name)
    return _table().by_url.get(host + path.rstrip("/"))


def _cc_of_path(path: str) -> Licence | None:
    for pattern, licence in _CC_MARKS:
        if pattern.match(path):
            return licence
    retired = _CC_RETIRED.match(path)
    if retired:
        return Licence(f"CC-{retired[1]}", (), f"https://creativecommons.org{path}", grants=False)
    match = _CC_PATH.match(path)
    return _cc(match[1].split("-"), match[2] or "", match[3] or "") if match else None


def _cc(parts: list[str], version: str, port: str = "") -> Licence | None:
    """Return the CC licence of these parts, or None where Creative Commons has no such licence."""
    if len(set(parts)) != len(parts) or {"nd", "sa"} <= set(parts):
        return None
    if version and version not in _CC_VERSIONS:
        return None
    if port and version == "4.0":
        return None  # version 4.0 has no ports
    if "by" not in parts and version != "1.0":
        return None  # only version 1.0 has licences without attribution
    code = "-".join(part for part in _ORDER if part in parts)
    name = "-".join(filter(None, ("CC", code.upper(), version, port.upper())))
    path = "/".join(filter(None, (code, version, port.lower())))
    conditions = tuple(_PARTS[part] for part in ("by", "sa", "nc", "nd") if part in parts)
    return Licence(name, conditions, f"https://creativecommons.org/licenses/{path}/")


# ---- identifiers ----------------------------------------------------------------------------

_CC_ID = re.compile(
    r"cc-((?:by|nc|nd|sa)(?:-(?:by|nc|nd|sa)){0,3})(?:-([0-9]\.[0-9]))?"
    rf"(?:-({'|'.join(sorted(_PORTS))}))?\Z"
)
_MARK_IDS = {
    "cc0-1.0": _CC0, "cc0": _CC0, "cc-zero": _CC0, "cc-0": _CC0, "cc-0-1.0": _CC0,
    "cc-pdm-1.0": _PDM, "cc-pdm": _PDM, "pdm": _PDM, "pdm-1.0": _PDM, "cc-pddc": _PDDC,
}  # fmt: skip


def licence_of_id(name: str) -> Licence | None:
    """Return the licence with the SPDX identifier ``name``, in any case, or None."""
    low = name.strip().lower()
    match = _CC_ID.match(low)
    if match:
        return _cc(match[1].split("-"), match[2] or "", match[3] or "")
    for suffix in ("-or-later", "-only", "+"):
        low = low.removesuffix(suffix)
    return _MARK_IDS.get(low) or _table().by_id.get(low)


@dataclass(frozen=True, slots=True)
class _Table:
    by_id: dict[str, Licence]
    by_url: dict[str, Licence]
    by_name: dict[str, Licence]
    names: re.Pattern[str]


@lru_cache(maxsize=1)
def _table() -> _Table:
    text = resources.files("tercet.consent").joinpath("licence_table.json").read_text("utf-8")
    by_id: dict[str, Licence] = {}
    by_url: dict[str, Licence] = {}
    by_name: dict[str, Licence] = {}
    ids: list[str] = []
    for entry in json.loads(text)["licences"]:
        conditions = tuple(ConditionKind(kind) for kind in entry["conditions"])
        urls = entry["urls"]
        licence = Licence(entry["id"], conditions, f"https://{urls[0]}" if urls else "")
        ids.append(re.escape(entry["id"]))
        by_id[entry["id"].lower()] = licence
        by_url |= {url.lower().rstrip("/"): licence for url in urls}
        by_name |= {name.lower(): licence for name in (*entry["names"], entry["id"])}
    # Identifiers inside a text count in their own spelling only: German has the word "mit".
    titles = [re.escape(name) for name in sorted(by_name, key=len, reverse=True) if " " in name]
    names = rf"(?<![\w-])(?:(?i:{'|'.join(titles)})|(?:{'|'.join(sorted(ids, key=len)[::-1])}))"
    suffix = r"(?:-or-later|-only|\+)?(?![\w-]|\.\d)"
    return _Table(by_id, by_url, by_name, re.compile(names + suffix))


# ---- free text ------------------------------------------------------------------------------

_URL = re.compile(r"(?i:https?://|(?<![\w.@/-])(?:www\.)?creativecommons\.org/)[^\s<>\"'“”]+")
_PORT_WORD = "|".join(sorted(port.upper() for port in _PORTS))
_VERSION = r"(?:[ -]?v?(?:ersion )?(?P<version>[0-9](?:\.[0-9])+))?(?![\w.]*[0-9])"
_TAIL = (
    r"(?:,? (?i:internationale?|internacional|internazionale|unported|generic|licen[sc]e|deed))*"
)
# "Attribution" in the names of the licences in other languages; their words for the other
# elements are not known here, so such a name stays uncertain.
_CC_BY_WORD = (
    r"(?:attribution|namensnennung|atribuci[óo]n|reconocimiento|paternit[ée]|attribuzione"
    r"|atribuiç[ãa]o|naamsvermelding|uznanie autorstwa|erkännande|navngivelse)"
)
_CC_SHORT = re.compile(
    r"(?<![\w-])(?i:cc[ -]?(?P<code>by(?:[ /-](?:nc|nd|sa)){0,3})" + _VERSION + r")"
    rf"(?:[ -](?P<port>{_PORT_WORD}))?(?![\w-])"
)
_CC_PART = r"(?:non[ -]?commercial|no[ -]?deriv(?:ative)?s?(?: works)?|share[ -]?alike)"
_CC_LONG = re.compile(
    rf"(?<![\w-])(?i:(?P<cc>creative commons[ :-]{{0,3}})?{_CC_BY_WORD}"
    rf"(?P<parts>(?:(?: - |[ ,/-]{{1,2}}){_CC_PART}){{0,3}})"
    r"(?:,? (?:public )?licen[sc]e)?" + _VERSION + r"(?P<tail>" + _TAIL + r"))(?![\w-])"
)
_CC_ZERO = re.compile(
    r"(?<![\w-])(?i:cc[ -]?(?:0|zero)|creative commons (?:zero|0))(?i:[ -]v?1\.0)?"
    r"(?i: universal)?(?i:,? ?\(?public domain dedication\)?)?(?![\w-]|\.[0-9])"
)
_MARK = re.compile(
    r"(?<![\w-])(?i:(?:cc[ -])?(?:creative commons )?public domain mark|cc[ -]pdm)"
    r"(?i:[ -]v?1\.0)?(?![\w-]|\.[0-9])"
)
_DOMAIN = re.compile(r"(?<![\w-])(?i:public[ -]domain)(?i: dedication)?(?![\w-])")
_RESERVED = re.compile(
    r"(?i:all rights (?:are )?reserved|tous droits r[ée]serv[ée]s|"
    r"alle rechte vorbehalten|todos los derechos reservados|tutti i diritti riservati)"
)
_NOTICE = re.compile(
    r"(?:(?i:(?:©|\(c\)|copyright)(?: ?(?:©|\(c\)))?),? ?"
    r"(?:[12][0-9]{3}(?: ?- ?[12][0-9]{3})?,? )?"
    # A year alone begins ID3's TCOP, in the form Creative Commons gave for it.
    r"|[12][0-9]{3} (?=[^|]{1,200}? (?i:licen[sc]ed to the public under )))"
    r"(?P<name>(?:(?:[A-Z][\w'-]*[.,;]?|de|van|von|der|la|of|the|and|et|al\.?|&) ){1,8}?)"
    r"(?=[|(]|- |(?i:cc|creative commons|licen[sc]ed? |this work |released under |https?://))"
)
# The form Creative Commons gave for ID3: "... licensed to the public under URL verify at URL".
_VERIFY = re.compile(r"(?i:,? verify at:? https?://[^\s<>\"]{1,300}\Z)")
_LABEL = re.compile(r"(?i:(?:licen[sc]e|rights|lizenz|licencia)) ?: ?")
_NARROWING = re.compile(
    r"(?i:\b(?:only|text|figures?|images?|photos?|some|parts?|everything|data|use|usage|uses"
    r"|requires?|needs?|personal|private|editorial|preview|sample|unless|if|until|after|before"
    r"|nicht|kein\w*|nur|ohne|pas|sans|sauf|seulement|sin|solo|salvo|excepto|senza|tranne|niet"
    r"|geen|alleen|n[ãa]o|sem|apenas|\w*[ck]omm?er[cz]\w*|redak\w*|[ée]ditori\w*)\b)"
)
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-") | {"\u00a0": " ", "\u202f": " "})
_WORD = re.compile(r"[^\W_]+")
_ALLOWED_MARKS = re.compile(r"[\w\s.,;:()\[\]/|'\"’“”©&<>-]*\Z")
# Words that change nothing.
_BOILERPLATE = frozenset(
    {"a", "an", "and", "are", "available", "c", "cc", "common", "commons", "copy", "creative",
     "dedicated", "deed", "distributed", "in", "international", "is", "lizenz",
     "lizenziert", "licence", "licenced", "licencia", "license", "licensed", "legalcode", "of",
     "or", "org", "please", "public", "published", "released", "sous", "bajo", "the", "this", "to",
     "under", "unported", "unter", "version", "view", "visit", "work", "works"}
)  # fmt: skip
_ADDRESS = re.compile(
    r"(?i:or,? send a letter to creative commons, (?:po box 1866, mountain view, ca 94042"
    r"|171 second street, suite 300, san francisco, california,? 94105"
    r"|444 castro street, suite 900, mountain view, california,? 94041"
    r"|543 howard street, 5th floor, san francisco, california,? 94105)(?:, usa)?)"
)
_SUBJECT = re.compile(
    r"(?i:(?<![\w-])this (?:image|photo|photograph|picture|video|article|document|file|content"
    r"|text|book|song|recording|page|site|website|dataset)(?![\w-]))"
)
_MACHINE = re.compile(
    r"(?i:artificial intelligence|machine[ -]learning|generative ai|data[ -]mining|\btdm\b|"
    r"\bai\b[ -](?:training|models?|systems?|purposes)|"
    r"\b(?:train|training|ai)\b.{0,40}\b(?:ai|models?)\b)"
)
_AGAINST = re.compile(
    r"(?i:\b(?:no|not|nor|without|never|cannot|may not|prohibit\w*|forbid\w*|forbidden|reserv\w*|"
    r"exclud\w*|except\w*|opt|restrict\w*|refus\w*|den(?:y|ied|ies))\b)"
)


def naming(text: str) -> Naming:
    """Return the licences that a free-text field names. Total, linear in the text."""
    return _short_naming(text) if len(text) <= _CACHED_CHARACTERS_MAX else _naming(text)


def _naming(text: str) -> Naming:
    cut = text[:TEXT_CHARACTERS_MAX].translate(_DASHES)
    whole = " ".join(cut.split())
    single = licence_of_id(whole.replace(" ", "-")) or _table().by_name.get(whole.lower())
    if single is not None:
        return Naming((single,), certain=True)
    found, rest = _mentions(_ADDRESS.sub(" ", _without_notice(whole)))
    reserved = _RESERVED.search(rest)
    if reserved:
        rest = _RESERVED.sub(" ", rest)
    certain = (
        bool(found)
        and len(text) <= TEXT_CHARACTERS_MAX
        and all(licence.grants for licence in found)
        and _only_boilerplate(rest)
    )
    return Naming(
        tuple(sorted(set(found))),
        certain,
        reserved=bool(reserved),
        machine_use=bool(_MACHINE.search(_URL.sub(" ", rest)) and _AGAINST.search(whole)),
    )


_CACHED_CHARACTERS_MAX = 200
_short_naming = lru_cache(maxsize=4096)(_naming)


def _mentions(text: str) -> tuple[list[Licence], str]:
    """Return the licences named, and the text without their names."""
    found: list[Licence] = []

    def keep(licence: Licence | None, match: re.Match[str]) -> str:
        if licence is None:
            return match[0]  # what is not understood stays, and makes the rest uncertain
        found.append(licence)
        return " "

    def url(match: re.Match[str]) -> str:
        whole = match[0].rstrip(".,;:)]")
        made = keep(licence_of_url(whole), match)
        return f" {match[0][len(whole) :]}" if made == " " else made

    rest = _URL.sub(url, text)
    rest = _CC_ZERO.sub(lambda match: keep(_CC0, match), rest)
    rest = _MARK.sub(lambda match: keep(_PDM, match), rest)
    rest = _CC_SHORT.sub(lambda match: keep(_short(match), match), rest)
    rest = _CC_LONG.sub(lambda match: keep(_long(match), match), rest)
    rest = _table().names.sub(lambda match: keep(_named(match[0]), match), rest)
    rest = _DOMAIN.sub(lambda match: keep(PUBLIC_DOMAIN, match), rest)
    return _merged(found), rest


def _short(match: re.Match[str]) -> Licence | None:
    return _cc(
        re.split(r"[ /-]", match["code"].lower()), match["version"] or "", match["port"] or ""
    )


def _long(match: re.Match[str]) -> Licence | None:
    titled = match["version"] and match["tail"].strip(" ,")
    if not match["cc"] and not titled:
        return None  # the word "attribution" alone names no licence
    low = match["parts"].lower()
    parts = ["by"]
    parts += [
        p for p, word in (("nc", "commercial"), ("nd", "deriv"), ("sa", "alike")) if word in low
    ]
    return _cc(parts, match["version"] or "")


def _named(name: str) -> Licence | None:
    return _table().by_name.get(name.lower()) or licence_of_id(name)


def _merged(found: list[Licence]) -> list[Licence]:
    """Drop names that only repeat another, less exactly: "CC BY" beside the URL of CC BY 4.0."""
    exact = {one for one in found if one.licence_id.split("-")[-1][:1].isdigit()}
    return [
        one
        for one in dict.fromkeys(found)
        if not any(other.licence_id.startswith(f"{one.licence_id}-") for other in exact - {one})
        and not (one is PUBLIC_DOMAIN and {_CC0, _PDM, _PDDC} & set(found))
    ]


def _without_notice(text: str) -> str:
    """Cut a leading copyright notice that only names its holder, or a label such as "License:"."""
    match = _NOTICE.match(text)
    if match and not (_AGAINST.search(match["name"]) or _NARROWING.search(match["name"])):
        text = text[match.end() :]
    label = _LABEL.match(text)
    return _VERIFY.sub("", text[label.end() :] if label else text)


def _only_boilerplate(rest: str) -> bool:
    if not _ALLOWED_MARKS.match(rest):
        return False
    rest = _SUBJECT.sub(" ", rest).lower().replace("some rights reserved", " ")
    return all(word in _BOILERPLATE for word in _WORD.findall(rest))
