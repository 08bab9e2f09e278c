"""The class behind every structure, the same for all front ends. The registry of the library names the
structures; nothing here does."""

import inspect


class Structure:
    """A finite set X of 0/1 vectors with `size` entries, and what can be computed on it.

    Utilities u are arrays [..., size] of float32 or float64: any leading dimensions, any strides. An
    entry is excluded by the utility -inf, and then gets exactly 0. Wherever `lengths` is accepted it
    holds the actual sizes of smaller instances: integers that broadcast to [...], at least 1 and at
    most the structure's own first field. Entries behind an instance's end are ignored and come out
    as 0. `counts`, for k-subsets, holds the k of instances that differ in it, at most the structure's.

    An instance with a NaN utility, or with no member of finite utility, gives NaN in its own place
    and disturbs no other (`log_partition` gives -inf where no member is feasible). Any other
    misuse raises ValueError or TypeError with a message that names the argument and says what is
    accepted. What a method says of its gradients holds where the framework has any. The examples are
    of NumPy's front end; the others' say the same of their own arrays.

    >>> tree = softtricks.SpanningTree(nodes=3)  # edges 0-1, 0-2, 1-2
    >>> tree, tree.size, tree.shape
    (SpanningTree(nodes=3), 3, (3,))
    >>> "sample" in tree.verbs, "squared_norm" in tree.regularizers
    (True, True)
    """

    name: str
    fields: tuple[str, ...]
    verbs: tuple[str, ...]
    regularizers: tuple[str, ...]
    _front = None  # the FrontEnd of the framework, given by its own Structure

    def __init__(self, *arguments, **named):
        bound = type(self).__signature__.bind(*arguments, **named)
        bound.apply_defaults()
        front = self._front
        shape = tuple(front.integer(field, value) for field, value in bound.arguments.items())
        values = {"shape": shape, **dict(zip(self.fields, shape, strict=True))}
        values["size"] = front.structure_size(self.name, list(shape))
        for key, value in values.items():
            object.__setattr__(self, key, value)

    def __setattr__(self, key, value):
        raise AttributeError(f"{type(self).__name__} can't be changed: make another one")

    def __eq__(self, other):
        return type(self) is type(other) and self.shape == other.shape

    def __hash__(self):
        return hash((self.name, self.shape))

    def __reduce__(self):
        return type(self), self.shape

    def __repr__(self):
        pairs = ", ".join(f"{f}={n}" for f, n in zip(self.fields, self.shape, strict=True))
        return f"{type(self).__name__}({pairs})"

    # ---- verbs ----------------------------------------------------------------------------------

    def argmax(self, utility, *, lengths=None, counts=None):
        """The best member, argmax over X of u . x.

        utility [..., size] -> 0 and 1, [..., size], the same type. No gradient. Ties go to the same
        member every time.

        >>> softtricks.SpanningTree(nodes=3).argmax([1.0, 3.0, 2.0])
        array([0., 1., 1.])
        """
        return self._solve("argmax", (utility,), lengths, counts, constant=True)

    def log_partition(self, utility, *, lengths=None, counts=None):
        """log of the sum of exp(u . x) over the members.

        utility [..., size] -> [...]. Differentiable twice: the gradient is `marginals`.

        >>> members = numpy.exp(softtricks.SpanningTree(nodes=4).log_partition(numpy.zeros(6)))
        >>> round(float(members))
        16
        """
        return self._solve("log_partition", (utility,), lengths, counts)

    def marginals(self, utility, *, lengths=None, counts=None):
        """The mean of x under the Gibbs law p(x) ~ exp(u . x).

        utility [..., size] -> [..., size], in [0, 1]. Differentiable once.

        >>> softtricks.OneHot(categories=2).marginals([0.0, numpy.log(3)])
        array([0.25, 0.75])
        """
        return self._solve("marginals", (utility,), lengths, counts)

    def sample(self, utility, *, seed, offset=0, lengths=None, counts=None):
        """An exact draw from the Gibbs law p(x) ~ exp(u . x), one an instance.

        utility [..., size] -> 0 and 1, [..., size]. No gradient. Instance i (row-major over the
        leading dimensions) reads random stream offset + i of the seed, so that a draw depends
        neither on the batch it is part of nor on the number of threads. seed, offset: integers.

        >>> draws = softtricks.KSubset(items=5, k=2).sample(numpy.zeros((100, 5)), seed=0)
        >>> bool((draws.sum(-1) == 2).all())
        True
        """
        stream = (self._front.seed(seed), self._front.integer("offset", offset))
        return self._solve("sample", (utility, *stream), lengths, counts, constant=True)

    def log_prob(self, utility, x, *, lengths=None, counts=None):
        """log p(x) of members x under the Gibbs law p(x) ~ exp(u . x); -inf for other vectors.

        utility and x, broadcast against each other, [..., size] -> [...]. Differentiable twice in
        the utility; x is discrete and gets no gradient.

        >>> log_prob = softtricks.BitVector(bits=2).log_prob([0.0, 0.0], [[1, 0], [0.5, 0]])
        >>> numpy.exp(log_prob)
        array([0.25, 0.  ])
        """
        utility, x = self._both("x", utility, x)
        return self._solve("log_prob", (utility, self._front.constant(x)), lengths, counts)

    def entropy(self, utility, *, lengths=None, counts=None):
        """Entropy of the Gibbs law in nats.

        utility [..., size] -> [...]. Differentiable once.

        >>> softtricks.BitVector(bits=3).entropy(numpy.zeros(3)) / numpy.log(2)  # bits
        np.float64(3.0)
        """
        return self._solve("entropy", (utility,), lengths, counts)

    def cross_entropy(self, utility, other, *, lengths=None, counts=None):
        """-E[log p(x; other)] in nats, x drawn from the Gibbs law of `utility`.

        utility and other, broadcast against each other, [..., size] -> [...]; inf where x may be a
        member that `other` excludes. Differentiable once in both.

        >>> fair, sure = [0.0, 0.0], [0.0, -numpy.inf]
        >>> float(softtricks.OneHot(categories=2).cross_entropy(fair, sure))
        inf
        """
        return self._solve("cross_entropy", self._both("other", utility, other), lengths, counts)

    def kl(self, utility, other, *, lengths=None, counts=None):
        """KL divergence of the Gibbs law of `utility` from that of `other`, in nats.

        utility and other, broadcast against each other, [..., size] -> [...], at least 0; inf where
        the first law may draw a member that `other` excludes. Differentiable once in both.

        >>> float(softtricks.OneHot(categories=2).kl([0.0, -numpy.inf], [0.0, 0.0]) / numpy.log(2))
        1.0
        """
        return self._solve("kl", self._both("other", utility, other), lengths, counts)

    def k_best(self, utility, count, *, lengths=None, counts=None):
        """The `count` best members, best first, and their u . x.

        utility [..., size] -> 0 and 1, [..., count, size], and [..., count]. Where an instance has
        fewer members, the last rows are 0 and their u . x is -inf. No gradient. count: at least 1.

        >>> chain = softtricks.LinearChain(length=1, states=2)
        >>> best, value = chain.k_best([1.0, 4.0], 3)
        >>> best.shape, value
        ((3, 2), array([  4.,   1., -inf]))
        """
        count = self._front.integer("count", count)
        return self._solve("k_best", (utility, count), lengths, counts, constant=True)

    def active_set(
        self,
        utility,
        temperature,
        count,
        regularizer="squared_norm",
        utility_range=None,
        *,
        lengths=None,
        counts=None,
    ):
        """The members whose mixture the sparse soft sample of `relax` is, and their weights.

        utility [..., size] -> 0 and 1, [..., count, size], and [..., count], heaviest first; rows
        behind the last member are 0. Of more than `count` members the lightest are left out, so the
        weights then sum to less than 1. temperature: a number > 0; count: at least 1. No gradient.

        >>> members, weights = softtricks.OneHot(categories=3).active_set([0.5, 0.0, -2.0], 1.0, 3)
        >>> weights
        array([0.75, 0.25, 0.  ])
        """
        count = self._front.integer("count", count)
        relaxation = self._relaxation(temperature, regularizer, utility_range)
        arguments = (utility, count, *relaxation)
        return self._solve("active_set", arguments, lengths, counts, constant=True)

    def relax(
        self,
        utility,
        temperature,
        regularizer="gibbs_entropy",
        utility_range=None,
        *,
        lengths=None,
        counts=None,
    ):
        """The soft sample: argmax over the convex hull of X of u . x - temperature * regularizer(x).

        utility [..., size] -> [..., size], in [0, 1]. Differentiable once. With random utilities
        (`perturb`) this is a relaxed sample, and `argmax` of the same utilities the hard one.

        temperature    a number > 0, or an array of such that broadcasts with utility, [..., 1] for
                       one an instance, which gets a gradient. Towards 0 the soft sample becomes
                       `argmax`. torch.compile and jax.jit compile anew for each number, but not for
                       an array.
        regularizer    one of `regularizers` of this structure. "gibbs_entropy" makes the soft
                       sample the `marginals` of utility / temperature, "squared_norm" the
                       Euclidean projection of utility / temperature on the hull.
        utility_range  a number of nats > 0, or None. Utilities / temperature are first floored at
                       their maximum minus it, which keeps gradients alive when utilities grow
                       apart; a floored utility hands its gradient to the largest one. This is
                       another relaxation, not an approximation of the one without.

        Stochastic softmax tricks: Paulus, Choi, Tarlow, Krause and Maddison, NeurIPS 2020.

        >>> pick = softtricks.OneHot(categories=3)
        >>> pick.relax([0.5, 0.0, -2.0], 1.0, "squared_norm")
        array([0.75, 0.25, 0.  ])
        >>> pick.relax(numpy.zeros((2, 3)), [[0.1], [1.0]]).shape
        (2, 3)
        """
        if self._front.is_array(temperature):
            utility = self._front.divide(self._utility(utility), temperature)
            temperature = 1.0
        relaxation = self._relaxation(temperature, regularizer, utility_range)
        return self._solve("relax", (utility, *relaxation), lengths, counts)

    # ---- arguments ------------------------------------------------------------------------------

    def _solve(self, verb, arguments, lengths, counts, constant=False):
        """Calls the verb's operator. `arguments` are utilities and what the verb takes beside them;
        `constant`: it has no gradient."""
        front = self._front
        utility = self._utility(arguments[0])
        lengths = front.one_an_instance("lengths", lengths, utility)
        counts = front.one_an_instance("counts", counts, utility)
        if constant:
            utility = front.constant(utility)
        return front.call(verb, utility, *arguments[1:], self.name, self.shape, lengths, counts)

    def _utility(self, utility):
        utility = self._front.array("utility", utility)
        self._check_size("utility", utility)
        return utility

    def _check_size(self, name, array):
        if array.ndim == 0 or array.shape[-1] != self.size:
            raise ValueError(
                f"{name}: expected shape [..., {self.size}] for {self}, not {[*array.shape]}"
            )

    def _both(self, name, utility, other):
        """Utilities and what is shaped like them, broadcast."""
        utility = self._utility(utility)
        other = self._front.like(name, other, "utility", utility)
        self._check_size(name, other)
        return self._front.broadcast_named(name, utility, other)

    def _relaxation(self, temperature, regularizer, utility_range):
        temperature = self._front.number("temperature", temperature)
        if utility_range is not None:
            utility_range = self._front.number("utility_range", utility_range)
        return temperature, regularizer, utility_range


def make_class(info, base, module):
    """A structure's class, derived from a front end's `Structure`, from what the registry says."""
    parameters = [
        inspect.Parameter(
            field,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            annotation=int,
            default=inspect.Parameter.empty if default is None else default,
        )
        for field, default in zip(info["fields"], info["defaults"], strict=True)
    ]
    class_name = "".join(word.capitalize() for word in info["name"].split("_"))
    signature = ", ".join(
        p.name if p.default is inspect.Parameter.empty else f"{p.name}={p.default}"
        for p in parameters
    )
    return type(
        class_name,
        (base,),
        {
            "__module__": module,
            "__doc__": f"{class_name}({signature}): the structure {info['name']}. See `Structure`.",
            "__signature__": inspect.Signature(parameters),
            "name": info["name"],
            "fields": tuple(info["fields"]),
            "verbs": tuple(info["verbs"]),
            "regularizers": tuple(info["regularizers"]),
        },
    )


def make_classes(base, module):
    """The classes of all structures, by name, for a front end whose `Structure` is `base`."""
    made = [make_class(info, base, module) for info in base._front.registry["structures"]]
    return {c.__name__: c for c in made}
