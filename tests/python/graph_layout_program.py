"""Runs softtricks-graph-layout for the tests beside this file."""

from experiment_program import Experiment

EXPERIMENT = Experiment("softtricks-graph-layout")
PROGRAM, needs_program, run = EXPERIMENT.program, EXPERIMENT.needed, EXPERIMENT.run


def train(folder, *arguments, **options):
    """A tiny training into `folder`, its data beside it."""
    given = "--rows", "spanning_tree", "--data", folder.parent / "data"
    return EXPERIMENT.train(folder, *given, *arguments, **options)
