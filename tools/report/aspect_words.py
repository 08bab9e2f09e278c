"""The words of the aspect-ratings report, and the poster's side of its table."""

LEAD = (
    "A review speaks of several aspects of a thing. A selector may point at k of its words, no more;"
    " a predictor sees these words alone and must say how one aspect was rated. Nobody tells the"
    " selector which sentences are about that aspect. Where it picks them all the same, its choice"
    " explains the rating."
)

# Row -> (title, what it is).
ROWS = {
    "l2x": ("L2X", "the largest of k softmax draws, word by word"),
    "softsub": ("SoftSub", "k softmaxes one after another, without replacement"),
    "euclidean": ("Euclidean top k", "projection onto the hull of k-subsets"),
    "categorical": ("Categorical-entropy top k", "softmax with no word above 1"),
    "binary": ("Binary-entropy top k", "sigmoids that sum to k"),
    "gibbs": ("E.F.-entropy top k", "chances of the words under the Gibbs law over k-subsets"),
    "correlated": ("Correlated top k", "the same with a utility for each pair of neighbours"),
    "implicit_mle": ("Implicit MLE", "hard top k, moved against the slope of the loss"),
    "adaptive_implicit_mle": ("Adaptive implicit MLE", "the same with a length that adapts"),
    "simple": ("SIMPLE", "exact draws forward, their mean's derivative backward"),
    "straight_through": ("Straight-through", "hard top k forward, E.F. backward"),
    "score_function": ("Score function", "exact draws, each against the mean of the others"),
    "simple_correlated": ("SIMPLE, correlated", "SIMPLE with utilities of neighbours"),
}

# (row, k) -> MSE x100 and subset precision in %, each with its error, as printed on the poster.
POSTER = {
    ("l2x", 5): ((3.6, 0.1), (28.3, 1.7)),
    ("l2x", 10): ((3.0, 0.1), (25.5, 1.2)),
    ("l2x", 15): ((2.6, 0.1), (25.5, 0.4)),
    ("softsub", 5): ((3.6, 0.1), (27.2, 0.7)),
    ("softsub", 10): ((3.0, 0.1), (26.1, 1.1)),
    ("softsub", 15): ((2.6, 0.1), (25.1, 1.0)),
    ("gibbs", 5): ((3.5, 0.1), (28.8, 1.7)),
    ("gibbs", 10): ((2.7, 0.1), (32.8, 0.5)),
    ("gibbs", 15): ((2.5, 0.1), (29.2, 0.8)),
    ("correlated", 5): ((2.9, 0.1), (63.1, 5.3)),
    ("correlated", 10): ((2.5, 0.1), (53.1, 0.9)),
    ("correlated", 15): ((2.4, 0.1), (45.5, 2.7)),
}

MEASURES = (
    ("MSE × 100", "squared error of the rating in [0, 1], from the k best words, on test reviews"),
    (
        "Precision",
        "part of all selected words that lie in the annotated passages; padding is never selected",
    ),
    ("Drawn precision", "the same of selections drawn from the trained law, in place of the best"),
    ("±", "standard deviation of the chosen trial over bootstrapped choices by validation error"),
)


def title(row):
    return ROWS[row][0] if row in ROWS else row.replace("_", " ").capitalize()
