"""Make the object files of segkit's kernels while a wheel is built or installed.

Whatever goes wrong costs time only: kernels without object files are compiled when they
are first called. They are for the processor that builds, unless ``SEGKIT_LEVELS=all``
asks for those of older ones, too: for a wheel that goes to other machines. Those in the
folder ``SEGKIT_OBJECTS`` are not made again, where they are still right.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "segkit/compiled/objects"


class ObjectFiles(BuildHookInterface[Any]):
    """Runs `segkit.compiled.making` on what is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's
        """Make object files and let the wheel have them."""
        build_data["artifacts"].append(f"/{FOLDER}/**/*.o")
        if made := os.environ.get("SEGKIT_OBJECTS"):
            shutil.copytree(made, Path(self.root, FOLDER), dirs_exist_ok=True)
        paths = [self.root, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("NUMBA_")
        }
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        levels = os.environ.get("SEGKIT_LEVELS", "").split()
        call = [sys.executable, "-m", "segkit.compiled.making", *levels]
        done = subprocess.run(call, cwd=self.root, env=environment, check=False)
        if done.returncode:
            self.app.display_warning(
                "no object files: kernels of segkit will be compiled when first called"
            )
