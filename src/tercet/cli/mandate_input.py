"""What the commands of mandates and letters read: usages, shares, lists of works, parcels."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tercet.core.errors import InputError
from tercet.core.limits import REPERTOIRE_BYTES_MAX

if TYPE_CHECKING:
    from tercet.consent.licences.repertoire import Repertoire
    from tercet.core.usage import Usage


def usages_of(texts: Iterable[str]) -> tuple[Usage, ...]:
    """Return usages by their names. Raises InputError."""
    from tercet.core.usage import Usage

    known = {str(usage): usage for usage in Usage}
    for text in texts:
        if text not in known:
            raise InputError(
                f"expected a usage, got {text[:60]!r}", hint=f"one of {', '.join(known)}"
            )
    return tuple(known[text] for text in texts)


def basis_points(percent: str) -> int:
    """Return a share in percent ("12.5") as basis points. Raises InputError."""
    try:
        points = Decimal(percent.strip().removesuffix("%")) * 100
    except InvalidOperation:
        points = Decimal(-1)
    if not (points.is_finite() and 0 <= points <= 10_000 and points == points.to_integral_value()):
        raise InputError(
            f"expected a share from 0 to 100 percent, got {percent[:40]!r}",
            hint="with at most two decimals, such as 12.5",
        )
    return int(points)


def read_works(path: Path) -> Repertoire:
    """Return the works that a file lists: a repertoire, or one work a line. Raises InputError."""
    from tercet.consent.licences.repertoire import HEADER, read_repertoire, repertoire_of

    raw = read_file(path, REPERTOIRE_BYTES_MAX)
    if raw.startswith(HEADER):
        return read_repertoire(raw)
    lines = raw.decode("utf-8-sig", "replace").splitlines()
    return repertoire_of(line.strip() for line in lines if line.strip())


def read_parcel(path: Path, *, bytes_max: int = 0) -> dict[str, Any]:
    """Return a JSON object that another party handed over. Raises InputError."""
    from tercet.core.strict_json import read_json_object
    from tercet.flows.mandate import PARCEL_BYTES_MAX

    limit = bytes_max or PARCEL_BYTES_MAX
    return read_json_object(read_file(path, limit), bytes_max=limit)


def read_file(path: Path, bytes_max: int) -> bytes:
    """Return a file of at most so many bytes. Raises InputError."""
    try:
        with path.open("rb") as file:
            raw = file.read(bytes_max + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if len(raw) > bytes_max:
        raise InputError(f"expected at most {bytes_max:,} bytes in {path}, got more")
    return raw
