"""Initializers: distributions, seeds, laziness, and the same weights everywhere."""

import os

import numpy as np
import pytest

from kerata import Variable, initializers
from kerata.backends.registry import use_backend
from kerata.core.config_object import same_config
from kerata.core.seeds import SeedGenerator, set_random_seed
from kerata.initializers import sampling
from kerata.initializers.variance_scaling import fans
from kerata.ops import convert_to_numpy

RANDOM = [
    initializers.RandomNormal,
    initializers.RandomUniform,
    initializers.TruncatedNormal,
    initializers.VarianceScaling,
    initializers.GlorotUniform,
    initializers.GlorotNormal,
    initializers.HeNormal,
    initializers.HeUniform,
    initializers.LecunNormal,
    initializers.LecunUniform,
    initializers.Orthogonal,
]
PLAIN = [
    initializers.Zeros,
    initializers.Ones,
    initializers.Constant,
    initializers.Identity,
]


@pytest.mark.parametrize("cls", RANDOM + PLAIN)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int32"])
def test_shape_and_dtype(cls, dtype):
    values = cls().draw((4, 3), dtype)
    assert values.shape == (4, 3) and values.dtype.name == dtype


@pytest.mark.parametrize("cls", RANDOM + PLAIN)
def test_calls_give_tensors(backend, cls):
    tensor = cls()((4, 3))
    assert isinstance(tensor, backend.tensor_types)
    assert backend.dtype_of(tensor) == "float32"


def test_plain_values():
    assert initializers.Zeros().draw((2,), "bool").tolist() == [False, False]
    assert initializers.Ones().draw((2,), "int32").tolist() == [1, 1]
    assert initializers.Constant([1, 2]).draw((2, 2), "float32").tolist() == [[1, 2], [1, 2]]
    assert initializers.Identity(2.0).draw((2, 3), "float32").tolist() == [[2, 0, 0], [0, 2, 0]]
    with pytest.raises(ValueError, match="matrices"):
        initializers.Identity().draw((3,), "float32")


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (2, 3, 4)])
def test_orthogonal(shape):
    values = initializers.Orthogonal(gain=2.0, seed=1).draw(shape, "float64")
    matrix = values.reshape(-1, shape[-1])
    product = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(product, 4 * np.eye(min(matrix.shape)), atol=1e-12)
    with pytest.raises(ValueError, match="two axes"):
        initializers.Orthogonal().draw((3,), "float32")


@pytest.mark.oracle
@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize(
    "window, scaling, periodic",
    [
        ("hann", "density", False),
        ("hamming", "spectrum", True),
        ("blackman", None, False),
        ("cosine", "density", True),
        (None, "density", False),
        (np.linspace(0.1, 1, 8), "spectrum", False),
    ],
)
def test_stft(keras, side, window, scaling, periodic):
    arguments = (side, window, scaling, periodic)
    for shape in [(8, 1, 5), (8, 1, 7)]:
        ours = convert_to_numpy(initializers.STFT(*arguments)(shape))
        theirs = keras.initializers.STFT(*arguments)(shape)
        np.testing.assert_allclose(ours, theirs, atol=5e-6)  # Keras rounds the angles


def test_wrong_stft():
    for arguments in [{"side": "left"}, {"scaling": "max"}, {"window": "foo"}]:
        with pytest.raises(ValueError, match=next(iter(arguments))):
            initializers.STFT(**arguments)
    for shape in [(8, 5), (8, 1, 1)]:
        with pytest.raises(ValueError, match="frequencies"):
            initializers.STFT()(shape)
    with pytest.raises(ValueError, match="window"):
        initializers.STFT(window=[1.0, 2.0])((8, 1, 5))
    with pytest.raises(ValueError, match="zero"):
        initializers.STFT()((2, 1, 2))


@pytest.mark.parametrize("cls", RANDOM)
def test_seeds(cls):
    first, second = cls(seed=1), cls(seed=1)
    assert np.array_equal(first.draw((5, 5), "float32"), second.draw((5, 5), "float32"))
    assert np.array_equal(first.draw((5, 5), "float32"), first.draw((5, 5), "float32"))
    assert not np.array_equal(first.draw((5, 5), "float32"), cls(seed=2).draw((5, 5), "float32"))
    free = cls()
    assert not np.array_equal(free.draw((5, 5), "float32"), free.draw((5, 5), "float32"))
    stream = cls(seed=SeedGenerator(1))
    assert not np.array_equal(stream.draw((5, 5), "float32"), stream.draw((5, 5), "float32"))


def test_wrong_arguments():
    with pytest.raises(ValueError, match="seed"):
        initializers.RandomNormal(seed="a")
    with pytest.raises(ValueError, match="scale"):
        initializers.VarianceScaling(scale=0)
    with pytest.raises(ValueError, match="mode"):
        initializers.VarianceScaling(mode="fan")
    with pytest.raises(ValueError, match="distribution"):
        initializers.VarianceScaling(distribution="cauchy")


