"""Where the registry and the owner's key lie, when no option says so."""

from __future__ import annotations

from pathlib import Path


def registry_folder(asked: Path | None) -> Path:
    """Return the folder asked for, else `registry` beside the keys."""
    from tercet.store.keys import default_key_path

    return asked or default_key_path().with_name("registry")


def owner_key_path() -> Path:
    """Return where the owner's key lies: `owner.key` beside the operator's."""
    from tercet.store.keys import default_key_path

    return default_key_path().with_name("owner.key")
