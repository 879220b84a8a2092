"""The engines by name: each is imported only when it is asked for. A new one is a file and a line.

An engine's module has a function `open_engine(source) -> Engine`: ``source`` is what stands behind
`--model` (a name, a folder, an address), empty for the engine's own default. The options that its
entry names, such as ``device``, are handed to it by keyword where they were given.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from tercet.core.errors import InputError, RefusedError
from tercet.studio.engines.engine import Engine, Rights

HOUSE_MODEL = "house"


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """An engine that may be asked for: its module, what it does, what it needs installed."""

    module: str
    summary: str
    extra: str
    may_be_cleared: bool
    options: tuple[str, ...] = ()


ENGINES = {
    "house": EngineEntry(
        "tercet.studio.engines.house",
        "a model trained from scratch on cleared works only",
        "studio",
        may_be_cleared=True,
    ),
    "compose": EngineEntry(
        "tercet.studio.engines.compose",
        "cut-out animation built from cleared works, not generated",
        "",
        may_be_cleared=True,
    ),
    "diffusers": EngineEntry(
        "tercet.studio.engines.diffusers",
        "a text-to-video pipeline of diffusers from a local folder; base model: rights unknown",
        "diffusers",
        may_be_cleared=False,
        options=("lora", "device"),
    ),
    "remote": EngineEntry(
        "tercet.studio.engines.remote",
        "another server that speaks /v1/videos; base model: rights unknown",
        "",
        may_be_cleared=False,
    ),
}


def engine_entry(name: str) -> EngineEntry:
    """Return the entry of an engine. Raises InputError, with near names, for an unknown one."""
    if name in ENGINES:
        return ENGINES[name]
    near = get_close_matches(name, ENGINES, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(
        f"there is no engine {name[:80]!r}", hint=f"{hint}engines: {', '.join(ENGINES)}"
    )


def open_engine(name: str, source: str = "", **options: str) -> Engine:
    """Return the engine called ``name``, with the model at ``source``; empty options are left out.

    Raises InputError for an unknown engine, a model that is not there, an option that the engine
    does not take, or libraries that are not installed; RefusedError for an engine that claims
    cleared works and may not.
    """
    entry = engine_entry(name)
    given = {option: value for option, value in options.items() if value}
    for option in given:
        if option not in entry.options:
            raise InputError(f"the engine {name} takes no {option}", hint=f"leave out --{option}")
    try:
        module = import_module(entry.module)
        engine: Engine = module.open_engine(source, **given)
    except ModuleNotFoundError as error:
        if not entry.extra or (error.name or "").startswith("tercet."):
            raise
        raise InputError(
            f"the engine {name} needs {error.name}, which is not installed",
            hint=f"pip install 'tercet[{entry.extra}]'",
        ) from error
    return checked_rights(engine, may_be_cleared=entry.may_be_cleared)


def checked_rights(engine: Engine, *, may_be_cleared: bool) -> Engine:
    """Return ``engine`` as it is, unless it claims more than it may. Raises RefusedError."""
    if engine.rights is Rights.UNKNOWN or (may_be_cleared and engine.rights is Rights.CLEARED):
        return engine
    raise RefusedError(
        f"the engine {engine.name} may not claim: {engine.rights}",
        hint="only engines whose every work is on record may",
    )


def model_folder(name: str = HOUSE_MODEL) -> Path:
    """Return the folder of a model: one that was shipped, by its name, or any other by its path.

    Raises InputError where there is none.
    """
    shipped = [folder for folder in _shipped_folders() if folder.is_dir()]
    if name and "/" not in name and not name.startswith("."):
        for folder in shipped:
            if (folder / name).is_dir():
                return folder / name
    if name and Path(name).is_dir():
        return Path(name)
    known = sorted(each.name for folder in shipped for each in folder.iterdir() if each.is_dir())
    raise InputError(
        f"there is no model {name!r}",
        hint=f"shipped models: {', '.join(known) or 'none'}; or give the path of a model's folder",
    )


def _shipped_folders() -> tuple[Path, Path]:
    """Return where models lie: inside the installed package, and in the source tree."""
    package = Path(__file__).resolve().parents[2]
    return package / "_models", package.parents[1] / "models"