def test_large_draws_don_t_depend_on_the_threads(monkeypatch):
    shape = (3, sampling.CHUNK // 2 + 7)
    initializer = initializers.TruncatedNormal(seed=5)
    many = initializer.draw(shape, "float32")
    monkeypatch.setattr(sampling, "threads", lambda: 1)
    assert np.array_equal(many, initializer.draw(shape, "float32"))
    assert 1 <= sampling.threads() <= (os.cpu_count() or 1)


def test_chunks_differ():
    values = initializers.RandomUniform(seed=5).draw((2, sampling.CHUNK), "float32")
    assert not np.array_equal(values[0], values[1])


def test_variables_are_drawn_late_from_seeds_taken_early(backend):
    def made(order):
        set_random_seed(1)
        variables = [Variable("glorot_uniform", (3, 3)) for _ in range(2)]
        values = {i: variables[i].numpy() for i in order}
        return [values[0], values[1]]

    assert np.array_equal(made([0, 1]), made([1, 0]))
    assert not np.array_equal(*made([0, 1]))


def test_weights_are_the_same_on_every_backend(backend):
    here = convert_to_numpy(initializers.HeNormal(seed=3)((4, 4)))
    with use_backend("numpy"):
        assert np.array_equal(here, initializers.HeNormal(seed=3)((4, 4)))


def test_functions(backend):
    from kerata import ops

    def ramp(shape, dtype=None):
        return ops.reshape(ops.arange(6, dtype=dtype), shape)

    assert Variable(ramp, (2, 3)).numpy().tolist() == [[0, 1, 2], [3, 4, 5]]
    native = Variable(lambda shape, dtype: backend.convert([1.0, 2.0]), (2,))
    assert native.numpy().tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(4,\)"):
        Variable(lambda shape, dtype: np.zeros(4), (2, 3))


def test_user_classes_may_define_call(backend):
    class Twos(initializers.Initializer):
        def __call__(self, shape, dtype=None):
            from kerata import ops

            return ops.full(shape, 2, dtype)

    assert Variable(Twos(), (2,)).numpy().tolist() == [2.0, 2.0]


@pytest.mark.parametrize("cls", [*RANDOM, *PLAIN, initializers.STFT])
def test_configs(cls):
    initializer = cls()
    assert same_config(cls.from_config(initializer.get_config()), initializer)
    assert same_config(initializers.deserialize(initializers.serialize(initializer)), initializer)
    assert same_config(initializer.clone(), initializer)


@pytest.mark.parametrize(
    "shape, axes, expected",
    [
        ((), {}, (1, 1)),
        ((7,), {}, (7, 7)),
        ((3, 4), {}, (3, 4)),
        ((3, 3, 16, 32), {}, (144, 288)),
        ((30, 40, 50), {"input_axes": (0,), "output_axes": (2,)}, (30, 50)),
        ((30, 40, 50), {"input_axes": (-1,), "output_axes": (0, 1)}, (50, 1200)),
        ((30, 40, 50), {"input_axes": (0,)}, (1200, 1500)),
    ],
)
def test_fans(shape, axes, expected):
    assert fans(shape, **axes) == expected


@pytest.mark.oracle
@pytest.mark.parametrize("cls", [c for c in RANDOM if c is not initializers.Orthogonal])
@pytest.mark.parametrize("shape", [(400, 300), (3, 3, 100, 120)])
def test_statistics_are_those_of_keras(keras, cls, shape):
    theirs = np.asarray(getattr(keras.initializers, cls.__name__)(seed=1)(shape))
    ours = cls(seed=1).draw(shape, "float32")
    spread = float(theirs.std())
    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.02 * spread)
    assert ours.std() == pytest.approx(spread, rel=0.02)
    assert abs(ours).max() == pytest.approx(abs(theirs).max(), rel=0.15)
    levels = np.linspace(0.05, 0.95, 10)
    np.testing.assert_allclose(
        np.quantile(ours, levels), np.quantile(theirs, levels), atol=0.03 * spread
    )


@pytest.mark.oracle
@pytest.mark.parametrize("cls", [*RANDOM, *PLAIN, initializers.STFT])
def test_configs_are_exchanged(keras, cls):
    theirs = getattr(keras.initializers, cls.__name__)
    assert set(theirs().get_config()) <= set(cls().get_config())
    assert isinstance(theirs.from_config(cls().get_config()), theirs)
    assert type(initializers.get(keras.initializers.serialize(theirs()))) is cls


@pytest.mark.oracle
@pytest.mark.parametrize(
    "name",
    ["zeros", "zero", "one", "uniform", "normal", "he_normal", "IdentityInitializer", "stft"],
)
def test_names(keras, name):
    assert type(initializers.get(name)).__name__ == type(keras.initializers.get(name)).__name__
