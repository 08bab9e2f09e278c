"""Every training of graph layout by itself: did it learn, and did it keep what it learnt?"""

import math

from . import results
from .graph_settings import nodes
from .graph_words import TITLES, title
from .page import (
    NOTHING,
    count,
    decimal,
    duration,
    element,
    join,
    paragraph,
    percent,
    section,
    sheet,
)
from .run_folder import number

# Blind guesses score a little above chance: by noise, and for independent edges because the better
# of the two edge types is counted. What lies below 1.5 times chance has learnt nothing.
CHANCE_MARGIN = 1.5
SLIPPED = 0.1  # a final precision this far below the highest of the run is pointed out


def chance_level(run):
    """Precision of a random choice: n-1 true edges among n(n-1)/2."""
    return 2 / nodes(run)


def health(seed, chance):
    """(words, whether it is an alarm) on the course of one training."""
    precision = seed.values("edge_precision")
    unfinished = "" if seed.result else "unfinished"
    if not precision:
        return unfinished or "no evaluations", False
    highest = max((value for value in precision if not math.isnan(value)), default=math.nan)
    if not math.isfinite(precision[-1]) or not math.isfinite(seed.values("elbo")[-1]):
        return joined("diverged", unfinished), True
    if precision[-1] < CHANCE_MARGIN * chance:
        if highest >= CHANCE_MARGIN * chance:
            return joined("collapsed to chance", unfinished), True
        return unfinished or "never left chance", not unfinished
    if precision[-1] < highest - SLIPPED:
        return (
            joined(f"ends {percent(highest - precision[-1])} points below its highest", unfinished),
            True,
        )
    return unfinished or "steady", False


def joined(*parts):
    return ", ".join(filter(None, parts))


def collapsed(seed, chance):
    state = health(seed, chance)[0]
    return state.startswith(("collapsed", "diverged"))


def seeds_section(run):
    if not run.seeds:
        return ""
    chance = chance_level(run)
    names = results.in_order({seed.row for seed in run.seeds}, list(TITLES))
    by_row = [(name, [seed for seed in run.seeds if seed.row == name]) for name in names]
    parts = [
        (row_health(name, seeds, chance), [seed_cells(seed, chance) for seed in seeds])
        for name, seeds in by_row
    ]
    columns = [
        "Seed",
        "ELBO",
        "Precision %",
        "Recall %",
        "last",
        "highest",
        "Updates",
        "Time",
        "Course",
    ]
    groups = [("", 1), ("Test, best checkpoint", 3), ("Validation precision %", 2), ("", 3)]
    note = (
        f"Chance level is {percent(chance, 0)} %: the precision of edges drawn blindly. A training "
        f"has collapsed if its last evaluation lies below {percent(CHANCE_MARGIN * chance, 0)} % "
        "after it had been above; test figures, from the best checkpoint, would not show it."
    )
    return section(
        "Every training",
        sheet(columns, parts, groups, "Every training of this run"),
        paragraph(note, class_="small"),
    )


def row_health(name, seeds, chance):
    finished = [seed for seed in seeds if seed.result]
    ends = [seed.values("edge_precision")[-1] for seed in finished if seed.evaluations]
    fallen = sum(collapsed(seed, chance) for seed in seeds)
    lowest = min((end for end in ends if not math.isnan(end)), default=math.nan)
    verdict = element("span", f"{fallen} collapsed", class_="alarm") if fallen else "none collapsed"
    return join(
        [
            element("b", title(name)),
            f" – {count(len(seeds), 'seed')}, ",
            f"{len(seeds) - len(finished)} unfinished, " if len(finished) < len(seeds) else "",
            verdict,
            f", lowest final precision {percent(lowest)} %",
        ]
    )


def seed_cells(seed, chance):
    result = seed.result or {}
    precision = seed.values("edge_precision")
    highest = max((value for value in precision if not math.isnan(value)), default=math.nan)
    words, alarm = health(seed, chance)
    last = seed.evaluations[-1] if seed.evaluations else {}
    updates = number(result.get("updates", last.get("update")))
    seconds = number(result.get("seconds", last.get("seconds")))
    return [
        seed.seed,
        decimal(number(result.get("elbo"))),
        percent(number(result.get("edge_precision"))),
        percent(number(result.get("edge_recall"))),
        percent(precision[-1] if precision else math.nan),
        percent(highest),
        NOTHING if math.isnan(updates) else f"{updates:,.0f}",
        duration(seconds),
        element("span", words, class_="alarm") if alarm else words,
    ]
