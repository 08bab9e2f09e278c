"""The report of graph layout: what is learnt, the table beside the poster's, pictures."""

import math

from . import curves, graph_pictures, origin, results
from .curves import Metric
from .figures import ROW_STROKES, key
from .graph_seeds import chance_level, seeds_section
from .graph_settings import differences, frames, nodes
from .graph_words import LEAD, MEASURES, POSTER, TITLES, distributions, title
from .page import (
    NOTHING,
    Html,
    count,
    definitions,
    details,
    duration,
    element,
    figure,
    join,
    page,
    paragraph,
    percent,
    plain,
    plus_minus,
    section,
    table,
)
from .run_folder import number

METRICS = ("elbo", "edge_precision", "edge_recall", "seconds")
EXAMPLES_SHOWN = 6  # of picture.json, to keep the page small


def report(run):
    rows = results.collect(run, list(TITLES), METRICS)
    samples = read_samples(run)
    body = [
        results_section(run, rows),
        pictures_section(samples),
        curves_section(run),
        seeds_section(run),
        matrices_section(samples),
        origin.section(run, rows),
    ]
    lead = join(
        [
            paragraph(LEAD, class_="lead"),
            headline(rows, chance_level(run)),
            origin.missing(run.notes),
        ]
    )
    names = [row.name for row in rows] + [seed.row for seed in run.seeds]
    meaning = join([definitions(distributions(nodes(run), names)), definitions(MEASURES)])
    return page(
        "Graph layout: finding the hidden tree", origin.kicker(run), join([lead, meaning]), *body
    )


def stroke(row, names):
    """Each known row keeps its line in every report; others take the lines left over."""
    known = [
        "spanning_tree",
        "top_edges",
        "independent_edges",
        "reinforce",
        "nvil",
        "leave_one_out",
    ]
    others = sorted(set(names) - set(known))
    return ROW_STROKES[(known + others).index(row) % len(ROW_STROKES)]


def headline(rows, chance):
    found = [row for row in rows if not math.isnan(row.mean["edge_precision"])]
    if not found:
        return ""
    strip = element(
        "ul",
        *(
            element("li", element("b", f"{percent(row.mean['edge_precision'])} %"), title(row.name))
            for row in found
        ),
        class_="strip",
    )
    return join(
        [
            strip,
            paragraph(
                "of the sampled edges are true, on test graphs of this run; edges drawn "
                f"blindly reach {percent(chance, 0)} %.",
                class_="small",
            ),
        ]
    )


# The table beside the poster's


def results_section(run, rows):
    if not rows:
        return section("Results", paragraph("No training of this run has finished yet."))
    poster = POSTER.get(frames(run), {})
    columns = ["Edge distribution", "Seeds", "ELBO", "Precision %", "Recall %", "Time per seed"]
    groups = [("", 2), ("This run", 4)]
    if poster:
        columns += ["ELBO", "Precision %", "Recall %"]
        groups += [("Poster", 3)]
    body = [
        [title(row.name), seeds_of(row), *ours(row, rows), *theirs(row.name, poster)]
        for row in rows
    ]
    return section(
        "Results",
        table(columns, body, groups, "Results beside the poster's"),
        paragraph(table_note(rows, poster, run), class_="small"),
        differences(run, rows),
    )


def seeds_of(row):
    return f"1 of {row.seeds}" if row.searched else row.seeds


def ours(row, rows):
    cells = [written(row, metric) for metric in METRICS[:3]]
    best = [written(leader(rows, metric), metric) for metric in METRICS[:3]]
    marked = [
        element("b", cell) if cell == top and len(rows) > 1 and cell != NOTHING else cell
        for cell, top in zip(cells, best)
    ]
    return [*marked, duration(row.mean["seconds"])]


def leader(rows, metric):
    return max(
        rows, key=lambda row: -math.inf if math.isnan(row.mean[metric]) else row.mean[metric]
    )


def written(row, metric):
    if metric == "elbo":
        return plus_minus(row.mean[metric], row.std[metric])
    return plus_minus(100 * row.mean[metric], 100 * row.std[metric], 1)


def theirs(name, poster):
    if not poster:
        return []
    cells = [plus_minus(*pair) for pair in poster[name]] if name in poster else [NOTHING] * 3
    return [element("span", cell, class_="theirs") for cell in cells]


def table_note(rows, poster, run):
    note = [
        "On test graphs, with hard samples, from the checkpoint with the best validation ELBO. "
    ]
    if len(rows) > 1:
        note.append("Bold: the best of this run. ")
    repeated = any(row.seeds > 1 for row in rows if not row.searched)
    if repeated:
        note.append("Ours ±: standard deviation over seeds of one configuration. ")
    if any(row.searched for row in rows):
        note.append(
            "1 of N: the trial of a random search with the best validation ELBO; ±: the error of "
            "that choice, by bootstrapping. "
        )
    if poster:
        note.append(
            "Poster ±: error of its selection among trials"
            + (", so the two are different things." if repeated else ".")
        )
    elif frames(run):
        note.append(
            f"The poster's table is for 10 frames; for {plain(frames(run))} it shows no figures."
        )
    else:
        note.append("config.json names no number of frames; the poster's table is for 10.")
    without = number(run.summary.get("nearest_tree_precision"))
    if not math.isnan(without):
        note.append(
            " Without learning, the spanning tree of least distances in the last frame has "
            f"{percent(without)} % precision."
        )
    if run.option("decoder_first"):
        note.append(
            " All rows got one recipe: the decoder first learns alone, on graphs that join near "
            "vertices, a guess about layouts that the poster's training did not use."
        )
    return "".join(note)


