"""Where the registry and the owner's key lie, and how to show what strangers wrote."""

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


def printable(text: str) -> str:
    """Return text of strangers fit for a terminal: control characters become escapes."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )
