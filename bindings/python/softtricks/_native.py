"""Finds the native parts of this package: beside it where it is installed; else in a build folder, the one
that the environment variable SOFTTRICKS_BUILD_DIR names or build/release of the source tree."""

import importlib.util
import json
import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def find(*names):
    """The path of the first file there is of these names."""
    folders = [_PACKAGE]
    if os.environ.get("SOFTTRICKS_BUILD_DIR"):
        folders.append(Path(os.environ["SOFTTRICKS_BUILD_DIR"]))
    if len(_PACKAGE.parents) > 2:
        folders.append(_PACKAGE.parents[2] / "build" / "release")
    for folder in folders:
        for name in names:
            if (folder / name).is_file():
                return folder / name
    raise ImportError(
        f"{names[0]} was not found; looked in {', '.join(map(str, folders))}. Install the package "
        f"(pip install .), or build its native parts with `./check release` or to a folder that "
        f"SOFTTRICKS_BUILD_DIR names."
    )


def find_library(name, variable):
    """The path of a framework's library: the environment variable's, or where the native parts lie."""
    named = os.environ.get(variable)
    if not named:
        return find(name)
    if not Path(named).is_file():
        raise ImportError(f"{variable}={named}: no such file")
    return Path(named)


def _load_core():
    """The module softtricks._core, wherever it lies."""
    name = "softtricks._core"
    if name not in sys.modules:
        path = find(*("_core" + suffix for suffix in EXTENSION_SUFFIXES))
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module
    return sys.modules[name]


core = _load_core()
registry = json.loads(core.registry())  # what the library offers
