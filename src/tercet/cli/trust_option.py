"""--trust by name: the id of a party that the desk knows stands for its keys."""

from __future__ import annotations

import base64
from pathlib import Path

from tercet.core.errors import InputError

_PARTY = "urn:tercet:party:"


def keys_named(given: tuple[str, ...], desk: Path | None) -> tuple[str, ...]:
    """Return what was given to --trust, each party's id replaced by its current keys (Base64).

    Raises InputError for a party without a --desk that knows it.
    """
    parties = [text for text in given if text.startswith(_PARTY)]
    keys = [text for text in given if not text.startswith(_PARTY)]
    if parties and desk is None:
        raise InputError(
            f"expected a desk that knows {parties[0][:40]}", hint="give --desk, or the public key"
        )
    if desk is not None:
        keys += [key for party in parties for key in _keys_of(desk, party)]
    return tuple(keys)


def _keys_of(desk: Path, party: str) -> list[str]:
    from tercet.store.desk import Desk

    store = Desk.open(desk)
    try:
        current = store.party_history(party).latest.current_keys
    finally:
        store.close()
    return [base64.b64encode(key.public_raw).decode() for key in current]
