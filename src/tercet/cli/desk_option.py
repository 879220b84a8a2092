"""The --desk option: one party's folder, with its key, its documents and its negotiations."""

from __future__ import annotations

from pathlib import Path

import click

desk_option = click.option(
    "--desk", "desk", type=click.Path(path_type=Path), help="Folder of the desk."
)


def desk_folder(asked: Path | None) -> Path:
    """Return the folder asked for, else `desk` beside the keys."""
    from tercet.store.keys import default_key_path

    return asked or default_key_path().with_name("desk")
