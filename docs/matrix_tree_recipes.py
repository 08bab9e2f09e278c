"""Errors of spanning-tree marginals by usual matrix-tree recipes, and by softtricks, in one table.

    PYTHONPATH=bindings/python .venv-python/bin/python docs/matrix_tree_recipes.py

Complete graph on NODES vertices, utilities (Normal + Gumbel) / t rounded to float32. An entry is the
worst error of a marginal of one draw: median and maximum over DRAWS draws. The reference computes
with 400 digits on the very same utilities. The recipes are written anew here from what published code
does, in NumPy; they are not runs of that code.
"""

import mpmath
import numpy as np
import torch

from softtricks.torch import SpanningTree

NODES, DRAWS, TEMPERATURES = 10, 40, (1.0, 0.5, 0.2, 0.1, 0.05)
PAIRS = [(i, j) for i in range(NODES) for j in range(i + 1, NODES)]


def laplacian(weights, zero):
    matrix = [[zero] * NODES for _ in range(NODES)]
    for (i, j), w in zip(PAIRS, weights, strict=True):
        matrix[i][i] += w
        matrix[j][j] += w
        matrix[i][j] -= w
        matrix[j][i] -= w
    return matrix


def marginals(weights, inverse):
    """w (R_ii + R_jj - 2 R_ij), R the inverse of the Laplacian without its first row and column."""
    get = lambda i, j: inverse[i - 1, j - 1] if i and j else 0
    return [
        w * (get(i, i) + get(j, j) - 2 * get(i, j)) for (i, j), w in zip(PAIRS, weights, strict=True)
    ]


def exact(utility):
    weights = [mpmath.exp(mpmath.mpf(float(u)) - float(utility.max())) for u in utility]
    inverse = mpmath.matrix(laplacian(weights, mpmath.mpf(0)))[1:, 1:] ** -1
    return np.array([float(m) for m in marginals(weights, inverse)])


def by_inverse(utility, dtype, floor=None, added=0.0):
    u = utility.astype(dtype) - utility.max()
    if floor is not None:
        u = np.maximum(u, dtype(floor))
    weights = np.exp(u) + dtype(added)
    minor = np.array(laplacian(weights, dtype(0)), dtype)[1:, 1:]
    try:
        return np.array(marginals(weights, np.linalg.inv(minor)))
    except np.linalg.LinAlgError:
        return np.full(len(PAIRS), np.nan)


def by_softtricks(utility):
    return SpanningTree(nodes=NODES).marginals(torch.from_numpy(utility)).numpy()


RECIPES = {
    "inverse of the Laplacian, float": lambda u: by_inverse(u, np.float32),
    "the same, utilities floored 15 below the best": lambda u: by_inverse(u, np.float32, floor=-15),
    "the same, floored 10 below the best": lambda u: by_inverse(u, np.float32, floor=-10),
    "the same, 1e-5 added to every weight": lambda u: by_inverse(u, np.float32, added=1e-5),
    "inverse of the Laplacian, double": lambda u: by_inverse(u, np.float64),
    "softtricks, float": by_softtricks,
}


def main():
    mpmath.mp.dps = 400
    random = np.random.default_rng(0)
    table = {name: [] for name in RECIPES}
    for t in TEMPERATURES:
        errors = {name: [] for name in RECIPES}
        for _ in range(DRAWS):
            noise = random.standard_normal(len(PAIRS)) + random.gumbel(size=len(PAIRS))
            utility = (noise / t).astype(np.float32)
            truth = exact(utility)
            for name, recipe in RECIPES.items():
                with np.errstate(all="ignore"):
                    error = np.abs(recipe(utility) - truth).max()
                errors[name].append(np.inf if np.isnan(error) else error)
        for name, found in errors.items():
            table[name].append(f"{np.median(found):.0e} / {np.max(found):.0e}")
    print("| recipe | " + " | ".join(f"t = {t:g}" for t in TEMPERATURES) + " |")
    print("|---" * (len(TEMPERATURES) + 1) + "|")
    for name, cells in table.items():
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
