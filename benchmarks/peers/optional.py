"""Rivals that aren't everywhere to be had: a work whose package is missing goes without it, and the
report says which and why."""

import importlib

missing = {}  # package -> why


def package(module, name):
    """The module, or None where its package isn't installed or doesn't load."""
    try:
        return importlib.import_module(module)
    except Exception as error:  # an old package may fail in any way
        missing[name] = f"{type(error).__name__}: {error}"
        return None
