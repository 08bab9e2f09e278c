"""The words of the graph-layout report, and the poster's side of its table."""

LEAD = (
    "Points move in the plane. Springs tie some of them together, along the edges of a tree that"
    " the model never sees: it is shown only where the points are from frame to frame. An encoder"
    " looks at the motion and draws the edges at random from a distribution it has learnt; a"
    " decoder must foretell where each point moves next, using those edges alone. Nobody tells it"
    " which edges are right. If it finds the hidden tree all the same, the random discrete choice"
    " in its middle has been learnt well: that is what stochastic softmax tricks are for."
)

TITLES = {
    "independent_edges": "Independent edges",
    "top_edges": "|V| − 1 edges",
    "spanning_tree": "Spanning tree",
    "reinforce": "Spanning tree, REINFORCE",
    "nvil": "Spanning tree, NVIL",
    "leave_one_out": "Spanning tree, leave-one-out",
}
SCORE_FUNCTION = {"reinforce", "nvil", "leave_one_out"}


def title(row):
    return TITLES.get(row, row.replace("_", " ").capitalize())


def distributions(nodes, rows):
    """(name, what it is) of the poster's edge distributions, then of others in this run."""
    edges, pairs = nodes - 1, nodes * (nodes - 1) // 2
    known = [
        (
            "Independent edges",
            (
                "Every ordered pair of points decides for itself whether it is an edge. "
                "It knows nothing of trees."
            ),
        ),
        (
            TITLES["top_edges"],
            (
                f"Exactly {edges} of the {pairs} pairs, any {edges}: as many as a tree on "
                f"{nodes} points has, but no more is known."
            ),
        ),
        (
            "Spanning tree",
            (
                f"{edges} edges that join all {nodes} points without a loop: the structure of "
                "the truth is built in."
            ),
        ),
    ]
    if SCORE_FUNCTION & set(rows):
        known.append(
            (
                "Score function",
                (
                    "The rows REINFORCE, NVIL and leave-one-out draw spanning trees too, but learn"
                    " without soft samples, from hard samples and how well they did; they differ in"
                    " what is subtracted to calm the noise."
                ),
            )
        )
    return known


MEASURES = [
    (
        "ELBO",
        (
            "How well the sampled edges explain unseen motion, less the cost of telling the edges;"
            " per point, up to a constant. Higher is better, so closer to zero."
        ),
    ),
    (
        "Precision, recall",
        (
            "The share of sampled edges that are true, and the share of true edges that were "
            "sampled. The two agree where as many edges are drawn as there are."
        ),
    ),
]

# Frames -> row -> (mean, error) of ELBO, precision and recall in percent.
POSTER = {
    10: {
        "independent_edges": ((-1370, 20), (48, 2), (93, 3)),
        "top_edges": ((-2100, 20), (41, 1), (41, 1)),
        "spanning_tree": ((-1080, 110), (91, 3), (91, 3)),
    }
}
