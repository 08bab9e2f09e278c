"""The examples in the package's docstrings do what they say."""

import doctest
import importlib

import numpy
import pytest
import softtricks

MODULES = ["softtricks", "softtricks._structure", "softtricks._perturbation", "softtricks._numpy"]


@pytest.mark.parametrize("name", [*MODULES, "softtricks.torch"])
def test_examples(name):
    pytest.importorskip("torch" if name.endswith(".torch") else "numpy")
    threads = softtricks.get_num_threads()
    module = importlib.import_module(name)
    result = doctest.testmod(module, extraglobs={"numpy": numpy, "softtricks": softtricks})
    softtricks.set_num_threads(threads)
    assert result.attempted > 0 and result.failed == 0


def test_every_verb_has_an_example():
    from softtricks._numpy import NumpyPerturbations, Structure

    for owner in (Structure, NumpyPerturbations):
        for name in dir(owner):
            if not name.startswith("_") and callable(getattr(owner, name)):
                assert ">>>" in getattr(owner, name).__doc__, name
