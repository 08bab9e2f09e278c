"""The page: HTML pieces, number formats, and writing it in one go."""

import html
import math
import os
from pathlib import Path

STYLE = Path(__file__).with_name("style.css")
NOTHING = "–"


class Html(str):
    """Text that is HTML already; everything else is escaped where it enters the page."""


def safe(value):
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def join(pieces, separator=""):
    return Html(separator.join(safe(piece) for piece in pieces))


def element(tag, *children, **attributes):
    """<tag attributes>children</tag>; `class_` stands for class, `aria_label` for aria-label."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value not in (None, "")
    )
    return Html(f"<{tag}{written}>{join(children)}</{tag}>")


def paragraph(*children, **attributes):
    return element("p", *children, **attributes)


def section(title, *children):
    return element("section", element("h2", title), *children)


def bullets(items):
    return element("ul", *(element("li", item) for item in items))


def definitions(pairs):
    return element(
        "dl",
        *(element("div", element("dt", term), element("dd", meaning)) for term, meaning in pairs),
    )


def code(command):
    return element("pre", element("code", command))


def details(summary, *children):
    return element("details", element("summary", summary), *children)


def figure(picture, *caption, **attributes):
    return element(
        "figure", picture, element("figcaption", *caption) if caption else "", **attributes
    )


def table(columns, rows, groups=(), label=None, class_=None):
    """A table. columns: headings, the first column holds names; rows: lists of cells;
    groups: (heading, number of columns) pairs above the headings."""
    return sheet(columns, [(None, rows)], groups, label, class_)


def sheet(columns, parts, groups=(), label=None, class_=None):
    """A table in parts: (heading over the part's whole width or None, rows) pairs."""
    head = element("tr", *(element("th", column, scope="col") for column in columns))
    if groups:
        head = join(
            [
                element(
                    "tr",
                    *(
                        element("th", heading, colspan=width, scope="colgroup")
                        for heading, width in groups
                    ),
                    class_="groups",
                ),
                head,
            ]
        )
    bodies = [part_of_sheet(heading, rows, len(columns)) for heading, rows in parts]
    content = element("table", element("thead", head), *bodies, aria_label=label, class_=class_)
    return element("div", content, class_="scroll")


def part_of_sheet(heading, rows, width):
    lines = [
        element(
            "tr", element("th", cells[0], scope="row"), *(element("td", cell) for cell in cells[1:])
        )
        for cells in rows
    ]
    if heading:
        lines.insert(
            0,
            element(
                "tr", element("th", heading, colspan=width, scope="rowgroup", class_="heading")
            ),
        )
    return element("tbody", *lines)


def facts(pairs):
    """A quiet two-column table of names and values."""
    rows = [
        element("tr", element("th", name, scope="row"), element("td", value))
        for name, value in pairs
    ]
    return element(
        "div", element("table", element("tbody", *rows), class_="facts"), class_="scroll"
    )


def page(title, kicker, lead, *sections):
    style = Html(f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>")
    head = element(
        "head",
        Html(
            '<meta charset="utf-8">\n<meta name="viewport" '
            'content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
        ),
        element("title", title),
        style,
    )
    header = element("header", paragraph(kicker, class_="kicker"), element("h1", title), lead)
    body = element("body", element("main", header, *sections))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


# Numbers


def decimal(value, digits=0):
    """A number with a true minus sign, a dash where there is none."""
    if value is None or math.isnan(value):
        return NOTHING
    written = f"{value:.{digits}f}"
    if float(written) == 0:
        written = written.lstrip("-")
    return written.replace("-", "−")


def plus_minus(mean, deviation, digits=0):
    written = decimal(mean, digits)
    return written if math.isnan(deviation) else f"{written} ± {decimal(deviation, digits)}"


def percent(fraction, digits=1):
    return decimal(fraction if fraction is None else 100 * fraction, digits)


def duration(seconds):
    if math.isnan(seconds) or math.isinf(seconds):
        return NOTHING
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def count(amount, word):
    return f"{amount:,} {word}" if amount == 1 else f"{amount:,} {word}s"


def plain(value):
    """A value of a JSON file as a reader expects it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    return NOTHING if value is None else str(value)


def write_atomically(path, content):
    """Writes beside the goal and renames, so that no half-written page replaces a good one."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(partial, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
