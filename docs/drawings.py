"""How each structure is drawn: a function of the axes, the shape and x, one number an entry.

Ink is x: bars by height, cells by grey, edges by grey and width. What is exactly 0, or would not be
seen, is not drawn. PICTURES says which instance stands for a structure; a new one needs a line
there, and a drawing of its own only where bars don't show what it is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path
from report.figures import PLACEHOLDER, cell

INK, PAPER, GREY = (PLACEHOLDER[paint] for paint in ("ink", "paper", "missed"))
LEAST = 0.004  # less ink than this is not seen


def stroke(value):
    """Width and grey of an edge."""
    return {"color": INK, "linewidth": 0.3 + 1.9 * value, "alpha": 0.12 + 0.88 * value}


def bare(axes, low, high):
    """No frame, no ticks; both directions to scale."""
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    axes.axis("off")


def bars(axes, shape, x, gap=()):
    """An entry a bar; gap: numbers of neighbours, as narrower bars between them."""
    axes.bar(range(len(x)), x, width=0.62, color=INK)
    axes.bar([i + 0.5 for i in range(len(gap))], gap, width=0.38, color=GREY)
    axes.set(xlim=(-0.7, len(x) - 0.3), ylim=(0, 1.04), xlabel="entry", ylabel="x")
    axes.set_xticks([0, len(x) - 1])
    axes.set_yticks([0, 1])
    small(axes)


def small(axes):
    axes.tick_params(labelsize=6.5, length=2, pad=1.5)
    axes.xaxis.label.set(fontsize=7)
    axes.yaxis.label.set(fontsize=7)
    axes.xaxis.labelpad = axes.yaxis.labelpad = 0


def bars_with_neighbours(axes, shape, x):
    items = shape["items"]
    bars(axes, shape, x[:items], gap=x[items:])
    axes.set_xlabel("item")


def cells(axes, values, ylabel, xlabel):
    """A matrix of numbers, row 0 on top."""
    rows, columns = len(values), len(values[0])
    axes.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal", xlabel=xlabel, ylabel=ylabel)
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            if value >= LEAST:
                cell(axes, i, j, value)
    axes.set_xticks([0.5, columns - 0.5], [0, columns - 1])
    axes.set_yticks([0.5, rows - 0.5], [0, rows - 1])
    axes.spines[:].set_visible(True)
    small(axes)
    axes.tick_params(length=0)


def matrix(axes, shape, x):
    columns = shape.get("columns", math.isqrt(len(x)))
    cells(axes, [x[e : e + columns] for e in range(0, len(x), columns)], "row", "column")


def dots(axes, places):
    """Numbered vertices."""
    axes.scatter(
        *zip(*places, strict=True),
        s=52,
        c=PAPER,
        edgecolors=INK,
        linewidths=0.7,
        zorder=5,
        clip_on=False,
    )
    for v, place in enumerate(places):
        axes.text(*place, str(v), ha="center", va="center_baseline", fontsize=5.5, zorder=6)


def ring(count):
    angles = [math.pi / 2 - 2 * math.pi * v / count for v in range(count)]
    return [(math.cos(angle), math.sin(angle)) for angle in angles]


def line(axes, start, end, value):
    if value >= LEAST:
        across, up = zip(start, end, strict=True)
        axes.plot(across, up, solid_capstyle="butt", clip_on=False, **stroke(value))


def tree(axes, shape, x):
    """Edges (i, j), i < j, row-major, on a ring of vertices."""
    nodes = shape["nodes"]
    places = ring(nodes)
    bare(axes, (-1.2, -1.2), (1.2, 1.2))
    edges = [(i, j) for i in range(nodes) for j in range(i + 1, nodes)]
    for (i, j), value in zip(edges, x, strict=True):
        line(axes, places[i], places[j], value)
    dots(axes, places)


def arrow(axes, value, **course):
    """From head to modifier; course: posA, posB and connectionstyle, or path."""
    if value >= LEAST:
        size = 3 + 2.5 * value
        axes.add_patch(
            FancyArrowPatch(
                arrowstyle="-|>",
                mutation_scale=size,
                capstyle="butt",
                clip_on=False,
                **course,
                **stroke(value),
            )
        )


def rooted_tree(axes, shape, x):
    """Arcs [head, modifier] on a ring of vertices, the root 0 on top."""
    nodes = shape["nodes"]
    places = ring(nodes)
    bare(axes, (-1.2, -1.2), (1.2, 1.2))
    for e, value in enumerate(x):
        head, modifier = divmod(e, nodes)
        ends = {"posA": places[head], "posB": places[modifier], "shrinkA": 4, "shrinkB": 4.5}
        arrow(axes, value, connectionstyle="arc3,rad=0.1", **ends)
    dots(axes, places)


def arches(axes, nodes, arcs):
    """Arcs (from, to, value) above a row of vertices."""
    bare(axes, (-0.4, -0.3), (nodes - 0.6, 0.5 + 0.42 * nodes))
    for start, end, value in arcs:
        aside = math.copysign(0.14, end - start)
        left, right, rise = start + aside, end - aside, 0.5 + 0.52 * abs(end - start)
        corners = [(left, 0.3), (left, rise), (right, rise), (right, 0.3)]
        course = Path(corners, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
        arrow(axes, value, path=course)
    dots(axes, [(v, 0) for v in range(nodes)])


def dependencies(axes, shape, x):
    nodes = shape["nodes"]
    arches(axes, nodes, [(*divmod(e, nodes), value) for e, value in enumerate(x)])


def path(axes, shape, x):
    """Edges (i, j), i < j, row-major, above a row of vertices."""
    nodes = shape["nodes"]
    ends = [(i, j) for i in range(nodes) for j in range(i + 1, nodes)]
    arches(axes, nodes, [(i, j, value) for (i, j), value in zip(ends, x, strict=True)])


def lattice(axes, shape, x):
    """States as dots, a column a step; transitions as edges."""
    length, states = shape["length"], shape["states"]
    bare(axes, (-0.3, states - 0.7), (length - 0.7, -0.3))
    for e, value in enumerate(x[length * states :]):
        step, (start, end) = e // states**2, divmod(e % states**2, states)
        line(axes, (step, start), (step + 1, end), value)
    steps, rows = zip(*(divmod(e, states) for e in range(length * states)), strict=True)
    inside = [(INK, round(value, 3)) for value in x[: length * states]]
    for color in (PAPER, inside):
        axes.scatter(
            steps, rows, s=26, c=color, edgecolors=INK, linewidths=0.5, zorder=5, clip_on=False
        )


@dataclass(frozen=True)
class Picture:
    """The instance that stands for a structure. theta: [size]; aspect: height of a panel by its
    width; foot: inches below the last row, for what names the axis."""

    shape: dict
    theta: list
    draw: Callable = bars
    seed: int = 0
    noise: str = "gumbel"
    aspect: float = 0.7
    foot: float = 0.2
    rows: tuple = ("gibbs_entropy", "squared_norm")


PICTURES = {
    "one_hot": Picture({"categories": 8}, [0] * 8, seed=20),
    "bit_vector": Picture({"bits": 8}, [0] * 8, noise="logistic", seed=45),
    "k_subset": Picture({"items": 10, "k": 3}, [0] * 10, seed=47),
    "range_subset": Picture({"items": 10, "least": 2, "most": 4}, [0] * 10, seed=47),
    "correlated_k_subset": Picture(
        {"items": 12, "k": 5},
        [0] * 12 + [1] * 11,
        bars_with_neighbours,
        seed=9,
    ),
    "spanning_tree": Picture({"nodes": 7}, [0] * 21, tree, aspect=1, foot=0, seed=6),
    "arborescence": Picture({"nodes": 5}, [0] * 25, rooted_tree, aspect=1, foot=0, seed=20),
    "linear_chain": Picture(
        {"length": 4, "states": 3}, [0] * (12 + 27), lattice, aspect=0.6, foot=0, seed=5
    ),
    "projective_tree": Picture({"nodes": 6}, [0] * 36, dependencies, aspect=0.58, foot=0, seed=26),
    "matching": Picture(
        {"pairs": 6}, [0] * 36, matrix, aspect=1, rows=("shannon_entropy", "squared_norm"), seed=34
    ),
    "dag_path": Picture({"nodes": 7}, [-1] * 21, path, aspect=0.58, foot=0, seed=2),
    "grid_path": Picture({"rows": 7, "columns": 7}, [0] * 49, matrix, aspect=1, seed=49),
}
