# %% [markdown]
# # A dependency parser with arborescences
#
# Each word of a sentence hangs on one other, its head, and all of them on the first: a directed
# tree with a root, an *arborescence*. A network that reads the sentence gives every pair (head,
# modifier) a utility u, and the parse is the best tree, argmax of u.x over all arborescences x.
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
LONGEST, DEPTH, WIDTH, BATCH, SMUDGED = 24, 4, 48, 32, 0.2

# %% [markdown]
# ## Data
#
# Nested lists of digits as in ListOps (Nangia and Bowman, 2018), from a generator with a seed,
# but the operator may stand anywhere in its brackets: `( 2 MAX ( 4 7 MIN ) )`. All that is in a
# list, brackets too, hangs on the list's operator, and the outermost operator on `$`, so that the
# true tree is known. One token in five cannot be read: `?`. The rest of the tree must tell what
# it was.

# %%
OPERATORS = ("MAX", "MIN", "MED")
TOKENS = {token: i for i, token in enumerate(["$", *"0123456789", *OPERATORS, *"()?", "padding"])}


def expression(generator, depth, head, tokens, heads):
    """Appends a list of 2 to 4 items; an item is a list again with a chance of three in ten."""
    items = generator.randint(2, 4)
    begin, turn = len(tokens), generator.randint(0, items)  # the operator stands before item `turn`
    members = []  # what hangs on the operator, whose own place is not known yet
    tokens.append("(")
    heads.append(None)
    for item in range(items + 1):
        if item == turn:
            operator = len(tokens)
            tokens.append(generator.choice(OPERATORS))
            heads.append(head)
        if item < items and depth > 1 and generator.random() < 0.3:
            members.append(expression(generator, depth - 1, None, tokens, heads))
        elif item < items:
            tokens.append(generator.choice("0123456789"))
            members.append(len(tokens) - 1)
            heads.append(None)
    tokens.append(")")
    heads.append(None)
    for member in (begin, *members, len(tokens) - 1):
        heads[member] = operator
    return operator


def expressions(generator, count, seen):
    """Different ones of 10 to LONGEST tokens that hold two lists or more, none of those in seen."""
    found = []
    while len(found) < count:
        tokens, heads = ["$"], [None]
        expression(generator, DEPTH, 0, tokens, heads)
        key = " ".join(tokens)
        if 10 <= len(tokens) <= LONGEST and tokens.count(")") > 1 and key not in seen:
            seen.add(key)
            read = [t if t == "$" or generator.random() > SMUDGED else "?" for t in tokens]
            found.append((read, heads))
    return found


tree = Arborescence(nodes=LONGEST, root=0, single_root=1)


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
# `log_prob` is u.x - log_partition(u), and its gradient is x less the `marginals`: for every
# pair, whether it is in the tree less how probable the model finds it. `lengths` leaves the
# padding out. Beside it a parser without structure: every modifier chooses its head by a softmax
# of its own.


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
# The share of tokens whose head is right, and of expressions where all are. By chance is a tree
# drawn from all with equal chance: its share is exact, from the marginals at utilities 0. Heads
# that are chosen one by one need not make a tree; `log_prob` is -inf where they don't.

# %%
words, truth, lengths = test_set
square = truth.unflatten(-1, (LONGEST, LONGEST))
with torch.no_grad():
    utility = parser(words)
    parsed = tree.argmax(utility, lengths=lengths)
    heads = heads_only(softmaxes(words), lengths).argmax(-2)  # [count, modifier]
chosen = nn.functional.one_hot(heads, LONGEST).mT * square.sum(-2, keepdim=True)  # no padding
chosen = chosen.flatten(-2)
equal = torch.zeros_like(truth)
uniform = tree.marginals(equal, lengths=lengths)
is_tree = tree.log_prob(equal, chosen, lengths=lengths).isfinite()


def arcs(x):
    return (x * truth).sum(-1) / (lengths - 1)


def exact(x):
    return (x == truth).all(-1).float()


print(f"{len(words)} test expressions, mean +- standard error")
common.show("arcs, by chance", arcs(uniform), "(without learning)")
common.show("arcs, heads one by one", arcs(chosen))
common.show("arcs, best tree", arcs(parsed))
common.show("exact, heads one by one", exact(chosen))
common.show("exact, best tree", exact(parsed))
common.show("heads one by one that make a tree", is_tree.float(), "(best tree: all)")
common.conclude(options, "arborescence_parser", arcs(parsed), arcs(uniform))

# %% [markdown]
# ## Picture
#
# An expression whose heads, chosen one by one, make no tree, for two tokens hang on each other.
# Dashed arcs are wrong. The last row are the marginals: the darker an arc, the more probable.


# %%
def draw(axes, title, tokens, x, true):
    """Arcs to the right above the tokens, arcs to the left below."""
    for i, token in enumerate(tokens):
        axes.text(i, 0, token, ha="center", va="center", fontsize=9)
    arcs = (x > 0.1).nonzero().tolist()
    for head, modifier in arcs:
        side = 0.5 if head < modifier else -0.5
        axes.add_patch(
            FancyArrowPatch(
                (head, side),
                (modifier, side),
                connectionstyle="arc3,rad=-0.4",
                arrowstyle="-|>,head_length=3,head_width=1.5",
                shrinkA=0,
                shrinkB=0,
                alpha=x[head, modifier].item(),
                linestyle="-" if true[head, modifier] else (0, (3, 2)),
                linewidth=1 if true[head, modifier] else 1.8,
                color="black",
            )
        )
    above, below = (max(sign * (m - h) for h, m in arcs) for sign in (1, -1))
    axes.set(xlim=(-0.7, len(tokens) - 0.3), ylim=(-0.8 - below / 5, 0.8 + above / 5))
    axes.set(aspect="equal")
    axes.set_title(title, fontsize=9, loc="left")
    axes.axis("off")


# The widest such pair in a short expression is easiest to see.
matrices = chosen.unflatten(-1, (LONGEST, LONGEST))
distance = (torch.arange(LONGEST)[:, None] - torch.arange(LONGEST)).abs()
i = ((matrices * matrices.mT * distance).amax((-1, -2)) * (lengths < 18)).argmax()
rows = {
    "truth": truth,
    "heads one by one": chosen,
    "best tree": parsed,
    "marginals": tree.marginals(utility, lengths=lengths),
}
figure = common.figure(5.4, 6.2)
for axes, (title, x) in zip(figure.subplots(4), rows.items(), strict=True):
    matrix = x[i].unflatten(-1, (LONGEST, LONGEST))
    draw(axes, title, test_expressions[i][0], matrix, square[i])
common.save(figure, options, "arborescence_parser")
