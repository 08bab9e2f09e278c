"""Drawings: matplotlib figures as inline SVG whose colours are the page's own.

Figures are drawn in placeholder colours, one per paint. In the SVG each placeholder becomes a CSS
variable of the page, so that a drawing follows light mode, dark mode and print like the text does.
"""

import io
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .page import Html, element, safe

PAINTS = (
    "ink",
    "muted",
    "line",
    "paper",
    "correct",
    "wrong",
    "missed",
    "row-1",
    "row-2",
    "row-3",
    "row-4",
    "row-5",
    "row-6",
)
PLACEHOLDER = {paint: f"#fedc{index:02x}" for index, paint in enumerate(PAINTS, start=1)}


@dataclass(frozen=True)
class Stroke:
    """How a line is told apart: by colour, and by dashes where colour can't be seen."""

    paint: str
    dashes: tuple = ()  # on, off, ... in points; empty for a solid line
    width: float = 1.5

    @property
    def color(self):
        return PLACEHOLDER[self.paint]

    @property
    def line_style(self):
        return (0, self.dashes) if self.dashes else "-"


ROW_STROKES = (
    Stroke("row-1"),
    Stroke("row-2", (6, 2.5)),
    Stroke("row-3", (1.5, 2)),
    Stroke("row-4", (8, 2, 1.5, 2)),
    Stroke("row-5", (3.5, 2)),
    Stroke("row-6", (5, 2, 1.5, 2, 1.5, 2)),
)


def theme():
    ink, muted, line = (PLACEHOLDER[paint] for paint in ("ink", "muted", "line"))
    return {
        "svg.fonttype": "none",
        "lines.scale_dashes": False,
        "font.size": 9,
        "text.color": ink,
        "axes.labelcolor": muted,
        "axes.edgecolor": line,
        "xtick.color": line,
        "ytick.color": line,
        "xtick.labelcolor": muted,
        "ytick.labelcolor": muted,
        "grid.color": line,
        "grid.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
    }


@contextmanager
def drawing(width, height):
    """A figure of width x height inches under the report's theme, whatever the user's settings."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(theme())
        yield Figure(figsize=(width, height))


def svg(drawn, name, label):
    """The figure as inline SVG. name: differs for each figure of a page; label: what it shows."""
    matplotlib.rcParams["svg.hashsalt"] = name  # ids depend on the drawing only
    buffer = io.StringIO()
    drawn.savefig(
        buffer,
        format="svg",
        transparent=True,
        metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")),
    )
    return inline(buffer.getvalue(), label)


def standalone(drawn, name, label):
    """The figure as an SVG file of its own, on white in the colours of light mode."""
    sheet = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    light = dict(re.findall(r"--([\w-]+): (#\w+);", sheet[: sheet.index("}")]))
    written = re.sub(r"var\(--([\w-]+)\)", lambda m: light[m[1]], svg(drawn, name, label))
    width, height = (round(96 * inches) for inches in drawn.get_size_inches())
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="DejaVu Sans, Verdana, Arial, sans-serif"'
    )
    wall = f'><rect width="100%" height="100%" fill="{light["paper"]}"/>'
    return written.replace("<svg", start, 1).replace(">", wall, 1)


def inline(written, label):
    """An SVG document as an element of the page: no outside names, no fixed size, page colours."""
    box = re.search(r'viewBox="([^"]*)"', written)[1]
    inner = written[written.index(">", written.index("<svg")) + 1 : written.rindex("</svg>")]
    inner = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", inner, flags=re.S)
    inner = inner.replace("xlink:href", "href")
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', inner))
    inner = re.sub(r' id="([^"]*)"', lambda m: m[0] if m[1] in used else "", inner)
    for paint, color in PLACEHOLDER.items():
        inner = inner.replace(color, f"var(--{paint})")
    inner = re.sub(r"<[^>]+>", lambda tag: terse(tag[0]), inner)
    inner = re.sub(r">\s+<", "><", inner).replace("<g></g>", "").replace("<g/>", "")
    return Html(
        f'<svg viewBox="{box}" role="img" aria-label="{safe(label)}">{inner.strip()}</svg>\n'
    )


def terse(tag):
    """A tag of the drawing with coordinates to 1/100 of a point, and the page's font family."""
    tag = re.sub(r"font-family: [^;\"]*(; )?", "", tag)
    tag = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", tag)
    tag = re.sub(r"\d+\.\d{3,}", lambda digits: f"{float(digits[0]):.2f}", tag)
    tag = re.sub(r' transform="rotate\(-?0 [^"]*"', "", tag)
    return re.sub(r"\s+", " ", tag)


def key(entries):
    """A legend: (stroke, words) pairs, each with a sample of the line."""
    return element(
        "ul", *(element("li", sample(stroke), words) for stroke, words in entries), class_="key"
    )


def sample(stroke):
    dashes = " ".join(f"{length:g}" for length in stroke.dashes)
    line = element(
        "line",
        x1=1,
        y1=5,
        x2=35,
        y2=5,
        stroke_dasharray=dashes,
        stroke_width=stroke.width,
        style=f"stroke: var(--{stroke.paint})",
    )
    return element("svg", line, viewBox="0 0 36 10", class_="sample", aria_hidden="true")


def cell(axes, row, column, value):
    """A cell of a heat map, grey by opacity: from the page's colour at 0 to the ink at 1."""
    axes.add_patch(
        Rectangle(
            (column + 0.03, row + 0.03),
            0.94,
            0.94,
            linewidth=0,
            clip_on=False,
            facecolor=PLACEHOLDER["ink"],
            alpha=0.04 + 0.9 * value,
        )
    )


def set_apart(wanted, gap):
    """Heights of labels near those wanted (ascending), `gap` or more apart, between 0 and 1 where
    there is room."""
    heights = []
    for height in wanted:
        heights.append(max(height, heights[-1] + gap) if heights else max(height, 0))
    limit = 1.0
    for i in reversed(range(len(heights))):
        heights[i] = min(heights[i], limit)
        limit = heights[i] - gap
    return heights
