"""Drawings of graph layout: moving points, sampled edges over the layout, adjacency matrices."""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy
from matplotlib.patches import Rectangle

from . import figures
from .figures import PLACEHOLDER, Stroke

CORRECT = Stroke("correct", width=2)
WRONG = Stroke("wrong", (5, 2.2), 1.5)
MISSED = Stroke("missed", (1.2, 2), 1.3)
MOST_WRITTEN = 14  # nodes of a matrix up to which its values can be read


@dataclass
class Sample:
    """One example graph: truth, motion and, per row of the table, a hard and a soft sample."""

    truth: set  # pairs (i, j), i < j
    positions: numpy.ndarray  # [frames, nodes, 2]
    edges: dict  # row -> list of sampled (i, j)
    soft: dict  # row -> [nodes, nodes]

    @classmethod
    def read(cls, entry):
        """From picture.json; ValueError says what is wrong with the entry."""
        try:
            positions = numpy.asarray(entry["positions"], dtype=float)
            positions = positions[None] if positions.ndim == 2 else positions
            nodes = positions.shape[1]
            truth = {undirected(edge, nodes) for edge in entry["truth"]}
            rows = dict(entry.get("rows") or {})
            edges = {
                row: [directed(e, nodes) for e in drawn["edges"]] for row, drawn in rows.items()
            }
            soft = {
                row: numpy.asarray(drawn["soft"], dtype=float).reshape(nodes, nodes)
                for row, drawn in rows.items()
                if drawn.get("soft") is not None
            }
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error
        if positions.ndim != 3 or positions.shape[2] != 2 or not positions.size:
            raise ValueError(f"positions have the shape {positions.shape}, not (frames, nodes, 2)")
        if not numpy.isfinite(positions).all():
            raise ValueError("a position is not finite")
        return cls(truth, positions, edges, soft)

    @property
    def nodes(self):
        return self.positions.shape[1]


def directed(edge, nodes):
    i, j = (int(end) for end in edge)
    if i == j or not (0 <= i < nodes and 0 <= j < nodes):
        raise ValueError(f"no edge ({i}, {j}) between {nodes} nodes")
    return i, j


def undirected(edge, nodes):
    return tuple(sorted(directed(edge, nodes)))


def is_directed(sample, row):
    """Whether each direction of a pair was sampled for itself; otherwise pairs come as i < j."""
    soft = sample.soft.get(row)
    asymmetric = soft is not None and not numpy.allclose(soft, soft.T, atol=1e-3, equal_nan=True)
    return asymmetric or any(i > j for i, j in sample.edges[row])


def adjacency(sample):
    """The true edges as a symmetric 0/1 matrix."""
    matrix = numpy.zeros((sample.nodes, sample.nodes))
    for i, j in sample.truth:
        matrix[i, j] = matrix[j, i] = 1
    return matrix


def score(sample, row):
    """Correct, sampled and missed edges, counted over directions where those were sampled."""
    edges = set(sample.edges[row])
    truth = sample.truth
    if is_directed(sample, row):
        truth = truth | {(j, i) for i, j in truth}
    return len(edges & truth), len(edges), len(truth - edges)


def motion(sample, name):
    """What the model sees: where each point went."""
    with canvas(sample) as (drawn, axes):
        for path in sample.positions.transpose(1, 0, 2):
            axes.plot(*path.T, color=PLACEHOLDER["muted"], linewidth=0.8, alpha=0.7)
            axes.plot(*path[:1].T, marker=".", markersize=2.5, color=PLACEHOLDER["muted"])
            axes.plot(*path[-1:].T, marker="o", markersize=4.5, color=PLACEHOLDER["ink"])
        return figures.svg(drawn, name, "The moving points, without edges")


def truth(sample, name):
    with canvas(sample) as (drawn, axes):
        lines(axes, sample, sample.truth, Stroke("ink", width=2))
        points(axes, sample)
        return figures.svg(drawn, name, f"True edges: {words(sample.truth)}")


def sampled(sample, row, name):
    """The hard sample over the layout of the last frame, edge by edge correct, wrong or missed."""
    edges = set(sample.edges[row])
    pairs = {tuple(sorted(edge)) for edge in edges}
    with canvas(sample) as (drawn, axes):
        lines(axes, sample, sample.truth - pairs, MISSED)
        lines(axes, sample, pairs - sample.truth, WRONG)
        lines(axes, sample, pairs & sample.truth, CORRECT)
        if is_directed(sample, row):
            one_way = {(i, j) for i, j in edges if (j, i) not in edges}
            heads(axes, sample, one_way)
        points(axes, sample)
        return figures.svg(drawn, name, f"Sampled edges: {words(pairs)}")


