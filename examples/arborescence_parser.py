# %% [markdown]
# # A dependency parser with arborescences
#
# Each word of a sentence hangs on one other, its head, and all of them on the first: a directed tree
# with a root, an *arborescence*. A network that reads the sentence gives every pair (head, modifier) a
# utility u, and the parse is the best tree, argmax of u.x over all arborescences x.
#
# Trained is the probability of the true tree, p(x) ~ exp(u.x), a conditional random field. Its
# normaliser sums over all trees, n^(n - 2) of them for n words, and is a determinant (Koo,
# Globerson, Carreras and Collins, 2007; Kirchhoff's and Tutte's matrix-tree theorem).

# %%
import random

import common
import torch
from matplotlib.patches import FancyArrowPatch
from softtricks.torch import Arborescence
from torch import nn

options = common.options("A parser of ListOps expressions.", 600, 120)
LONGEST, DEPTH, WIDTH, BATCH = 24, 4, 48, 32

# %% [markdown]
# ## Data
#
# Expressions of ListOps (Nangia and Bowman, 2018), from a generator with a seed: `[MAX 2 [MIN 4 7 ] 0 ]`.
# All that is in a list, its bracket `]` too, hangs on the list's operator, so that the true tree
# is known. The network gets tokens and must find out by itself what brackets do.

# %%
OPERATORS = ("[MAX", "[MIN", "[MED")
TOKENS = {token: i for i, token in enumerate([*"0123456789", *OPERATORS, "]", "padding"])}


def expression(generator, depth, head, tokens, heads):
    """Appends a list of 2 to 5 items; an item is a list again with a chance of one in four."""
    place = len(tokens)
    tokens.append(generator.choice(OPERATORS))
    heads.append(head)
    for _ in range(generator.randint(2, 5)):
        if depth > 1 and generator.random() < 0.25:
            expression(generator, depth - 1, place, tokens, heads)
        else:
            tokens.append(generator.choice("0123456789"))
            heads.append(place)
    tokens.append("]")
    heads.append(place)


def expressions(generator, count, seen):
    """Different ones of 10 to LONGEST tokens that hold two lists or more, none of those in seen."""
    found = []
    while len(found) < count:
        tokens, heads = [], []
        expression(generator, DEPTH, 0, tokens, heads)
        key = " ".join(tokens)
        if 10 <= len(tokens) <= LONGEST and tokens.count("]") > 1 and key not in seen:
            seen.add(key)
            found.append((tokens, heads))
    return found


tree = Arborescence(nodes=LONGEST, root=0)


def tensors(batch):
    """Token numbers [count, LONGEST], true trees [count, LONGEST * LONGEST], lengths [count]."""
    words = torch.full((len(batch), LONGEST), TOKENS["padding"])
    x = torch.zeros(len(batch), LONGEST, LONGEST)  # [head, modifier]
    for i, (tokens, heads) in enumerate(batch):
        words[i, : len(tokens)] = torch.tensor([TOKENS[token] for token in tokens])
        x[i, heads[1:], range(1, len(tokens))] = 1
    return words, x.flatten(-2), torch.tensor([len(tokens) for tokens, _ in batch])


generator, seen = random.Random(options.seed), set()
test_expressions = expressions(generator, 300 if options.quick else 1000, seen)
test_set = tensors(test_expressions)
train_set = tensors(expressions(generator, 2000 if options.quick else 8000, seen))

# %% [markdown]
# ## Model
#
# An LSTM reads the tokens in both directions. Each token then gets a vector as head and one as
# modifier, and the utility of a pair is their product.


# %%
class Scorer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(TOKENS), WIDTH)
        self.reader = nn.LSTM(WIDTH, WIDTH, bidirectional=True, batch_first=True)
        self.head, self.modifier = nn.Linear(2 * WIDTH, WIDTH), nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, words):
        states, _ = self.reader(self.embedding(words))
        return (self.head(states) @ self.modifier(states).mT).flatten(-2)


# %% [markdown]
# ## Training
#
# `log_prob` is u.x - log_partition(u), and its gradient is x less the `marginals`: for every pair, whether
# it is in the tree less how probable the model finds it. `lengths` leaves the padding out. Beside it a
# parser without structure: every modifier chooses its head by a softmax of its own.


# %%
def tree_loss(utility, x, lengths):
    return -tree.log_prob(utility, x, lengths=lengths) / lengths


def head_loss(utility, x, lengths):
    square = x.unflatten(-1, (LONGEST, LONGEST))
    logits = heads_only(utility, lengths)
    return -torch.where(square == 1, logits.log_softmax(-2), 0).sum((-1, -2)) / lengths


def heads_only(utility, lengths):
    """[count, head, modifier], -inf for heads in the padding and for the modifier itself."""
    square = utility.unflatten(-1, (LONGEST, LONGEST))
    padding = torch.arange(LONGEST) >= lengths[:, None]
    wrong = padding[:, :, None] | torch.eye(LONGEST, dtype=torch.bool)
    return square.masked_fill(wrong, -torch.inf)


def fit(title, objective):
    torch.manual_seed(options.seed)
    scorer = Scorer()

    def loss(step):
        rows = torch.randint(len(train_set[0]), (BATCH,))
        words, x, lengths = (part[rows] for part in train_set)
        return objective(scorer(words), x, lengths).mean()

    common.train(title, [scorer], loss, options.steps, rate=6e-3)
    return scorer


softmaxes, parser = fit("heads alone", head_loss), fit("trees", tree_loss)

# %% [markdown]
# ## What was reached
#
# The share of tokens whose head is right, and of expressions where all are. By chance is a tree drawn
# from all with equal chance: its share is exact, from the marginals at utilities 0. Heads that are
# chosen one by one need not make a tree, and the last line counts when they do.


# %%
words, truth, lengths = test_set
with torch.no_grad():
    utility = parser(words)
    parsed = tree.argmax(utility, lengths=lengths)
    uniform = tree.marginals(torch.zeros_like(truth), lengths=lengths)
    best = heads_only(softmaxes(words), lengths).argmax(-2)  # [count, modifier]
chosen = nn.functional.one_hot(best, LONGEST).mT.float() * truth.unflatten(-1, (LONGEST, LONGEST)).sum(-2, keepdim=True)
chosen = chosen.flatten(-2)
previous = torch.eye(LONGEST).roll(1, 1).flatten() * truth.unflatten(-1, (LONGEST, LONGEST)).sum(-2, keepdim=True).expand(-1, LONGEST, -1).flatten(-2)


def arcs(x):
    return (x * truth).sum(-1) / (lengths - 1)


def exact(x):
    return (x == truth).all(-1).float()


print(f"{len(words)} test expressions, mean +- standard error")
common.show("arcs by chance", arcs(uniform), "(without learning)")
common.show("arcs, heads chosen one by one", arcs(chosen))
common.show("arcs, best tree", arcs(parsed))
common.show("exact, heads chosen one by one", exact(chosen))
common.show("exact, best tree", exact(parsed))
zero = torch.zeros_like(truth)
is_tree = tree.log_prob(zero, chosen, lengths=lengths).isfinite()
common.show("trees among heads chosen one by one", is_tree.float())
common.conclude(options, "arborescence_parser", arcs(parsed), arcs(uniform))
