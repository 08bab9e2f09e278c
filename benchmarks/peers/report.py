"""The table of a comparison, in Markdown."""

PASS_NAMES = {"forward": "forward", "both": "forward + backward"}
OURS, RAW = "softtricks", "softtricks, C++"


def verdicts(row, pass_name):
    """For each target of the pass: (target, its best rival, how many times faster we are)."""
    timings = row["microseconds"].get(pass_name, {})
    found = []
    for target in row["targets"]:
        factor = target[pass_name]
        rivals = {n: t for n, t in _rivals(timings).items() if n.startswith(target["rivals"])}
        if factor is None or not rivals:
            continue
        best = min(rivals, key=rivals.get)
        found.append((factor, best, rivals[best] / timings[OURS]["microseconds"]))
    return found


def _rivals(timings):
    """By what a target may be held against. What of ours is among them is never the best rival."""
    return {n: t["microseconds"] for n, t in timings.items() if n not in (OURS, RAW)}


def _best_rival(timings):
    rivals = {n: t for n, t in _rivals(timings).items() if not n.startswith(OURS)}
    return min(rivals.items(), key=lambda item: item[1], default=None)


def markdown(document):
    lines = ["# softtricks beside others", "", *_preamble(document), ""]
    for measured in document["passes"]:
        threads = measured["threads"]
        lines += [f"## {'One thread' if threads == 1 else f'{threads} threads'}", ""]
        lines += [*_summary(measured["rows"]), "", *_details(measured["rows"]), ""]
    return "\n".join(lines).rstrip() + "\n"


def _preamble(document):
    machine = document["passes"][0]["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    ours = machine["softtricks"]
    note = f" {document['note']}" if document["note"] else ""
    return [
        f"Made by `{document['command']}` on {document['date']}.{note}",
        "",
        f"{machine['processor']}, {machine['system']}, load {machine['load']} at the end; Python "
        f"{machine['python']}, {versions}; softtricks {ours['commit']}, {ours['instruction_set']}.",
        "",
        "Microseconds an instance in float32: the shortest of many calls, in which everybody took "
        "turns. softtricks is called from Python through `softtricks.torch`, with autograd for the "
        "backward pass; C++ is the same work by the library alone, on the same numbers (one thread only). A rival's result "
        "and gradient differ from ours by at most what the second table says; where that is more "
        "than rounding, the rival's formulation is inexact (tests/laws compare ours with "
        "many-digit arithmetic).",
        "",
        "The slowest rivals do only the first few instances of a batch.",
        "",
        "Not here, because they are not on PyPI: SynJax, the authors' own code. With two threads, JAX's "
        "matrix factorisations are left out: on two cores they hang (jaxlib 0.10.2).",
        *_missing(document),
    ]


def _missing(document):
    missing = document["passes"][0]["missing"]
    if missing:
        yield ""
        yield "Not installed: " + "; ".join(f"{name} ({why})" for name, why in missing.items()) + "."


def _summary(rows):
    lines = [
        "| work | pass | softtricks | C++ | best rival | | faster | target | of | by | |",
        "|---|---|--:|--:|---|--:|--:|--:|---|--:|---|",
    ]
    for row in rows:
        for pass_name, timings in row["microseconds"].items():
            lines += _summary_lines(row, pass_name, timings)
    return lines


def _summary_lines(row, pass_name, timings):
    ours, best = timings[OURS]["microseconds"], _best_rival(timings)
    raw = f"{timings[RAW]['microseconds']:.3g}" if RAW in timings else ""
    start = (
        f"| {row['name']}, batch {row['batch']} | {PASS_NAMES[pass_name]} | {ours:.3g} | {raw} "
        + (f"| {best[0]} | {best[1]:.3g} | {best[1] / ours:.2g}x " if best else "| | | ")
    )
    lines = []
    for factor, rival, ratio in verdicts(row, pass_name) or [(None, "", None)]:
        if factor is None:
            lines.append(start + "| | | | |")
            continue
        reached = "reached" if ratio >= factor else "not reached"
        lines.append(start + f"| {factor:g}x | {rival} | {ratio:.2g}x | {reached} |")
        start = "| | | | | | | "
    return lines


def _details(rows):
    lines = [
        "| work | who | forward | forward + backward | differs by | gradient by |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for row in rows:
        passes = row["microseconds"]
        for name in passes["forward"]:
            cells = [
                f"{passes[p][name]['microseconds']:.3g}" if name in passes.get(p, {}) else ""
                for p in PASS_NAMES
            ]
            cells += [f"{d:.0e}" for d in row["difference"].get(name, [])]
            cells += [""] * (4 - len(cells))
            lines.append("| " + " | ".join([row["name"], name, *cells]) + " |")
    notes = [f"{row['name']}: {row['note']}" for row in rows if row["note"]]
    return [*lines, "", *notes] if notes else lines
