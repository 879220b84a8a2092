"""Compile row_matching.c where there is a C compiler; without one Tercet runs in plain Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("src/tercet/consent/row_matching.c")
LIBRARY = SOURCE.with_name("librow_matching.so")


class CompileHook(BuildHookInterface):
    """Leaves the library beside its source, where tercet.consent.row_matching looks for it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the wheel (or the editable install) is put together."""
        root = Path(self.root)
        compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
        command = [compiler or "cc", "-O3", "-std=c11", "-fPIC", "-shared",
                   "-o", str(root / LIBRARY), str(root / SOURCE)]  # fmt: skip
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            (root / LIBRARY).unlink(missing_ok=True)
            self.app.display_warning(f"no C compiler ({error}): clearing will be about 10x slower")
            return
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"].append(str(LIBRARY))