def words(edges):
    return ", ".join(f"{i}–{j}" for i, j in sorted(edges)) or "none"


@contextmanager
def canvas(sample):
    """A drawing without axes, as wide as the layout, all frames, and about as high."""
    places = sample.positions.reshape(-1, 2)
    low, high = places.min(axis=0), places.max(axis=0)
    middle, reach = (low + high) / 2, (high - low).max() / 2 or 1
    half = numpy.maximum((high - low) / 2, (reach, 0.55 * reach)) + 0.1 * reach
    with figures.drawing(2.3, 2.3 * half[1] / half[0]) as drawn:
        axes = drawn.add_axes((0, 0, 1, 1))
        axes.set(
            xlim=(middle[0] - half[0], middle[0] + half[0]),
            ylim=(middle[1] - half[1], middle[1] + half[1]),
        )
        axes.axis("off")
        yield drawn, axes


def lines(axes, sample, edges, stroke):
    for i, j in sorted(edges):
        axes.plot(
            *sample.positions[-1, [i, j]].T,
            color=stroke.color,
            linewidth=stroke.width,
            linestyle=stroke.line_style,
            solid_capstyle="round",
        )


def heads(axes, sample, edges):
    """A small arrow head, from sender j to receiver i, where one direction only was sampled."""
    for i, j in sorted(edges):
        end, start = sample.positions[-1, [i, j]]
        stroke = CORRECT if tuple(sorted((i, j))) in sample.truth else WRONG
        axes.annotate(
            "",
            start + 0.56 * (end - start),
            start + 0.44 * (end - start),
            arrowprops={
                "arrowstyle": "-|>",
                "color": stroke.color,
                "linewidth": 0,
                "shrinkA": 0,
                "shrinkB": 0,
                "mutation_scale": 12,
            },
        )


def points(axes, sample):
    for node, place in enumerate(sample.positions[-1]):
        axes.plot(
            *place[:, None],
            marker="o",
            markersize=10.5,
            markeredgewidth=1,
            zorder=5,
            color=PLACEHOLDER["paper"],
            markeredgecolor=PLACEHOLDER["ink"],
        )
        axes.text(*place, str(node), ha="center", va="center_baseline", fontsize=7, zorder=6)


def matrix(values, true_edges, name, label):
    """A heat map with values; cells of true edges are framed. values: [nodes, nodes] in [0, 1]."""
    nodes = len(values)
    with figures.drawing(3.3, 3.3) as drawn:
        axes = drawn.add_axes((0.06, 0.005, 0.935, 0.935))
        axes.set(xlim=(0, nodes), ylim=(nodes, 0), aspect="equal")
        for i in range(nodes):
            for j in range(nodes):
                cell(axes, nodes, i, j, values[i, j], (min(i, j), max(i, j)) in true_edges)
        ticks = numpy.arange(nodes) + 0.5
        axes.set_xticks(ticks, range(nodes))
        axes.set_yticks(ticks, range(nodes))
        axes.tick_params(
            length=0, pad=2, labelsize=7, top=True, labeltop=True, bottom=False, labelbottom=False
        )
        axes.spines[:].set_visible(False)
        return figures.svg(drawn, name, label)


def cell(axes, nodes, i, j, value, framed):
    if i == j or not numpy.isfinite(value):
        return
    shade = float(numpy.clip(value, 0, 1))
    figures.cell(axes, i, j, shade)
    if framed:
        axes.add_patch(
            Rectangle(
                (j + 0.07, i + 0.07),
                0.86,
                0.86,
                fill=False,
                linewidth=1.3,
                clip_on=False,
                edgecolor=PLACEHOLDER["correct"],
            )
        )
    if nodes > MOST_WRITTEN:
        return
    axes.text(
        j + 0.5,
        i + 0.52,
        short(value),
        ha="center",
        va="center_baseline",
        fontsize=7.5,
        color=PLACEHOLDER["paper" if shade > 0.5 else "ink"],
    )


def short(value):
    """Two decimals without the leading zero: .07, 1, 0."""
    written = f"{value:.2f}"
    if written in ("0.00", "-0.00"):
        return "0"
    return "1" if written == "1.00" else written.replace("0.", ".", 1)
