"""Which code a run was made by: versions, and one digest over the studio's own sources."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tercet.core.version import __version__

_PACKAGES = ("torch", "numpy", "opencv-python-headless", "resvg_py", "av", "safetensors")
_ADAPTER_PACKAGES = ("diffusers", "transformers", "peft")


def code_entry(*, is_adapter: bool = False) -> dict[str, str]:
    """Return versions of all that shapes batches and weights, and the digest of our own part."""
    entry = {"tercet": __version__, "studio_sha256": studio_sha256()}
    entry["python"] = platform.python_version()
    for name in (*_PACKAGES, *(_ADAPTER_PACKAGES if is_adapter else ())):
        try:
            entry[name] = version(name)
        except PackageNotFoundError:
            entry[name] = "absent"
    return entry


def studio_sha256(folder: str = "") -> str:
    """Return SHA-256 over the lines "path NUL SHA-256 LF" of the studio's files, sorted.

    ``folder`` is a part of the studio, such as ``scenes``; "" is all of it.
    """
    root = Path(__file__).resolve().parent.parent / "studio" / folder
    lines = []
    for path in root.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"{path.relative_to(root).as_posix()}\0{digest}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
