"""The report of learning to explain: the table beside the poster's, precision against error, and
reviews with the words that each row selects."""

import math
from dataclasses import dataclass

from . import figures, origin, results
from .aspect_words import LEAD, MEASURES, POSTER, ROWS, title
from .figures import PLACEHOLDER
from .page import (
    NOTHING,
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
    plus_minus,
    section,
    sheet,
)
from .run_folder import number, text


@dataclass
class Line:
    """One line of the table: the trial of least validation error of a row and k."""

    name: str
    k: int
    trials: int
    numbers: dict  # of summary.json
    command: str

    def number(self, key):
        return number(self.numbers.get(key))

    def written(self, key, digits):
        return plus_minus(100 * self.number(key), 100 * self.number(f"{key}_std"), digits)


def report(run):
    lines = read_lines(run)
    body = [
        results_section(run, lines),
        plot_section(lines),
        reviews_section(run),
        origin.section(run, lines),
    ]
    names = results.in_order({line.name for line in lines}, list(ROWS))
    head = [
        paragraph(LEAD, class_="lead"),
        subject(run, lines),
        origin.missing(run.notes),
        definitions([(title(name), ROWS[name][1]) for name in names if name in ROWS]),
        definitions(MEASURES),
    ]
    return page(
        "Learning to explain: which words tell of an aspect", origin.kicker(run), join(head), *body
    )


def read_lines(run):
    lines = []
    for entry in results.entries(run.summary.get("rows")):
        name, k = text(entry.get("name")), entry.get("k")
        if name and isinstance(k, int):
            trials = entry.get("trials")
            trials = trials if isinstance(trials, int) else 1
            lines.append(Line(name, k, trials, entry, text(entry.get("command"))))
    return lines


def subject(run, lines):
    corpus, aspect = text(run.config.get("corpus")), text(run.config.get("aspect"))
    words = [f"Corpus: {corpus or 'not recorded'}; aspect: {aspect or 'not recorded'}. "]
    if corpus == "generated":
        words.append("These reviews were drawn by a program; nobody wrote them. ")
    if lines:
        chance = lines[0].number("chance_precision")
        words.append(
            "Which words speak of the aspect is not known, so there is no precision. "
            if math.isnan(chance)
            else f"Words picked blindly are right in {percent(chance)} % of the cases. "
        )
        words.append(
            "The mean rating, without a look at the review, has an MSE × 100 of "
            f"{plus_minus(100 * lines[0].number('constant_mse'), math.nan, 2)}."
        )
    return paragraph(*words)


# The table beside the poster's


def results_section(run, lines):
    if not lines:
        return section("Results", paragraph("No training of this run has finished yet."))
    columns = ["Selection", "Trials", "MSE × 100", "Precision %", "Drawn precision %", "Time",
               "MSE × 100", "Precision %"]  # fmt: skip
    groups = [("", 2), ("This run", 4), ("Poster", 2)]
    parts = []
    for k in sorted({line.k for line in lines}):
        chosen = [line for line in lines if line.k == k]
        parts.append((f"k = {k}", [cells(line, chosen) for line in chosen]))
    note = "Bold: the best of this run for each k. Time: of all trials together. "
    if text(run.config.get("corpus")) != "lei":
        note += (
            "The poster's figures are for beer reviews that may not be passed on, ours for other "
            "texts: read each side by itself. "
        )
    note += "A dash: the poster does not show that row."
    return section(
        "Results",
        sheet(columns, parts, groups, "Results beside the poster's"),
        paragraph(note, class_="small"),
    )


def cells(line, same_k):
    def marked(key, digits, best):
        values = [other.number(key) for other in same_k if not math.isnan(other.number(key))]
        written = line.written(key, digits)
        leads = len(values) > 1 and line.number(key) == best(values)
        return element("b", written) if leads else written

    theirs = POSTER.get((line.name, line.k))
    theirs = [plus_minus(*pair, 1) for pair in theirs] if theirs else [NOTHING] * 2
    return [
        title(line.name),
        line.trials,
        marked("mse", 2, min),
        marked("precision", 1, max),
        line.written("sampled_precision", 1),
        duration(line.number("seconds")),
        *(element("span", cell, class_="theirs") for cell in theirs),
    ]


# Precision against error


def plot_section(lines):
    drawable = [line for line in lines if placed(line)]
    if not drawable:
        return ""
    panels = [figure(panel(drawable, k)) for k in sorted({line.k for line in drawable})]
    return section(
        "Precision against error",
        element("div", *panels, class_="curves"),
        paragraph(
            "Better is up and to the left. Bars are the errors of the table; a filled dot stands "
            "for a structure that knows neighbours.",
            class_="small",
        ),
    )


def placed(line):
    return math.isfinite(line.number("mse")) and math.isfinite(line.number("precision"))


