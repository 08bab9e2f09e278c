"""What the examples share: options, the digits, the loop of training, what is printed, pictures."""

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from matplotlib.figure import Figure
from PIL import Image

# One thread and no algorithm that adds in any order: the same numbers in every run.
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def options(description, steps, quick_steps):
    """The command line of an example; in a notebook, its defaults."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seed", type=int, default=0, help="of data, weights and noise")
    parser.add_argument("--steps", type=positive, help=f"of training; default {steps}")
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), metavar="FOLDER")
    parser.add_argument("--quick", action="store_true", help=f"{quick_steps} steps, less to test")
    given = parser.parse_args([] if in_notebook() else None)
    given.steps = given.steps or (quick_steps if given.quick else steps)
    given.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(given.seed)
    return given


def positive(text):
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def in_notebook():
    return "ipykernel" in sys.modules


def digits():
    """scikit-learn's handwritten digits: images [n, 64] in [0, 1] and labels, to train and to test.

    The split is the same for every seed.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    images = torch.tensor(data.data, dtype=torch.float32) / 16
    labels = torch.tensor(data.target)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    train, test = order[:1400], order[1400:]
    return (images[train], labels[train]), (images[test], labels[test])


def train(title, modules, loss, steps, rate=3e-3):
    """Adam on loss(step), with a rate that falls to 0 so that the last steps do not jump about."""
    parameters = [p for module in modules for p in module.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    begin, mean = time.monotonic(), None
    end = "\r" if sys.stderr.isatty() else "\n"
    for step in range(steps):
        value = loss(step)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        mean = value.item() if mean is None else 0.98 * mean + 0.02 * value.item()
        if (step + 1) % max(1, steps // 10) == 0:
            seconds = time.monotonic() - begin
            line = f"{title}: step {step + 1}/{steps}, loss {mean:.4g}, {seconds:.0f} s"
            print(f"{line:<78}", end=end, file=sys.stderr, flush=True)
    print(end="\n" if end == "\r" else "", file=sys.stderr)


def show(name, values, note=""):
    """Prints the mean of one number an instance, with its standard error."""
    values = values.double()
    error = values.std() / len(values) ** 0.5
    print(f"  {name:<44} {values.mean():9.3f} +- {error:.3f}  {note}".rstrip())


def conclude(options, name, better, worse):
    """Keeps what was reached and what is expected without learning, one number an instance."""
    gain = (better - worse).double()
    result = {
        "reached": better.double().mean().item(),
        "expected": worse.double().mean().item(),
        "standard_error": (gain.std() / len(gain) ** 0.5).item(),
        "steps": options.steps,
        "seed": options.seed,
    }
    (options.out / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")


def figure(width, height):
    """An empty one, inches; parts make room for one another."""
    return Figure(figsize=(width, height), layout="constrained")


def grey(axes, image, **style):
    """An image of numbers from 0, white, to 1, black."""
    axes.imshow(image, cmap="Greys", vmin=0, vmax=1, interpolation="nearest", **style)
    bare(axes)


def bare(axes):
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(linewidth=0.5)


def save(figure, options, name):
    """Writes the picture in shades of grey, and shows it in a notebook."""
    path = options.out / f"{name}.png"
    figure.savefig(path, dpi=110)
    with Image.open(path) as coloured:
        coloured.convert("L").save(path, optimize=True)
    print(f"picture: {path}")
    if in_notebook():
        from IPython.display import display

        display(Image.open(path))