# Curves


def curves_section(run):
    precision = Metric(
        "edge_precision", 0.01, "Edge precision, %", (0, 103), (100 * chance_level(run), "chance")
    )
    panels = curves.gallery(run.seeds, (Metric("elbo", 1, "Validation ELBO"), precision), stroke)
    if not panels:
        return ""
    names = {seed.row for seed in run.seeds}
    legend = key(
        (stroke(name, names), title(name)) for name in results.in_order(names, list(TITLES))
    )
    return section(
        "Learning curves",
        legend,
        panels,
        paragraph(
            "One line per training, ending in a dot, on validation graphs. Where lines of "
            "the ELBO come from below, their first, very low values are cut off.",
            class_="small",
        ),
    )


# Pictures


def read_samples(run):
    entries = results.entries(
        run.read_json("picture.json", "no picture of the graphs").get("samples")
    )
    samples = []
    for index, entry in enumerate(entries):
        try:
            samples.append(graph_pictures.Sample.read(entry))
        except ValueError as error:
            run.notes.append(f"picture.json: example {index + 1} was left out ({error}).")
    return samples


def pictures_section(samples):
    if not samples:
        return ""
    shown = samples[:EXAMPLES_SHOWN]
    legend = key(
        [
            (graph_pictures.CORRECT, "sampled, correct"),
            (graph_pictures.WRONG, "sampled, wrong"),
            (graph_pictures.MISSED, "true, but missed"),
        ]
    )
    words = [
        "One line per test graph: the motion the model sees, the true tree, and one hard sample of "
        "each edge distribution, all over the points of the last frame. "
    ]
    if any(graph_pictures.is_directed(sample, row) for sample in shown for row in sample.edges):
        words.append(
            "Independent edges are drawn for each direction of a pair, and counted so; "
            "where only one direction was sampled, an arrow head points to the receiver. "
        )
    if len(samples) > len(shown):
        words.append(f"Shown are {len(shown)} of {len(samples)} graphs of picture.json.")
    return section(
        "The poster's picture",
        paragraph(*words),
        legend,
        *(example(sample, index) for index, sample in enumerate(shown, start=1)),
    )


def example(sample, index):
    panels = []
    if len(sample.positions) > 1:
        panels.append(
            figure(
                graph_pictures.motion(sample, f"motion-{index}"),
                element("b", "What the model sees"),
                Html("<br>"),
                count(len(sample.positions), "frame"),
            )
        )
    panels.append(
        figure(
            graph_pictures.truth(sample, f"truth-{index}"),
            element("b", "Truth"),
            Html("<br>"),
            count(len(sample.truth), "edge"),
        )
    )
    for row in results.in_order(sample.edges, list(TITLES)):
        drawn = graph_pictures.sampled(sample, row, f"sample-{index}-{row}")
        panels.append(figure(drawn, element("b", title(row)), Html("<br>"), tally(sample, row)))
    return element("div", *panels, class_="graphs")


def tally(sample, row):
    correct, drawn, missed = graph_pictures.score(sample, row)
    return f"{correct} of {drawn} correct" + (f", {missed} missed" if missed else "")


def matrices_section(samples):
    shown = [sample for sample in samples[:EXAMPLES_SHOWN] if sample.soft]
    if not shown:
        return ""
    intro = paragraph(
        "In training, the decoder receives soft samples: each pair of points carries a number "
        "between 0 (no edge, the page's colour) and 1 (edge, full ink). Framed cells are the "
        "true edges. Row i, column j: how much point i receives from point j, numbered as in the "
        "picture."
    )
    rest = [
        join([element("h3", f"Graph {index}"), matrices(sample, index)])
        for index, sample in enumerate(shown[1:], start=2)
    ]
    return section(
        "Adjacency matrices",
        intro,
        matrices(shown[0], 1),
        details(f"The other {count(len(rest), 'graph')}", *rest) if rest else "",
    )


def matrices(sample, index):
    true = graph_pictures.adjacency(sample)
    panels = [
        figure(
            graph_pictures.matrix(true, sample.truth, f"matrix-{index}-truth", "True adjacency"),
            element("b", "Truth"),
        )
    ]
    for row in results.in_order(sample.soft, list(TITLES)):
        drawn = graph_pictures.matrix(
            sample.soft[row], sample.truth, f"matrix-{index}-{row}", f"Soft sample, {title(row)}"
        )
        panels.append(figure(drawn, element("b", title(row)), ", soft sample"))
    return element("div", *panels, class_="matrices")