def panel(lines, k):
    ink, muted = PLACEHOLDER["ink"], PLACEHOLDER["muted"]
    with figures.drawing(4.6, 3.6) as drawn:
        axes = drawn.add_axes((0.11, 0.14, 0.56, 0.77))
        shown = [line for line in lines if line.k == k]
        for line in shown:
            x, y = point(line)
            errors = [100 * line.number(f"{key}_std") for key in ("mse", "precision")]
            errors = [error if math.isfinite(error) else 0 for error in errors]
            fill = ink if "correlated" in line.name else PLACEHOLDER["paper"]
            axes.errorbar(
                x, y, xerr=errors[0], yerr=errors[1], marker="o", markersize=5, color=ink,
                markerfacecolor=fill, elinewidth=0.7, ecolor=muted, zorder=3,
            )  # fmt: skip
        axes.grid()
        axes.margins(0.08)
        label_aside(axes, [(*point(line), title(line.name)) for line in shown])
        axes.tick_params(length=0, pad=5)
        axes.set_xlabel("MSE × 100")
        axes.set_title(f"Subset precision, %, k = {k}", loc="left", fontsize=10)
        return figures.svg(drawn, f"precision-{k}", f"Precision against error, k = {k}")


def point(line):
    return 100 * line.number("mse"), 100 * line.number("precision")


def label_aside(axes, labels):
    """Labels (x, y, text) in a column right of the axes, in the order of y, each with a line to its
    point: rows lie too close for labels beside them."""
    labels = sorted(labels, key=lambda label: label[1])
    low, high = axes.get_ylim()
    wanted = [(y - low) / (high - low) for _, y, _ in labels]
    for (x, y, text), height in zip(labels, figures.set_apart(wanted, 0.062)):
        axes.annotate(
            text, (x, y), xytext=(1.06, height), textcoords="axes fraction", fontsize=7,
            va="center", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": PLACEHOLDER["muted"], "linewidth": 0.4,
                        "shrinkA": 1, "shrinkB": 4, "relpos": (0, 0.5)},
        )  # fmt: skip


# Highlighted reviews


def reviews_section(run):
    samples = results.entries(
        run.read_json("picture.json", "no highlighted reviews").get("samples")
    )
    shown = [drawn for drawn in map(read_sample, samples) if drawn]
    if len(shown) < len(samples):
        run.notes.append("picture.json: a review was left out, its words and numbers do not match.")
    if not shown:
        return ""
    first, rest = shown[0], shown[1:]
    return section(
        "Highlighted reviews",
        paragraph(
            element("span", "Framed, bold", class_="selected"),
            " words are the selection; ",
            element("span", "underlined", class_="truth"),
            " words are the annotated passage; the darker a word's ground, the more often drawn "
            "selections have it.",
        ),
        review(first),
        details(f"{count(len(rest), 'more review')}", *map(review, rest)) if rest else "",
    )


def read_sample(sample):
    """The sample where its lists fit together, else None."""
    words = sample.get("words")
    rows = results.entries(sample.get("rows"))
    lists = [sample.get("truth"), *(row.get(key) for row in rows for key in ("selected", "often"))]
    sound = isinstance(words, list) and all(
        isinstance(values, list) and len(values) == len(words) for values in lists
    )
    sound = sound and all(math.isfinite(number(row.get("k"))) for row in rows)
    return sample if sound and rows else None


def review(sample):
    """All rows' selections of one review; those of the least k open, of the others folded."""
    head = element("h3", f"Rated {plus_minus(number(sample.get('rating')), math.nan, 2)}")
    rows = results.entries(sample["rows"])
    first, *others = sorted({number(row.get("k")) for row in rows})
    folded = [details(f"The same with k = {k:g}", *selections(sample, rows, k)) for k in others]
    return element("div", head, *selections(sample, rows, first), *folded)


def selections(sample, rows, k):
    blocks = []
    for row in (row for row in rows if number(row.get("k")) == k):
        hits = sum(1 for s, t in zip(row["selected"], sample["truth"]) if s and t)
        selected = sum(1 for s in row["selected"] if s)
        heading = paragraph(
            element("b", f"{title(text(row.get('name')))}, k = {row.get('k')}"),
            f": predicted {plus_minus(number(row.get('predicted')), math.nan, 2)}",
            f", {hits} of {selected} words in the passage" if any(sample["truth"]) else "",
            class_="small",
        )
        marks = zip(sample["words"], sample["truth"], row["selected"], row["often"])
        blocks.append(join([heading, paragraph(join([word(*m) for m in marks], " "), class_="review")]))
    return blocks


def word(written, truth, selected, often):
    classes = " ".join(
        name for name, applies in (("selected", selected), ("truth", truth)) if applies
    )
    shade = round(45 * min(max(number(often), 0), 1)) if not math.isnan(number(often)) else 0
    ground = f"background: color-mix(in srgb, var(--ink) {shade}%, transparent)" if shade else ""
    return element("span", written, class_=classes, style=ground)
