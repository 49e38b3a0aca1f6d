import numpy as np
import pytest

from kerata import layers, ops
from kerata.core.transforms import jit

X = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")


class Minimal(layers.Layer):
    """The cell of Keras' documentation."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
        self.recurrent_kernel = self.add_weight(shape=(self.units, self.units), name="recurrent")

    def call(self, inputs, states):
        output = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel)
        return output, [output]


def test_a_cell_of_ones_own(backend):
    layer = layers.RNN(Minimal(2), return_sequences=True, name="rnn")
    y = backend.to_numpy(layer(backend.convert(X)))
    assert [w.path.split("/")[0] for w in layer.weights] == ["rnn", "rnn"]
    kernel, recurrent = (w.numpy() for w in layer.weights)
    h = np.zeros((3, 2), "float32")
    for t in range(5):
        h = X[:, t] @ kernel + h @ recurrent
        np.testing.assert_allclose(y[:, t], h, 1e-4, 1e-5)
    assert layer.compute_output_shape((None, None, 4)) == (None, None, 2)


@pytest.mark.parametrize("name", ["LSTM", "SimpleRNN"])
def test_a_mask_may_have_an_axis_of_size_1(name, backend):
    layer = getattr(layers, name)(2)
    mask = np.array([[1, 1, 0, 1, 1], [0, 1, 1, 0, 0], [1, 0, 0, 0, 1]], bool)
    found, expected = (backend.to_numpy(layer(X, mask=m)) for m in (mask[..., None], mask))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_stateful_goes_on_where_it_ended(name, backend):
    whole = getattr(layers, name)(4)
    parts = getattr(layers, name)(4, stateful=True)
    x = backend.convert(X)
    expected = backend.to_numpy(whole(x))
    parts(x)
    parts.reset_state()
    parts.set_weights(whole.get_weights())
    for cut in (slice(0, 2), slice(2, 5)):
        y = backend.to_numpy(parts(backend.convert(X[:, cut])))
    np.testing.assert_allclose(y, expected, 1e-5, 1e-6)
    parts.reset_state()
    np.testing.assert_allclose(backend.to_numpy(parts(x)), expected, 1e-5, 1e-6)
    assert len(parts.weights) == 3


def test_stateful_compiled(backend):
    layer = layers.GRU(4, stateful=True)
    x = backend.convert(X)
    layer(x)
    layer.reset_state()
    eager = [backend.to_numpy(layer(x)) for _ in range(2)]
    layer.reset_state()
    step = jit(layer)
    for expected in eager:
        np.testing.assert_allclose(backend.to_numpy(step(x)), expected, 1e-5, 1e-6)


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
@pytest.mark.parametrize("options", [
    {"dropout": 0.5}, {"recurrent_dropout": 0.5}, {"dropout": 0.3, "recurrent_dropout": 0.3},
    {"dropout": 0.5, "unroll": True}, {"dropout": 0.5, "use_cudnn": False},
])  # fmt: skip
def test_dropout(name, options, backend):
    layer = getattr(layers, name)(4, seed=1, return_sequences=True, **options)
    x = backend.convert(X)
    still = backend.to_numpy(layer(x))
    assert np.array_equal(still, backend.to_numpy(layer(x, training=False)))
    first, second = (backend.to_numpy(layer(x, training=True)) for _ in range(2))
    assert not np.allclose(first, second)
    assert not np.allclose(first, still)
    step = jit(lambda x: layer(x, training=True))
    first, second = (backend.to_numpy(step(x)) for _ in range(2))
    assert not np.allclose(first, second)


def test_dropout_holds_for_the_whole_sequence(backend):
    """An input whose features are dropped gives what an input without them gives, at every step."""
    x = np.repeat(X[:, :1], 5, 1)
    layer = layers.LSTM(4, dropout=0.5, seed=2, return_sequences=True)
    y = backend.to_numpy(layer(backend.convert(x), training=True))
    kept = [
        backend.to_numpy(layer(backend.convert(x * (2 * np.array(bits, "float32")))))
        for bits in np.ndindex(2, 2, 2, 2)
    ]
    for row in range(3):
        assert any(np.allclose(y[row], k[row], atol=1e-5) for k in kept)


def test_the_way_it_runs_does_not_matter(backend):
    x = backend.convert(X)
    for name in ("LSTM", "GRU"):
        layer = getattr(layers, name)(4)
        expected = backend.to_numpy(layer(x))
        for options in ({"unroll": True}, {"use_cudnn": False}):
            other = getattr(layers, name)(4, **options)
            other(x)
            other.set_weights(layer.get_weights())
            np.testing.assert_allclose(backend.to_numpy(other(x)), expected, 1e-5, 1e-6)


def test_attributes_of_the_cell():
    layer = layers.LSTM(4, "relu", dropout=0.25, kernel_regularizer="l2")
    assert (layer.units, layer.dropout, layer.use_bias) == (4, 0.25, True)
    assert layer.activation is layer.cell.activation
    assert layer.kernel_regularizer is layer.cell.kernel_regularizer
    layer.trainable = False
    layer.build((None, 5, 3))
    assert not layer.trainable_weights and len(layer.weights) == 3


def test_a_cell_that_is_not_registered_runs_from_both_ends(backend):
    class Running(layers.Layer):
        state_size = output_size = 3

        def call(self, inputs, states):
            h = states[0] + inputs
            return h, [h]

    x = np.arange(12, dtype="float32").reshape(1, 4, 3)
    both = layers.Bidirectional(layers.RNN(Running(), return_sequences=True))
    ahead, back = np.split(np.asarray(ops.convert_to_numpy(both(x))), 2, -1)
    np.testing.assert_allclose(ahead, np.cumsum(x, 1))
    np.testing.assert_allclose(back, np.cumsum(x[:, ::-1], 1)[:, ::-1])
