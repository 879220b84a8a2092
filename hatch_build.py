"""Compile the C files where there is a C compiler; without one Tercet runs in plain Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SLOWER = {
    "row_matching": "clearing will be about 10x slower",
    "hash_index": "asking agreements about a corpus will be about 4x slower",
    "hamming_index": "searching the match index will be about 15x slower",
}


def library_of(source: Path) -> Path:
    """Return where the library of a C file belongs: beside it."""
    return source.with_name(f"lib{source.stem}.so")


class CompileHook(BuildHookInterface):
    """Leaves each library beside its source, where the module of the same name looks for it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the wheel (or the editable install) is put together."""
        root = Path(self.root)
        for source in sorted((root / "src/tercet").rglob("*.c")):
            if not self._compile(source):
                continue
            build_data["pure_python"] = False
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"py3-none-{platform}"
            build_data["artifacts"].append(library_of(source).relative_to(root).as_posix())

    def _compile(self, source: Path) -> bool:
        """Compile one file and tell whether that worked. Never -march=native: wheels travel."""
        compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or "cc"
        library = library_of(source)
        # Renamed when done: a process may be using the old library.
        fresh = library.with_name(f".{library.name}.{os.getpid()}")
        command = [compiler, "-O3", "-std=c11", "-fPIC", "-shared", "-o", str(fresh), str(source)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            fresh.unlink(missing_ok=True)
            library.unlink(missing_ok=True)
            self.app.display_warning(
                f"{source.name} was not compiled ({error}): "
                f"{SLOWER.get(source.stem, 'what it does will be slower')}"
            )
            return False
        fresh.replace(library)
        return True
