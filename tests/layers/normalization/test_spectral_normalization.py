import numpy as np
import pytest

from kerata import layers, ops
from kerata.core.transforms import grad, jit

RNG = np.random.default_rng(0)
X, KERNEL, U = (RNG.normal(size=s).astype("float32") for s in ((2, 4), (4, 3), (1, 3)))
FACTORS = np.cos(np.arange(6)).reshape(2, 3).astype("float32")


def made(**options):
    layer = layers.SpectralNormalization(layers.Dense(3), **options)
    layer.build((None, 4))
    layer.set_weights([KERNEL, U, np.ones(3, "float32")])
    return layer


def iterated(steps=1):
    """The vectors and the singular value that power iteration finds."""
    u = U
    for _ in range(steps):
        v = u @ KERNEL.T
        v /= np.linalg.norm(v)
        u = v @ KERNEL
        u /= np.linalg.norm(u)
    return u, v, (v @ KERNEL @ u.T).item()


@pytest.mark.parametrize("steps", [1, 3])
def test_training(steps, backend):
    layer = made(power_iterations=steps)
    y = jit(lambda x: layer(x, training=True))(backend.convert(X))
    u, _, sigma = iterated(steps)
    np.testing.assert_allclose(backend.to_numpy(y), X @ KERNEL / sigma + 1, 1e-5, 1e-5)
    np.testing.assert_allclose(layer.layer.kernel.numpy(), KERNEL / sigma, 1e-5, 1e-5)
    np.testing.assert_allclose(layer.vector_u.numpy(), u, 1e-5, 1e-5)


def test_equals_keras_in_training(keras):
    peer = keras.layers.SpectralNormalization(keras.layers.Dense(3), power_iterations=2)
    peer.build((None, 4))
    layer = made(power_iterations=2)
    peer.set_weights(layer.get_weights())
    for _ in range(2):
        expected = np.asarray(peer(X, training=True))
        np.testing.assert_allclose(ops.convert_to_numpy(layer(X, training=True)), expected, 1e-5)
    for a, b in zip(layer.get_weights(), peer.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, 1e-5, 1e-6)


def expected_gradient():
    """Of `sum(y * FACTORS)`, the vectors held fast: the quotient rule for `KERNEL / sigma`."""
    u, v, sigma = iterated()
    plain = X.T @ FACTORS
    return plain / sigma - np.sum(plain * KERNEL) / sigma**2 * (v.T @ u)


def test_gradients_go_through_the_division(training_backend):
    layer = made()
    found = grad(
        lambda: ops.sum(ops.multiply(layer(X, training=True), FACTORS)), [layer.layer.kernel]
    )()
    np.testing.assert_allclose(ops.convert_to_numpy(found[0]), expected_gradient(), 1e-4, 1e-5)


def test_backward_of_torch(torch_alone):
    layer = made()
    (layer(torch_alone.tensor(X), training=True) * torch_alone.tensor(FACTORS)).sum().backward()
    found = layer.layer.kernel.storage().grad.numpy()
    np.testing.assert_allclose(found, expected_gradient(), 1e-4, 1e-5)


@pytest.fixture
def torch_alone():
    torch = pytest.importorskip("torch")
    from kerata.backends.registry import use_backend

    with use_backend("torch"):
        yield torch


def test_half_precision_does_not_round_the_kernel(backend):
    half = "float16" if np.ndarray in backend.tensor_types else "bfloat16"
    layer = made(dtype=f"mixed_{half}")
    layer(backend.convert(X), training=True)
    np.testing.assert_allclose(layer.layer.kernel.numpy(), KERNEL / iterated()[2], 1e-5, 1e-6)


class Counted(layers.Dense):
    """A dense layer that counts its calls and draws."""

    def build(self, input_shape):
        super().build(input_shape)
        self.count = self.add_weight((), "zeros", "int32", trainable=False, name="count")
        self.dropout = layers.Dropout(0.5, seed=1)

    def call(self, inputs, training=False):
        self.count.assign(self.count + 1)
        return self.dropout(super().call(inputs), training=training)


def test_what_the_layer_inside_writes_is_kept(backend):
    layer = layers.SpectralNormalization(Counted(50))
    step = jit(lambda x: layer(x, training=True))
    first, second = (backend.to_numpy(step(backend.convert(X))) for _ in range(2))
    assert layer.layer.count.numpy() == 2
    assert not np.array_equal(first == 0, second == 0)


@pytest.mark.parametrize("inside", [layers.Flatten(), layers.LSTM(3)])
def test_needs_a_kernel(inside):
    with pytest.raises(ValueError, match="must have a `kernel` or `embeddings`"):
        layers.SpectralNormalization(inside).build((None, 4, 3))
