"""Rows of a table that name local files: a ``path`` from the table's own folder, with its SHA-256.

The table's digest stands in the clearance, so the SHA-256 in a row binds the bytes of its file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tercet.consent.corpora.columns import URL_NAMES
from tercet.consent.corpora.corpus import ColumnNames
from tercet.consent.corpora.digests import file_sha256
from tercet.consent.corpora.faults import Fault
from tercet.consent.corpora.records import with_fields
from tercet.consent.corpora.staging import Row
from tercet.core import limits
from tercet.core.errors import InputError

PATH_KEY = "path"


def names_local_files(keys: Iterable[str], asked: ColumnNames) -> bool:
    """Say whether objects with these keys name local files: they have a path, and no URL."""
    found = set(keys)
    has_url = any(key.strip().lower() in URL_NAMES for key in found)
    return PATH_KEY in found and not has_url and not asked.url


def local_row(record: dict[str, Any], names: ColumnNames, folder: Path) -> Row:
    """Return the row of an object that names a file below ``folder``. Reads all its bytes.

    A file that is missing, lies elsewhere, or has other bytes than its SHA-256 tells is a row
    with a fault.
    """
    path = record.get(PATH_KEY)
    if path is None or path == "":
        return Row("", fault=str(Fault.NO_PATH))
    if not isinstance(path, str):
        return Row(str(path)[: limits.URL_BYTES_MAX], fault=str(Fault.NOT_TEXT))
    item = path.encode("utf-8", "replace").decode()[: limits.URL_BYTES_MAX]
    where, fault = _place(path, folder)
    if fault is not None:
        return Row(item, fault=str(fault))
    row = with_fields(Row(item), record, names)
    fault = None if row.fault else _digest_fault(where, row.sha256)
    if row.fault or fault:
        return Row(item, fault=row.fault or str(fault))
    return row._replace(path=where, offset=0, size=os.path.getsize(where), sidecars=[])


def _place(path: str, folder: Path) -> tuple[str, Fault | None]:
    """Return where the file lies, and what is wrong with that."""
    if "\0" in path or len(path) > limits.URL_BYTES_MAX:
        return "", Fault.BAD_NAME
    try:
        path.encode()
        root = os.path.realpath(folder)
        where = os.path.realpath(os.path.join(root, path))
    except (UnicodeEncodeError, OSError, ValueError):
        return "", Fault.BAD_NAME
    if os.path.isabs(path) or ".." in path.split("/"):
        return "", Fault.BAD_NAME
    if not where.startswith(root.rstrip(os.sep) + os.sep):
        return "", Fault.LINK_OUTSIDE
    return (where, None) if os.path.isfile(where) else ("", Fault.UNREADABLE)


def _digest_fault(where: str, expected: str | None) -> Fault | None:
    if not expected:
        return Fault.NO_DIGEST
    try:
        found = file_sha256(where)
    except InputError:
        return Fault.UNREADABLE
    return None if found == expected else Fault.DIGEST_DIFFERS
