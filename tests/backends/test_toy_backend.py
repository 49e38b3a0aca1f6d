"""A backend made outside of the package, as docs/adding-a-backend.md describes it."""

import numpy as np
import optree
import pytest

import kerata
from kerata import layers, ops
from kerata.backends import Backend


class Box:
    """The toy's tensor: an array in a box, without operators of its own."""

    def __init__(self, array):
        self.array = np.asarray(array)

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)

    def __getattr__(self, name):
        raise AttributeError(f"the toy's tensor has no {name}")


def _operator(name):
    return lambda self, other: ops_by_name(name)(self, other)


def ops_by_name(name):
    return ops.primitives()[name].call


for _python, _name in {
    "__add__": "add", "__sub__": "subtract", "__mul__": "multiply", "__truediv__": "true_divide",
}.items():  # fmt: skip
    setattr(Box, _python, _operator(_name))
Box.__radd__ = lambda self, other: ops.add(other, self)
Box.__rsub__ = lambda self, other: ops.subtract(other, self)
Box.__rmul__ = lambda self, other: ops.multiply(other, self)
Box.__rtruediv__ = lambda self, other: ops.true_divide(other, self)
Box.__neg__ = lambda self: ops.negative(self)
Box.__getitem__ = lambda self, key: ops.getitem(self, key)


def opened(tree):
    return optree.tree_map(lambda x: x.array if isinstance(x, Box) else x, tree, none_is_leaf=True)


def boxed(tree):
    return optree.tree_map(lambda x: Box(x) if isinstance(x, np.ndarray) else x, tree)


class Toy(Backend):
    name = "toy"
    tensor_types = (Box,)
    floats = frozenset(np.dtype(n) for n in ("float16", "float32", "float64"))

    def __init__(self):
        super().__init__()
        numpy = kerata.backends.load("numpy")
        self.called = set()
        for name, kernel in numpy.kernels.items():
            self.kernels[name] = self._wrapped(name, kernel)
        self.kernels["scan"] = self._scan

    def _wrapped(self, name, kernel):
        def run(*args, **kwargs):
            self.called.add(name)
            return boxed(kernel(*opened(args), **opened(kwargs)))

        return run

    def _scan(self, f, init, xs=None, length=None, reverse=False, unroll=1):
        self.called.add("scan")
        numpy = kerata.backends.load("numpy")
        carry, ys = numpy.kernels["scan"](
            lambda c, x: opened(f(boxed(c), boxed(x))), opened(init), opened(xs), length, reverse
        )
        return boxed(carry), boxed(ys)

    def convert(self, x, dtype=None):
        return Box(kerata.backends.load("numpy").convert(x, dtype))

    def to_numpy(self, x):
        return x.array.copy()

    def dtype_of(self, x):
        return x.array.dtype.name


@pytest.fixture
def toy():
    kerata.backends.register("toy", Toy)
    try:
        with kerata.use_backend("toy") as active:
            yield active
    finally:
        kerata.backends.unregister("toy")


def test_operations_run_on_it(toy):
    y = ops.softmax([[1.0, 2.0, 3.0]])
    assert isinstance(y, Box)
    np.testing.assert_allclose(ops.convert_to_numpy(ops.sum(y, -1)), [1.0], rtol=1e-6)
    assert {"exp", "max", "sum"} <= toy.called
    assert kerata.config.backend() == "toy"


def build():
    ids = kerata.Input((None,), dtype="int32")
    image = kerata.Input((8, 8, 2))
    a = layers.LSTM(4)(layers.Embedding(9, 5, mask_zero=True)(ids))
    b = layers.Conv2D(3, 3, activation="relu", padding="same")(image)
    b = layers.Flatten()(layers.MaxPooling2D()(layers.BatchNormalization()(b)))
    x = layers.Concatenate()([a, layers.Dense(6, activation="gelu")(b)])
    return kerata.Model([ids, image], layers.Dense(3, activation="softmax")(x))


def test_a_model_runs_on_it_and_equals_numpy(toy):
    model = build()
    rng = np.random.default_rng(0)
    x = [rng.integers(0, 9, (5, 7)).astype("int32"), rng.random((5, 8, 8, 2), "float32")]
    mine = model.predict(x, verbose=0)
    assert {"scan", "conv", "max_pool", "take", "matmul", "concatenate"} <= toy.called
    with kerata.use_backend("numpy"):
        np.testing.assert_allclose(mine, model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)


def test_evaluate_counts_on_it(toy):
    model = kerata.Sequential([kerata.Input((4,)), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = np.random.default_rng(0).random((10, 4), "float32")
    y = model.predict(x, verbose=0).argmax(-1)
    assert model.evaluate(x, y, verbose=0)[1] == 1.0


def test_training_on_it_says_that_it_does_not_differentiate(toy):
    model = kerata.Sequential([kerata.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(RuntimeError, match="The toy backend does not differentiate"):
        model.fit(np.ones((4, 4), "float32"), np.ones((4, 1), "float32"), verbose=0)


def test_a_missing_kernel_is_named(toy):
    del toy.kernels["tanh"]
    with pytest.raises(RuntimeError, match="The toy backend has no kernel for 'tanh'"):
        ops.tanh([1.0])
    with pytest.raises(RuntimeError, match="'tanh'"):
        ops.tanh(toy.convert([1.0]))
