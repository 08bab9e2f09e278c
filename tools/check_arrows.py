#!/usr/bin/env python3
"""Checks that includes point one way and that every member of a folder is listed and tested.

    python3 tools/check_arrows.py [ROOT]        exit status 0 when the tree is in order, else 1

Ranks, lowest first; an include goes down only:

    base < solver, perturbation < structure, regularizer < stochastic_softmax < estimator
         < lists, functions, registry < src < bindings < tools, experiments < tests, benchmarks

Siblings never include each other: not two structures, not a structure and a regularizer. Only inside
base, inside solver, among lists, functions and registry, and within one folder from src upwards may
files of one rank use each other, without cycles.
"""

import re
import sys
from pathlib import Path

CORE = "include/softtricks"

RANKS = [
    [f"{CORE}/base"],
    [f"{CORE}/solver", f"{CORE}/perturbation"],
    [f"{CORE}/structure", f"{CORE}/regularizer"],
    [f"{CORE}/stochastic_softmax.hpp"],
    [f"{CORE}/estimator"],
    [CORE],  # lists, functions, registry: whatever lies in the folder itself
    ["src"],
    ["bindings"],
    ["tools", "experiments"],
    ["tests", "benchmarks"],
]

# Files of one group may include each other; everywhere else siblings may not.
FAMILIES = [
    *(f"{CORE}/base", f"{CORE}/solver", CORE),
    *("src", "bindings", "tools", "experiments", "tests", "benchmarks"),
]

# Every file in these folders is a member of the theory: named in lists.hpp, tested by its own file.
MEMBER_FOLDERS = ["structure", "perturbation", "regularizer", "estimator"]

SEARCH_PATH = ["include", "src", "bindings/torch/include", "experiments", "tests", "benchmarks", "."]
SUFFIXES = {".hpp", ".h", ".cpp", ".cu", ".cuh"}

# The core neither prints nor reads; it knows no framework.
CORE_HEADERS = set(
    """algorithm array atomic bit bitset cassert cfenv cfloat charconv climits cmath compare complex
    concepts cstddef cstdint cstring functional initializer_list iterator limits memory new numbers
    numeric optional ranges ratio span string string_view tuple type_traits utility variant vector
    version""".split()
)
FRAMEWORKS = re.compile(r"^(torch|ATen|c10|caffe2|xla|jax|numpy|pybind11|nanobind|Python\.h)\b")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def group_of(path):
    """The entry of RANKS that `path` (relative, as text) belongs to, and its rank."""
    best = None
    for rank, groups in enumerate(RANKS):
        for group in groups:
            if path == group or path.startswith(group + "/"):
                if best is None or len(group) > len(best[0]):
                    best = (group, rank)
    return best


def source_files(root):
    tops = ["include", "src", "bindings", "tools", "experiments", "tests", "benchmarks"]
    for top in tops:
        for path in sorted((root / top).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                yield path


def includes_of(path):
    text = path.read_text(encoding="utf-8")
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield line, match.group(1), match.group(2)


def resolve(root, path, quote, name):
    """The file of this tree that an include means, or None for one from outside."""
    places = [root / place for place in SEARCH_PATH]
    if quote == '"':
        places.insert(0, path.parent)
    for place in places:
        target = (place / name).resolve()
        if target.is_file() and target.is_relative_to(root):
            return target.relative_to(root).as_posix()
    return None


def arrow_error(source, target):
    """Why `source` may not include `target`, or None."""
    source_group, source_rank = group_of(source)
    found = group_of(target)
    if found is None:
        return f"includes {target}, which has no rank"
    target_group, target_rank = found
    if target_rank > source_rank:
        return f"includes {target}, which is above it: includes go down only"
    if target_rank == source_rank:
        if source_group != target_group or source_group not in FAMILIES:
            return f"includes {target}: siblings never include each other"
    return None


def outside_error(source, name):
    if source.startswith("include/"):
        if name.startswith("softtricks/"):
            return f"includes <{name}>, which does not exist"
        if name not in CORE_HEADERS:
            return f"includes <{name}>: the core uses the standard library only, and never prints"
    elif source.startswith("src/") and FRAMEWORKS.match(name):
        return f"includes <{name}>: frameworks belong in bindings/"
    return None


def cycle_errors(graph):
    """One message for each include that closes a circle."""
    errors, done, trail = [], set(), []

    def visit(node):
        if node in trail:
            circle = trail[trail.index(node) :] + [node]
            errors.append(f"{node}: includes itself: {' -> '.join(circle)}")
            return
        if node in done:
            return
        trail.append(node)
        for target in graph.get(node, []):
            visit(target)
        trail.pop()
        done.add(node)

    for node in sorted(graph):
        visit(node)
    return errors


def include_errors(root):
    errors, graph = [], {}
    for path in source_files(root):
        source = path.relative_to(root).as_posix()
        for line, quote, name in includes_of(path):
            target = resolve(root, path, quote, name)
            if target is None:
                error = outside_error(source, name)
            else:
                error = arrow_error(source, target)
                graph.setdefault(source, []).append(target)
            if error:
                errors.append(f"{source}:{line}: {error}")
    return errors + cycle_errors(graph)


def type_name(stem):
    return "".join(word.capitalize() for word in stem.split("_"))


def member_errors(root):
    """Members that lists.hpp does not name, and members without a test."""
    lists = root / CORE / "lists.hpp"
    text = lists.read_text(encoding="utf-8") if lists.is_file() else ""
    included = {name for _, _, name in includes_of(lists)} if text else set()
    code = INCLUDE.sub("", text)
    for folder in MEMBER_FOLDERS:
        for path in sorted((root / CORE / folder).glob("*.hpp")):
            name = path.relative_to(root).as_posix()
            header = f"{folder}/{path.name}"
            if not included & {header, f"softtricks/{header}"}:
                yield f"{name}: lists.hpp does not include it"
            if not re.search(rf"\b{type_name(path.stem)}\b", code):
                yield f"{name}: lists.hpp does not list {type_name(path.stem)}"
            test = root / "tests" / folder / f"{path.stem}.cpp"
            if not test.is_file():
                yield f"{name}: has no test tests/{folder}/{path.stem}.cpp"


def check(root):
    root = Path(root).resolve()
    return include_errors(root) + list(member_errors(root))


def main(arguments):
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    if not (root / CORE).is_dir():
        print(f"check_arrows: {root} has no {CORE}", file=sys.stderr)
        return 2
    errors = check(root)
    for error in errors:
        print(error, file=sys.stderr)
    print(f"check_arrows: {len(errors)} error(s)" if errors else "check_arrows: ok")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
