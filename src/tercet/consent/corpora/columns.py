"""Which column of a table is the URL, the licence, the headers, the hash."""

from __future__ import annotations

from collections.abc import Sequence

from tercet.consent.corpora.corpus import ColumnNames
from tercet.core.errors import InputError

URL_NAMES = (
    "url", "uri", "link", "href", "image_url", "video_url", "audio_url", "source_url",
    "content_url", "media_url", "file_url",
)  # fmt: skip
LICENCE_NAMES = (
    "license", "licence", "rights", "license_url", "licence_url", "license_name",
    "usage_terms", "usageterms", "copyright_notice",
)  # fmt: skip
HEADERS_NAMES = ("headers", "response_headers", "http_headers")
SHA256_NAMES = ("sha256",)
_SHOWN_MAX = 40


def find_columns(
    found: Sequence[str], asked: ColumnNames, where: str, *, need_url: bool = True
) -> ColumnNames:
    """Return the columns of ``found`` to read, or raise InputError naming the candidates.

    A name ``asked`` for must exist exactly; otherwise well-known names are looked for, whatever
    their case. Several candidates are an error, because reading one of two licence columns
    could miss a denial.
    """
    url = _pick(found, asked.url, URL_NAMES, "url", where)
    if not url and need_url:
        raise InputError(
            f"no URL column in {where}; its columns are {shown(found)}",
            hint="name it with --url-column",
        )
    return ColumnNames(
        url,
        _pick(found, asked.licence, LICENCE_NAMES, "licence", where),
        _pick(found, asked.headers, HEADERS_NAMES, "headers", where),
        _pick(found, asked.sha256, SHA256_NAMES, "sha256", where),
    )


def shown(names: Sequence[str]) -> str:
    """Return column names as people read them, cut to a sensible number."""
    rest = f" and {len(names) - _SHOWN_MAX} more" if len(names) > _SHOWN_MAX else ""
    return ", ".join(repr(name[:80]) for name in names[:_SHOWN_MAX]) + rest


def _pick(found: Sequence[str], asked: str, known: Sequence[str], role: str, where: str) -> str:
    if asked:
        candidates = [name for name in found if name == asked]
        if not candidates:
            raise InputError(
                f"no column {asked!r} in {where}; its columns are {shown(found)}",
                hint=f"give an existing column to --{role}-column",
            )
    else:
        candidates = [name for name in found if name.strip().lower() in known]
    if len(candidates) > 1:
        raise InputError(
            f"{len(candidates)} columns of {where} could be the {role}: {shown(candidates)}",
            hint=f"choose one with --{role}-column",
        )
    return candidates[0] if candidates else ""
