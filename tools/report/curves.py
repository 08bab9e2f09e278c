"""Learning curves: one panel per metric and horizontal axis, one line per training."""

import math
from dataclasses import dataclass

import numpy

from . import figures
from .figures import PLACEHOLDER, Stroke
from .page import element, figure

# Horizontal axes: (key of an evaluation, its value in the unit of the axis, words).
AXES = (("update", 1, "updates"), ("seconds", 60, "minutes of training"))


@dataclass
class Metric:
    """A vertical axis. unit: value of the metric drawn as 1; limits: its range, chosen from the
    curves if None; reference: (height, words) of a thin line to compare with."""

    key: str
    unit: float
    words: str
    limits: tuple | None = None
    reference: tuple | None = None


@dataclass
class Curve:
    x: list
    y: list
    stroke: Stroke


def finite(curve):
    points = [(x, y) for x, y in zip(curve.x, curve.y) if math.isfinite(x) and math.isfinite(y)]
    return [x for x, _ in points], [y for _, y in points]


def lower_end(curves):
    """Where the vertical axis may begin: the first, very low evaluations would flatten the rest;
    but the end of every curve stays in view."""
    drawn = [y for y in (finite(curve)[1] for curve in curves) if y]
    tenth = float(numpy.percentile([value for y in drawn for value in y], 10))
    return min(tenth, min(y[-1] for y in drawn))


def gallery(seeds, metrics, stroke):
    """All panels, empty without evaluations. stroke: (row, all rows) -> the line of the row."""
    rows = {seed.row for seed in seeds}
    panels = []
    for axis, unit, words in AXES:
        for metric in metrics:
            curves = [
                Curve(
                    [x / unit for x in seed.values(axis)],
                    [y / metric.unit for y in seed.values(metric.key)],
                    stroke(seed.row, rows),
                )
                for seed in seeds
            ]
            panels.append(panel(curves, f"curve-{axis}-{metric.key}", words, metric))
    drawn = [figure(drawn) for drawn in panels if drawn]
    return element("div", *drawn, class_="curves") if drawn else ""


def panel(curves, name, x_label, metric):
    """The SVG of one panel, None where there is nothing to draw."""
    if not any(finite(curve)[0] for curve in curves):
        return None
    with figures.drawing(4.6, 3.1) as drawn:
        axes = drawn.add_axes((0.13, 0.15, 0.85, 0.75))
        for curve in curves:
            draw(axes, curve)
        vertical_range(axes, curves, metric.limits)
        if metric.reference:
            mark(axes, *metric.reference)
        axes.grid(axis="y")
        axes.tick_params(length=0, pad=5)
        axes.spines["left"].set_visible(False)
        axes.set_xlim(left=0)
        axes.set_xlabel(x_label)
        axes.set_title(metric.words, loc="left", fontsize=10)
        axes.xaxis.set_major_formatter("{x:,.10g}")
        return figures.svg(drawn, name, f"{metric.words} against {x_label}, one line per training")


def draw(axes, curve):
    x, y = finite(curve)
    style = {"color": curve.stroke.color, "zorder": 3}
    axes.plot(
        x, y, linestyle=curve.stroke.line_style, linewidth=curve.stroke.width, alpha=0.9, **style
    )
    if x:
        axes.plot(x[-1:], y[-1:], marker="o", markersize=3.5, linestyle="none", **style)


def vertical_range(axes, curves, limits):
    if limits:
        axes.set_ylim(*limits)
        return
    bottom = lower_end(curves)
    top = max(max(y) for y in (finite(curve)[1] for curve in curves) if y)
    margin = 0.05 * (top - bottom) or 1
    axes.set_ylim(bottom - margin, top + margin)


def mark(axes, height, words):
    axes.axhline(height, color=PLACEHOLDER["muted"], linewidth=0.8, zorder=2)
    axes.annotate(
        words,
        (1, height),
        xycoords=("axes fraction", "data"),
        xytext=(0, -10),  # below: nothing stays under chance for long
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color=PLACEHOLDER["muted"],
    )
