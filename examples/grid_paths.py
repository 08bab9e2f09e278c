# %% [markdown]
# # Shortest paths through terrain that must be looked at
#
# A network sees a map and shall find the cheapest path from one corner to the other. What a step
# costs on which ground it is not told: it sees maps with their cheapest paths. It turns a map
# into a cost for each cell, and a solver, the argmax of the structure `GridPath`, makes a path of
# the costs. The path does not move when costs move a little: the solver's own gradient is zero.
# Four ways around that:
#
# - *Perturbed Fenchel-Young loss* (Berthet and others, 2020): costs are perturbed; the gradient
#   is the mean of the best paths less the true one. It needs no more than the solver.
# - *Implicit MLE* (Niepert, Minervini and Franceschi, 2021): the solver is called again with
#   costs that the loss has moved; the gradient is the difference of the two paths. For any loss,
#   and it needs no more than the solver either.
# - *Relaxation* (Paulus and others, 2020): a soft path, differentiable, goes into the loss.
# - *Conditional random field*: the log-probability of the true path.

# %%
import common
import torch
from softtricks.torch import GridPath, estimators
from torch import nn

options = common.options("Shortest paths on grids of terrain images.", 1000, 80)
SIDE, PIXELS, BATCH = 12, 4, 32
path = GridPath(rows=SIDE, columns=SIDE)  # steps to the right, down, or both at once

# %% [markdown]
# ## Data
#
# Four kinds of ground in patches: smooth noise, cut at levels. Each has a texture of 4 x 4
# pixels, stripes or checks of one mean grey, under noise: brightness gives nothing away.

# %%
COSTS = torch.tensor([1.0, 2.0, 4.0, 8.0])
line = torch.arange(PIXELS) % 2
TEXTURES = torch.stack(
    [
        line.expand(PIXELS, PIXELS),
        line[:, None].expand(PIXELS, PIXELS),
        (line + line[:, None]) % 2,
        (torch.arange(PIXELS) // 2 + torch.arange(PIXELS)[:, None] // 2) % 2,
    ]
).float()


def maps(count, seed):
    """Images [count, 1, pixels, pixels], true costs and cheapest paths [count, cells]."""
    generator = torch.Generator().manual_seed(seed)
    rough = torch.randn(count, 1, SIDE // 2, SIDE // 2, generator=generator)
    height = nn.functional.interpolate(rough, size=(SIDE, SIDE), mode="bilinear").squeeze(1)
    ground = torch.bucketize(height, torch.tensor([-0.45, 0.0, 0.45]))
    images = TEXTURES[ground].permute(0, 1, 3, 2, 4).flatten(3).flatten(1, 2)
    images = images + 0.7 * torch.randn(images.shape, generator=generator)
    cost = COSTS[ground].flatten(1)
    return images.unsqueeze(1), cost, path.argmax(-cost)


train_images, _, train_paths = maps(500 if options.quick else 1500, 2 * options.seed)
test_images, test_costs, test_paths = maps(300, 2 * options.seed + 1)


# %% [markdown]
# ## Model
#
# Convolutions: one reads a cell, one its neighbours, one adds up. Costs are positive, and
# utilities minus the costs, for `GridPath` maximises.


# %%
def make_network():
    torch.manual_seed(options.seed)
    return nn.Sequential(
        nn.Conv2d(1, 32, PIXELS, stride=PIXELS),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 1, 1),
        nn.Softplus(),
        nn.Flatten(),
    )


# %% [markdown]
# ## Four losses
#
# utility [batch, cells], the true paths x likewise.


# %%
NOISE = {"perturbation": "gumbel", "scale": 0.5}


def fenchel_young(utility, x, seed):
    """U.(best path - x), U = utility + noise: at least 0, and 0 where x is best for U."""
    return estimators.perturbed_fenchel_young(path, utility, x, seed=seed, **NOISE)


def wrong_cells(found, x):
    """Cells that only one of two paths passes: linear in either."""
    return (found * (1 - x) + (1 - found) * x).sum(-1)


def implicit_mle(utility, x, seed):
    """The best path; backwards, how it changes when utilities go against the loss's slope."""
    return wrong_cells(estimators.implicit_mle(path, utility, seed=seed, step=5.0, **NOISE), x)


def relaxed(utility, x, seed):
    return wrong_cells(estimators.relaxed(path, utility, seed=seed, temperature=1.0, **NOISE), x)


def random_field(utility, x, seed):
    return -path.log_prob(utility, x)


# %% [markdown]
# ## Training


# %%
def fit(loss_of):
    network = make_network()

    def loss(step):
        rows = torch.randint(len(train_images), (BATCH,))
        seed = (options.seed << 32) + step
        return loss_of(-network(train_images[rows]), train_paths[rows], seed).mean()

    common.train(loss_of.__name__, [network], loss, options.steps, rate=5e-3)
    return network


networks = {
    "before training": make_network(),
    "implicit MLE": fit(implicit_mle),
    "relaxation": fit(relaxed),
    "conditional random field": fit(random_field),
    "perturbed Fenchel-Young": fit(fenchel_young),
}

# %% [markdown]
# ## What was reached
#
# The true cost of the path found, over that of the cheapest, on maps that were not trained with;
# and how many paths are cheapest. Without looking one would go straight along the diagonal.


# %%
def excess(paths):
    return (paths * test_costs).sum(-1) / (test_paths * test_costs).sum(-1)


@torch.no_grad()
def find(network):
    return path.argmax(-network(test_images))


straight = path.argmax(torch.full_like(test_costs, -1.0))
print(f"{len(test_images)} test maps, mean +- standard error")
common.show("cost, straight along the diagonal", excess(straight), "(without looking)")
for name, network in networks.items():
    ratio = excess(find(network))
    common.show(f"cost, {name}", ratio)
    common.show("  cheapest paths", (ratio < 1.0001).float())
common.conclude(options, "grid_paths", -ratio, -excess(straight))

# %% [markdown]
# ## Picture
#
# Test maps; their true costs, dark is dear, with the cheapest path; the learned costs with the
# path found.


# %%
def trace(axes, x):
    """The path as a line, black on a wider white one."""
    rows, columns = x.reshape(SIDE, SIDE).nonzero().T
    for color, width in (("white", 3.5), ("black", 1.5)):
        axes.plot(columns, rows, color=color, linewidth=width)


with torch.no_grad():
    learned = network(test_images)
found = path.argmax(-learned)
figure = common.figure(6, 4.1)
grid = figure.subplots(2, 3)
for i, row in enumerate(grid):
    common.grey(row[0], test_images[i, 0] / 2 + 0.25)
    # At most half black, so that lines stay in sight.
    common.grey(row[1], test_costs[i].reshape(SIDE, SIDE) / 16)
    common.grey(row[2], learned[i].reshape(SIDE, SIDE) / (2 * learned[i].max()))
    trace(row[1], test_paths[i])
    trace(row[2], found[i])
for axes, title in zip(
    grid[0], ("map", "true costs, cheapest path", "learned costs, path found"), strict=True
):
    axes.set_title(title, fontsize=9)
common.save(figure, options, "grid_paths")
