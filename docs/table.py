"""The README's table of structures and verbs, from what the program says of itself.

build/release/softtricks list --json | python3 docs/table.py            prints it
build/release/softtricks list --json | python3 docs/table.py README.md  puts it into the file
"""

import json
import sys
from pathlib import Path

BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"


def field(structure, name):
    default = structure["defaults"].get(name)
    return name if default is None else f"{name}={default}"


def law(name, about):
    parameters = ", ".join(f"{p}={value:g}" for p, value in about["parameters"].items())
    lacks = ", ".join(f"no `{v}`" for v in ("log_prob", "kl") if v not in about["verbs"])
    return f"`{name}({parameters})`" + (f" ({lacks})" if lacks else "")


def offers(structure):
    """What a structure offers, relaxations by regularizer; those that go both ways are one."""
    for verb, about in structure["verbs"].items():
        for regularizer in about["regularizers"] or [None]:
            name = verb.removesuffix("_vjp")
            yield f"`{name}`" + (f" with `{regularizer}`" if regularizer else "")


def columns(structures):
    """Verbs that the same structures offer share a column."""
    offered = {verb: None for s in structures for verb in offers(s)}
    found = {}
    for verb in offered:
        found.setdefault(tuple(verb in set(offers(s)) for s in structures), []).append(verb)
    return found


def table(offer):
    structures = offer["structures"]
    found = columns(structures)
    lines = ["| structure | " + " | ".join(", ".join(verbs) for verbs in found.values()) + " |"]
    lines.append("|---" * (len(found) + 1) + "|")
    for i, structure in enumerate(structures):
        name = (
            f"`{structure['name']}({', '.join(field(structure, f) for f in structure['shape'])})`"
        )
        cells = " | ".join("yes" if has[i] else "-" for has in found)
        lines.append(f"| {name} | {cells} |")
    lines.append("")
    laws = ", ".join(law(*item) for item in offer["perturbations"].items())
    lines.append(f"Perturbations: {laws}.")
    return "\n".join(lines) + "\n"


def replace(arguments, text):
    """Prints the text, or puts it between the two lines of the file that the arguments name."""
    if not arguments:
        print(text, end="")
        return 0
    path = Path(arguments[0])
    page = path.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        print(f"{path} lacks the lines {BEGIN.strip()} and {END.strip()}", file=sys.stderr)
        return 1
    path.write_text(before + begin + text + end + after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(replace(sys.argv[1:], table(json.load(sys.stdin))))
