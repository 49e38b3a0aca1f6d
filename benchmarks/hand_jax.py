"""The hand-written JAX loop: jit, optax's Adam, donated state; a Python loop or `lax.scan`."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from workloads import EPSILON, LEARNING_RATE, Workload, initial_weights

WORDS = {"loop", "scan", "rbg", "patches"}  # that a variant is made of


class State(NamedTuple):
    """All that a step changes. It stays on the device and is donated to the next step."""

    params: list[tuple[jax.Array, jax.Array]]
    slots: Any
    step: jax.Array  # steps so far: each step's random key follows from it
    start: jax.Array  # where in the epoch's order the next batch begins
    loss: jax.Array  # summed over the epoch's samples so far
    correct: jax.Array


def dropout(x: jax.Array, rate: float, key: jax.Array) -> jax.Array:
    """Zero a share `rate` of `x` and scale up the rest."""
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)


def mlp(params: list, x: jax.Array, rate: float, key: jax.Array) -> jax.Array:
    """Map `(batch, 784)` to logits, `(batch, 10)`."""
    for index, (kernel, bias) in enumerate(params[:-1]):
        x = dropout(jax.nn.relu(x @ kernel + bias), rate, jax.random.fold_in(key, index))
    kernel, bias = params[-1]
    return x @ kernel + bias


def convolve(x: jax.Array, kernel: jax.Array, patches: bool) -> jax.Array:
    """Convolve without padding, NHWC; `patches` makes it one matrix product of shifted views."""
    if not patches:
        return lax.conv_general_dilated(
            x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
    height, width = x.shape[1] - 2, x.shape[2] - 2
    views = [x[:, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return jnp.concatenate(views, axis=-1) @ kernel.reshape(-1, kernel.shape[-1])


def pool(x: jax.Array) -> jax.Array:
    """Take the maximum over 2×2 windows; by reshaping, since XLA's window gradient is slow."""
    batch, height, width, channels = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))


def convnet(params: list, x: jax.Array, rate: float, key: jax.Array, patches: bool) -> jax.Array:
    """Map `(batch, 28, 28, 1)` to logits, `(batch, 10)`."""
    for kernel, bias in params[:-1]:
        x = pool(jax.nn.relu(convolve(x, kernel, patches) + bias))
    kernel, bias = params[-1]
    return dropout(x.reshape(len(x), -1), rate, key) @ kernel + bias


class Loop:
    """Trains one workload.

    Args:
        workload: What to train.
        variant: Words joined by `-`: `loop` (a jitted call a step) or `scan` (one an epoch);
            then `rbg` (XLA's own random bits) and `patches` (convolution as a matrix product).
    """

    def __init__(self, workload: Workload, variant: str) -> None:
        words = variant.split("-")
        self.workload = workload
        self.scan = "scan" in words
        self.random = "rbg" if "rbg" in words else "threefry2x32"
        self.apply = mlp
        if workload.name == "convnet":
            self.apply = partial(convnet, patches="patches" in words)
        self.adam = optax.adam(LEARNING_RATE, eps=EPSILON)
        params = jax.device_put(initial_weights(workload))
        zero = partial(jnp.zeros, (), jnp.int32)
        self.state = State(params, self.adam.init(params), zero(), zero(), jnp.zeros(()), zero())
        run = self.run_many if self.scan else self.run_one
        self.run = jax.jit(run, donate_argnums=0, static_argnums=(4, 5))

    def load(self, x: np.ndarray, y: np.ndarray) -> None:
        """Put the data on the device."""
        self.x, self.y = jax.device_put(x), jax.device_put(y)

    def epoch(self, order: np.ndarray) -> tuple[float, float]:
        """Train on the rows `order` names and return the epoch's mean loss and accuracy."""
        batch = self.workload.batch
        full, rest = divmod(len(order), batch)
        rows = jax.device_put(order)
        state = self.state._replace(
            start=jnp.zeros((), jnp.int32), loss=jnp.zeros(()), correct=jnp.zeros((), jnp.int32)
        )
        if self.scan:
            state = self.run(state, rows, self.x, self.y, batch, full)
        else:
            for _ in range(full):
                state = self.run(state, rows, self.x, self.y, batch, 1)
        if rest:
            state = self.run(state, rows, self.x, self.y, rest, 1)
        self.state = state
        loss, correct = jax.device_get((state.loss, state.correct))
        return float(loss) / len(order), int(correct) / len(order)

    def run_many(
        self, state: State, rows: jax.Array, x: jax.Array, y: jax.Array, batch: int, steps: int
    ) -> State:
        """Run `steps` steps in one program."""
        return lax.scan(
            lambda state, _: (self.run_one(state, rows, x, y, batch, 1), None),
            state,
            length=steps,
        )[0]

    def run_one(
        self, state: State, rows: jax.Array, x: jax.Array, y: jax.Array, batch: int, _: int
    ) -> State:
        """Run one step: gather, forward, backward, update."""
        chosen = lax.dynamic_slice(rows, (state.start,), (batch,))
        x, y = jnp.take(x, chosen, axis=0), jnp.take(y, chosen)
        key = jax.random.fold_in(jax.random.key(0, impl=self.random), state.step)

        def mean_loss(params: list) -> tuple[jax.Array, jax.Array]:
            logits = self.apply(params, x, self.workload.dropout, key)
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)
            return losses.mean(), (logits.argmax(axis=-1) == y).sum(dtype=jnp.int32)

        (loss, hits), gradients = jax.value_and_grad(mean_loss, has_aux=True)(state.params)
        updates, slots = self.adam.update(gradients, state.slots, state.params)
        return State(
            params=optax.apply_updates(state.params, updates),
            slots=slots,
            step=state.step + 1,
            start=state.start + batch,
            loss=state.loss + loss * batch,
            correct=state.correct + hits,
        )
