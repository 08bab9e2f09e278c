"""tools/check_arrows.py finds each kind of mistake in a small tree, and nothing in a good one."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("check_arrows", ROOT / "tools" / "check_arrows.py")
check_arrows = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_arrows)

GOOD = {
    "include/softtricks/base/math.hpp": "#include <cmath>\n",
    "include/softtricks/base/view.hpp": '#include "math.hpp"\n',
    "include/softtricks/solver/dag_path.hpp": "#include <softtricks/base/view.hpp>\n",
    "include/softtricks/structure/one_hot.hpp": '#include "../solver/dag_path.hpp"\n',
    "include/softtricks/structure/k_subset.hpp": "#include <softtricks/base/view.hpp>\n",
    "include/softtricks/regularizer/squared_norm.hpp": "#include <softtricks/base/view.hpp>\n",
    "include/softtricks/lists.hpp": (
        "#include <softtricks/structure/k_subset.hpp>\n"
        "#include <softtricks/structure/one_hot.hpp>\n"
        "#include <softtricks/regularizer/squared_norm.hpp>\n"
        "using Structures = List<OneHot, KSubset>;\nusing Regularizers = List<SquaredNorm>;\n"
    ),
    "include/softtricks/registry.hpp": "#include <softtricks/lists.hpp>\n",
    "src/cpu.cpp": "#include <softtricks/registry.hpp>\n#include <thread>\n",
    "tests/structure/one_hot.cpp": "#include <softtricks/lists.hpp>\n",
    "tests/structure/k_subset.cpp": "",
    "tests/regularizer/squared_norm.cpp": "",
}


def errors_of(tmp_path, **changes):
    for name, text in {**GOOD, **changes}.items():
        if text is None:
            continue
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return check_arrows.check(tmp_path)


def test_a_good_tree_passes(tmp_path):
    assert errors_of(tmp_path) == []


def test_this_repository_passes():
    assert check_arrows.check(ROOT) == []


@pytest.mark.parametrize(
    "path, text, message",
    [
        ("include/softtricks/base/math.hpp", '#include "../structure/one_hot.hpp"', "above it"),
        ("include/softtricks/lists.hpp", None, "lists.hpp does not include it"),
        ("include/softtricks/structure/k_subset.hpp", '#include "one_hot.hpp"', "siblings"),
        (
            "include/softtricks/structure/k_subset.hpp",
            "#include <softtricks/regularizer/squared_norm.hpp>",
            "siblings",
        ),
        ("include/softtricks/base/math.hpp", "#include <torch/torch.h>", "standard library only"),
        ("include/softtricks/base/math.hpp", "#include <iostream>", "never prints"),
        ("include/softtricks/base/math.hpp", "#include <softtricks/gone.hpp>", "does not exist"),
        ("include/softtricks/base/math.hpp", '#include "view.hpp"', "includes itself"),
        ("src/cpu.cpp", "#include <ATen/ATen.h>", "frameworks"),
        ("tests/structure/k_subset.cpp", None, "has no test"),
        ("include/softtricks/structure/spanning_tree.hpp", "", "does not list SpanningTree"),
    ],
)
def test_each_mistake_is_found(tmp_path, path, text, message):
    errors = errors_of(tmp_path, **{path: text})
    assert any(message in error for error in errors), errors


def test_errors_name_file_and_line(tmp_path):
    errors = errors_of(tmp_path, **{"src/cpu.cpp": "// one\n#include <torch/torch.h>\n"})
    assert errors[0].startswith("src/cpu.cpp:2: ")
