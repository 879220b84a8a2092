"""One record of a text table made a row: the checks every format shares."""

from __future__ import annotations

import json
from typing import Any

from tercet.consent.corpora.cells import cut_item, headers_text
from tercet.consent.corpora.corpus import ColumnNames
from tercet.consent.corpora.faults import Fault
from tercet.consent.corpora.staging import Row
from tercet.core import limits


def fault_row(raw: bytes, fault: Fault) -> Row:
    """Return the row that says ``raw`` cannot be read; its item is ``raw`` as far as it is text."""
    if len(raw) > limits.URL_BYTES_MAX:
        return Row(cut_item(raw), fault=str(fault))
    return Row(raw.decode("utf-8", "replace"), fault=str(fault))


def url_fields(raw: bytes) -> tuple[str, str | None, str | None]:
    """Return item, url and fault for a URL given as bytes."""
    if len(raw) > limits.URL_BYTES_MAX:
        return cut_item(raw), None, str(Fault.URL_TOO_LONG)
    if not raw:
        return "", None, str(Fault.NO_URL)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace"), None, str(Fault.INVALID_UTF8)
    return (text, None, str(Fault.NUL_BYTE)) if "\0" in text else (text, text, None)


def url_row(raw: bytes) -> Row:
    """Return the row of a URL given as bytes, with a fault where it cannot be used as it is."""
    item, url, fault = url_fields(raw)
    return Row(item, url, fault=fault)


def truncated_row(torn: bytes) -> Row:
    """Return the row that stands for all that is missing after damage."""
    return fault_row(torn, Fault.TRUNCATED)


class RepeatedKeyError(ValueError):
    """A JSON object has the same key twice: which value counts is not known."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RepeatedKeyError("a key stands twice in one object")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def parsed(raw: bytes) -> dict[str, Any] | Fault:
    """Return the JSON object in ``raw``, or why there is none. Total."""
    if len(raw) > limits.ROW_BYTES_MAX:
        return Fault.ROW_TOO_LONG
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return Fault.INVALID_UTF8
    except (ValueError, RecursionError):
        return Fault.BAD_JSON
    return value if isinstance(value, dict) else Fault.NOT_AN_OBJECT


def object_row(record: dict[str, Any], names: ColumnNames) -> Row:
    """Return the row of a JSON object."""
    url = record.get(names.url)
    if url is None:
        row = Row("", fault=str(Fault.NO_URL))
    elif not isinstance(url, str):
        row = fault_row(_bytes(url), Fault.NOT_TEXT)
    else:
        row = url_row(url.encode("utf-8", "surrogatepass"))
    return with_fields(row, record, names)


def with_fields(row: Row, record: dict[str, Any], names: ColumnNames) -> Row:
    """Return ``row`` with the licence, headers and hash that ``record`` holds."""
    licence = record.get(names.licence) if names.licence else None
    headers = record.get(names.headers) if names.headers else None
    digest = record.get(names.sha256) if names.sha256 else None
    if licence is None and headers is None and digest is None:
        return row
    if digest is not None and not isinstance(digest, str):
        return row._replace(url=None, fault=row.fault or str(Fault.NOT_TEXT))
    if licence is not None and not isinstance(licence, str):
        licence = json.dumps(licence, ensure_ascii=False)
    if headers is not None and not isinstance(headers, str):
        headers = headers_text(headers) if isinstance(headers, dict | list) else _plain(headers)
    if not all(_is_unicode(each) for each in (licence, headers, digest) if each):
        return row._replace(url=None, fault=row.fault or str(Fault.INVALID_UTF8))
    return row._replace(licence=licence, headers=headers, sha256=digest)


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
