# %% [markdown]
# # Sorting images of digits
#
# A network sees n images of handwritten digits in any order and shall put them in the order of
# their digits. It is never told a digit: all it gets to see in training are the same images,
# sorted.
#
# Sorting is a matching of images with places. The network gives each image a score s, and pairs
# of image i and place j have the utility s_i j: the best matching then is the one that sorts the
# scores (rearrangement inequality). It does not move when a score moves a little, so that there
# is nothing to learn from. Its relaxation by Sinkhorn's method does: a doubly stochastic matrix,
# in which images are at several places by parts (Mena, Belanger, Linderman and Snoek, 2018).

# %%
import common
import torch
from softtricks.torch import Matching, perturb
from torch import nn

options = common.options("Sorting of digit images by soft matchings.", 3000, 300)
LENGTH, WIDTH, BATCH, TEMPERATURE = 5, 128, 32, 0.3

# %% [markdown]
# ## Data
#
# A sequence is n images of different digits, drawn anew for each step. Images to test with are
# never seen in training.

# %%
train_set, test_set = common.digits()
by_digit = [
    [(labels == d).nonzero().squeeze(-1) for d in range(10)] for _, labels in (train_set, test_set)
]


def sequences(kind, count, length):
    """Images [count, length, 64] in random order, and their digits [count, length]."""
    images, _ = (train_set, test_set)[kind]
    digits = torch.rand(count, 10).argsort(-1)[:, :length]
    rows = [by_digit[kind][d] for d in digits.flatten()]
    chosen = torch.stack([row[torch.randint(len(row), ())] for row in rows])
    return images[chosen].unflatten(0, (count, length)), digits


# %% [markdown]
# ## Model
#
# A score for each image, by itself: the network can be trained with short sequences and sort long
# ones. Places are counted from -1 to 1, so that the mean score does not matter.


# %%
def make_network():
    torch.manual_seed(options.seed)
    hidden = [nn.Linear(64, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU()]
    return nn.Sequential(*hidden, nn.Linear(WIDTH, 1))


def utilities(network, images):
    """[batch, n, 64] -> [batch, n * n], row i for image i, column j for place j."""
    places = torch.linspace(-1, 1, images.shape[-2])
    return (network(images) * places).flatten(-2)


# %% [markdown]
# ## Training
#
# The loss compares the softly sorted images with the sorted ones: pixels, no labels. `relax`
# solves Sinkhorn's problem to rounding at any temperature and differentiates the solution itself,
# so that there is no number of iterations to choose. Gumbel noise makes the soft matching a
# random one. A model that must be unsure of the order needs it; here one order is right, and both
# ways are tried to see what it costs.


# %%
def soft_matching(network, images, step, noise):
    matching = Matching(pairs=images.shape[-2])
    utility = utilities(network, images)
    if noise:
        utility = perturb("gumbel", utility, seed=options.seed, offset=step * BATCH)
    soft = matching.relax(utility, TEMPERATURE, "shannon_entropy")
    return soft.unflatten(-1, (matching.pairs, matching.pairs))


def fit(title, noise):
    network = make_network()

    def loss(step):
        images, digits = sequences(0, BATCH, LENGTH)
        target = images.take_along_dim(digits.argsort(-1).unsqueeze(-1), 1)
        softly_sorted = soft_matching(network, images, step, noise).mT @ images
        return (softly_sorted - target).square().sum((-1, -2)).mean()

    common.train(title, [network], loss, options.steps, rate=2e-3)
    return network


networks = {
    "before training": make_network(),
    "trained with Gumbel noise": fit("Gumbel noise", noise=True),
    "trained without noise": fit("no noise", noise=False),
}

# %% [markdown]
# ## What was reached
#
# Tested is the hard matching, `argmax`, without noise, on images that were not trained with. By
# chance, one place in n is right, and one sequence in n! is sorted.


# %%
@torch.no_grad()
def correct(network, images, digits):
    """Is the place of each image right? [count, n]"""
    matching = Matching(pairs=images.shape[-2])
    hard = matching.argmax(utilities(network, images)).unflatten(-1, (matching.pairs,) * 2)
    return (hard.argmax(-1) == digits.argsort(-1).argsort(-1)).float()


count = 400 if options.quick else 2000
for length in (LENGTH, 2 * LENGTH):
    images, digits = sequences(1, count, length)
    chance = 1 / torch.arange(1, length + 1).prod().item()
    print(f"{count} test sequences of {length} digits, mean +- standard error")
    print(f"  {'by chance':<44} {1 / length:9.3f} of the places, {chance:.2g} of the sequences")
    for name, network in networks.items():
        right = correct(network, images, digits)
        common.show(f"{name}: places", right.mean(-1))
        common.show(f"{name}: sequences sorted", right.min(-1).values)
    if length == LENGTH:
        common.conclude(options, "digit_sorting", right.mean(-1), torch.tensor(1 / length))

# %% [markdown]
# ## Picture
#
# A test sequence, the soft matching at falling temperatures, black is 1, and the sequence in the
# order of the hard one.

# %%
images, digits = sequences(1, 1, 2 * LENGTH)
with torch.no_grad():
    utility = utilities(network, images)
matching = Matching(pairs=2 * LENGTH)
panels = {f"temperature {t:g}": matching.relax(utility, t, "shannon_entropy") for t in (3, 1, 0.3)}
panels["argmax"] = matching.argmax(utility)
order = panels["argmax"].reshape(2 * LENGTH, -1).argmax(0)

figure = common.figure(7, 3.4)
top, middle, bottom = figure.subfigures(3, 1, height_ratios=(1, 2.6, 1))
for part, shown, title in ((top, images[0], "test"), (bottom, images[0][order], "sorted")):
    row = part.subplots(1, 2 * LENGTH)
    for place, image in zip(row, shown, strict=True):
        common.grey(place, image.reshape(8, 8))
    row[0].set_ylabel(title, fontsize=9)
for place, (title, soft) in zip(middle.subplots(1, 4), panels.items(), strict=True):
    common.grey(place, soft.reshape(2 * LENGTH, -1))
    place.set_title(title, fontsize=9)
    place.set_xlabel("place", fontsize=8)
    place.set_ylabel("image", fontsize=8)
common.save(figure, options, "digit_sorting")
