"""The README's table of structures and verbs, from what the program says of itself.

    build/release/softtricks list --json | python3 docs/table.py            prints it
    build/release/softtricks list --json | python3 docs/table.py README.md  puts it into the file
"""

import json
import sys
from pathlib import Path

BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"


def row(name, cells):
    return f"| {name} | " + " | ".join("yes" if cell else "-" for cell in cells) + " |"


def field(structure, name):
    default = structure["defaults"].get(name)
    return name if default is None else f"{name}={default}"


def law(name, about):
    parameters = ", ".join(f"{p}={value:g}" for p, value in about["parameters"].items())
    lacks = ", ".join(f"no `{v}`" for v in ("log_prob", "kl") if v not in about["verbs"])
    return f"`{name}({parameters})`" + (f" ({lacks})" if lacks else "")


def table(offer):
    structures = offer["structures"]
    verbs = list(dict.fromkeys(verb for s in structures for verb in s["verbs"]))
    head = [f"`{s['name']}({', '.join(field(s, f) for f in s['shape'])})`" for s in structures]
    lines = ["| verb | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    for verb in verbs:
        offered = [s["verbs"].get(verb) for s in structures]
        regularizers = dict.fromkeys(r for o in offered if o for r in o["regularizers"])
        if not regularizers:
            lines.append(row(f"`{verb}`", [o is not None for o in offered]))
        for r in regularizers:
            has = [o is not None and r in o["regularizers"] for o in offered]
            lines.append(row(f"`{verb}` with `{r}`", has))
    lines.append("")
    laws = ", ".join(law(*item) for item in offer["perturbations"].items())
    lines.append(f"Perturbations: {laws}.")
    return "\n".join(lines) + "\n"


def main(arguments):
    text = table(json.load(sys.stdin))
    if not arguments:
        print(text, end="")
        return 0
    path = Path(arguments[0])
    page = path.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        print(f"table.py: {path} lacks the lines {BEGIN.strip()} and {END.strip()}", file=sys.stderr)
        return 1
    path.write_text(before + begin + text + end + after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
