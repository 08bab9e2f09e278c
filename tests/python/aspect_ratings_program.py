"""Runs softtricks-aspect-ratings for the tests beside this file."""

import json

from experiment_program import Experiment

EXPERIMENT = Experiment("softtricks-aspect-ratings")
PROGRAM, needs_program, run = EXPERIMENT.program, EXPERIMENT.needed, EXPERIMENT.run
train = EXPERIMENT.train


def reviews(*arguments):
    """The corpus as the program reads it: part -> list of {words, rating, truth}."""
    done = run("reviews", *arguments)
    assert done.returncode == 0, done.stderr
    parts = {}
    for line in done.stdout.splitlines():
        review = json.loads(line)
        parts.setdefault(review["part"], []).append(review)
    return parts
