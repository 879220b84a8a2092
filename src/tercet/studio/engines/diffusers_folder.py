"""A pipeline's folder looked at before any library opens it: what is in it may be anybody's."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from tercet.core.errors import InputError

_INDEX = "model_index.json"
_INDEX_BYTES_MAX = 1024 * 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")
_CHUNK_BYTES = 1024 * 1024
_HINT = "give the folder of a pipeline as diffusers saves it, with a model_index.json"


def checked_folder(source: str) -> tuple[Path, str]:
    """Return the folder and the class of the pipeline in it.

    Raises InputError where it is none, names code of its own, or a library other than diffusers
    and transformers for a component.
    """
    if not source:
        raise InputError("the engine diffusers needs a model", hint=f"--model DIR: {_HINT}")
    folder = Path(source)
    index = folder / _INDEX
    if not index.is_file() or index.stat().st_size > _INDEX_BYTES_MAX:
        raise InputError(f"there is no pipeline in {source}", hint=_HINT)
    try:
        document = json.loads(index.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{index} is not JSON: {error}", hint=_HINT) from error
    class_name = document.get("_class_name") if isinstance(document, dict) else None
    if not isinstance(class_name, str) or not _NAME.match(class_name):
        raise InputError(f"{index} names no class of diffusers", hint=_HINT)
    for component, value in document.items():
        if isinstance(value, list):
            _check_component(str(component), value)
    code = next(folder.rglob("*.py"), None)
    if code is not None:
        raise InputError(
            f"{folder} holds code of its own ({code.name}), which is never run",
            hint="a pipeline that is part of diffusers needs none: remove it",
        )
    return folder, class_name


def _check_component(component: str, value: list[object]) -> None:
    """Check one component: [library, class]; diffusers would import any library it names."""
    if value == [None, None] or component.startswith("_"):
        return
    known = len(value) == 2 and all(isinstance(part, str) and _NAME.match(part) for part in value)
    if not known or not _is_library(str(value[0])):
        raise InputError(
            f"the component {component[:80]} is not one of diffusers or transformers:"
            f" {json.dumps(value)[:200]}",
            hint=_HINT,
        )


def _is_library(name: str) -> bool:
    """Tell whether a component may come from ``name``: a library, or a part of diffusers."""
    if name in {"diffusers", "transformers"}:
        return True
    from importlib.util import find_spec

    spec = find_spec("diffusers")
    places = spec.submodule_search_locations if spec else None
    return any((Path(place) / "pipelines" / name).is_dir() for place in places or ())


def checked_lora(source: str) -> Path:
    """Return the file of LoRA weights. Raises InputError where it is none, or no safetensors."""
    path = Path(source)
    if path.suffix != ".safetensors" or not path.is_file():
        raise InputError(
            f"expected a file of LoRA weights that ends in .safetensors, got {source}",
            hint="other formats can carry code, and are not read",
        )
    return path


def weights_sha256(files: Iterable[Path]) -> str:
    """Return one digest over files: of each one's name and SHA-256, in order."""
    whole = hashlib.sha256()
    for file in files:
        digest = hashlib.sha256()
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK_BYTES):
                digest.update(chunk)
        whole.update(f"{file.name} {digest.hexdigest()}\n".encode())
    return whole.hexdigest()
