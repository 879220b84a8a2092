"""The lists of works behind a negotiation: had, or fetched from the other side, and read."""

from __future__ import annotations

from pathlib import Path

from tercet.consent.licences.repertoire import Repertoire, RepertoireSwappedError, read_repertoire
from tercet.core.errors import InputError, MissingError
from tercet.core.limits import REPERTOIRE_BYTES_MAX
from tercet.core.terms import RepertoireName
from tercet.flows.desk import OpenDesk
from tercet.flows.license_post import FILE_SCHEME, send
from tercet.flows.repertoire_check import check_registered

FETCH_BYTES_MAX = min(256 * 1024 * 1024, REPERTOIRE_BYTES_MAX)  # held in memory while it comes
FETCH_TIMEOUT_S = 300.0


def need_repertoire(desk: OpenDesk, named: RepertoireName, address: str) -> Repertoire:
    """Return the list that terms name, fetched from ``address`` where it is not here yet.

    Raises MissingError where it cannot be had, RepertoireError for what is no list,
    RepertoireSwappedError where it is another one or of another length.
    """
    try:
        raw = desk.store.repertoires.read(named.sha256)
    except MissingError:
        raw = _fetched(desk, named.sha256, address)
    found = read_repertoire(raw, named.sha256)
    if found.work_count != named.work_count:
        raise RepertoireSwappedError(
            f"expected {named.work_count:,} works, as the terms say, got {found.work_count:,}",
            hint="do not sign: ask for terms that count the works right",
        )
    desk.store.repertoires.add(raw, desk.clock())
    return found


def _fetched(desk: OpenDesk, sha256: str, address: str) -> bytes:
    if address.startswith(FILE_SCHEME):
        if not desk.allow_folders:
            raise MissingError("a server reads no list of works from a folder")
        return _from_folder(Path(address.removeprefix(FILE_SCHEME)), sha256)
    reply = send(
        "GET", f"{address}/repertoires/{sha256}", allow_local=desk.allow_local,
        bytes_max=FETCH_BYTES_MAX, timeout_s=FETCH_TIMEOUT_S,
    )  # fmt: skip
    if not reply.is_good:
        raise MissingError(
            f"cannot fetch the list of works {sha256} from {address}: {reply.note or reply.status}",
            hint="ask the other party for the file, and put it in with `tercet desk works FILE`",
        )
    return reply.body


def _from_folder(folder: Path, sha256: str) -> bytes:
    from tercet.store.desk import Desk

    return Desk.open(folder).repertoires.read(sha256)


def take_repertoire(desk: OpenDesk, path: Path, *, registry: Path | None = None) -> Repertoire:
    """Keep a list of works from a file; with ``registry``, only where it knows each of them.

    Raises InputError, and UnknownWorkError with the first line that is not known.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    found = read_repertoire(raw)
    if registry is not None:
        check_registered(found, registry)
    desk.store.repertoires.add(raw, desk.clock())
    return found
