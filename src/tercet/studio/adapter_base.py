"""The base model under an adapter: which pipelines are taken, and the digest of all their files.

Nobody outside can say which works a base model has learned from. What stands on it is marked so,
in plan, record, card and `model.json`, and never counts as learned from cleared works only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError
from tercet.core.ids import sha256_hex
from tercet.studio.engines.diffusers_folder import checked_folder
from tercet.studio.engines.engine import Rights

BASE_MARK = str(Rights.UNKNOWN)
ADAPTER_TYPE = "tercet/adapter@1"
PIPELINES = ("WanPipeline",)
FILES_MAX = 1000
_NEEDED = ("diffusers", "transformers", "peft", "torch", "safetensors")
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_CHUNK_BYTES = 1024 * 1024


def checked_base(source: str) -> tuple[Path, str]:
    """Return the folder of a base model and the class of its pipeline.

    Raises InputError where libraries are missing, the folder holds no pipeline that adapters can
    be trained on, code of its own, or weights in a format that can carry code.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise InputError(
            f"training an adapter needs {', '.join(missing)}, which is not installed",
            hint="pip install 'tercet[diffusers]'",
        )
    folder, class_name = checked_folder(source)
    if class_name not in PIPELINES:
        raise InputError(
            f"adapters are trained on {', '.join(PIPELINES)}, got {class_name}",
            hint="other pipelines take adapters that other tools have trained (docs/engines.md)",
        )
    for path in folder.rglob("*"):
        if path.is_symlink() and path.is_dir():
            raise InputError(
                f"{path} leads to another folder, of which no digest would be taken",
                hint="put the folder itself there",
            )
        if path.suffix.lower() in _PICKLED:
            raise InputError(
                f"{path} can carry code, and is not read",
                hint="keep weights as safetensors only, and remove the file",
            )
    return folder, class_name


def base_entry(
    folder: Path, class_name: str, progress: Callable[[str, int, int], None]
) -> dict[str, Any]:
    """Return what plan and record say of a base model: each file's SHA-256, and one over all.

    ``sha256`` is that of the canonical JSON of ``files``, from path to SHA-256. Raises InputError
    for a folder of more than `FILES_MAX` files, OSError.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(paths) > FILES_MAX:
        raise InputError(f"expected at most {FILES_MAX} files in {folder}, got {len(paths)}")
    files = {}
    for at, path in enumerate(paths, 1):
        progress("reading the base model", at, len(paths))
        digest = hashlib.sha256()
        with path.open("rb") as opened:
            while chunk := opened.read(_CHUNK_BYTES):
                digest.update(chunk)
        files[path.relative_to(folder).as_posix()] = digest.hexdigest()
    return {"pipeline": class_name, "sha256": sha256_hex(canonical_json(files)), "files": files}
