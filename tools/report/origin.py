"""Where a report comes from: date, preset, commands, machine, options, and what was missing."""

from . import page
from .page import bullets, code, details, element, facts, paragraph, plain
from .run_folder import text


def kicker(run):
    """The small line above the title."""
    preset = text(run.config.get("preset"))
    parts = [
        "softtricks",
        "report of a training run",
        f"preset {preset}" if preset else "",
        date(run),
    ]
    return " · ".join(filter(None, parts))


def machine(run):
    recorded = run.summary.get("machine")
    return recorded if isinstance(recorded, dict) else {}


def date(run):
    """The day as the run recorded it: reports of one run are the same on every day."""
    found = [
        text(place.get(name))
        for name in ("date", "started", "finished")
        for place in (run.summary, machine(run), run.config)
    ]
    return next(filter(None, found), "")


def missing(notes):
    if not notes:
        return ""
    return element(
        "aside",
        paragraph(element("b", "What this run folder lacks")),
        bullets(notes),
        class_="missing",
    )


def section(run, rows):
    commands = [
        text(run.config.get("command")),
        text(run.summary.get("command")),
        *(row.command for row in rows),
    ]
    distinct = list(dict.fromkeys(filter(None, commands)))
    folder = text(run.config.get("out")) or run.path.resolve().name
    intro = (
        "Each of these can be typed again; a click selects it."
        if distinct
        else "The command of the training was not recorded. This made the report:"
    )
    options = [(name, plain(value)) for name, value in run.config.items()]
    return page.section(
        "How this was made",
        paragraph(intro),
        *map(code, distinct),
        code(f".venv/bin/python tools/report.py {folder}"),
        facts(circumstances(run)),
        details("All options of the run", facts(options)) if options else "",
    )


def circumstances(run):
    recorded = [
        (name.replace("_", " ").capitalize(), plain(value))
        for name, value in machine(run).items()
        if name != "date"
    ]
    return [("Date", date(run) or "not recorded"), *(recorded or [("Machine", "not recorded")])]
