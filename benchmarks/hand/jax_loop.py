"""The hand-written JAX loop: jit, optax's Adam, donated state; a Python loop or `lax.scan`."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from hand.jax_net import Net
from hand.models import MODELS, drawn
from workloads import EPSILON, LEARNING_RATE, Workload

WORDS = {"loop", "scan", "rbg", "bits", "patches", "dots"}  # that a variant is made of


class State(NamedTuple):
    """All that a step changes. It stays on the device and is donated to the next step."""

    weights: dict[str, jax.Array]
    moving: dict[str, jax.Array]  # statistics of batch normalisation
    slots: Any
    step: jax.Array  # steps so far: each step's random key follows from it
    start: jax.Array  # where in the epoch's order the next batch begins
    loss: jax.Array  # summed over the epoch's samples so far
    correct: jax.Array


class Loop:
    """Trains one workload.

    Args:
        workload: What to train.
        variant: Words joined by `-`: `loop` (a jitted call a step) or `scan` (one an epoch); then
            `rbg` (XLA's own random bits), `bits` (16 of them an element of dropout), `patches`
            (convolution as a matrix product) and `dots` (only that of 1×1 kernels).
    """

    def __init__(self, workload: Workload, variant: str) -> None:
        self.words = variant.split("-")
        self.workload = workload
        self.random = "rbg" if "rbg" in self.words else "threefry2x32"
        self.model = MODELS[workload.name]
        self.adam = optax.adam(LEARNING_RATE, eps=EPSILON)
        weights, moving = jax.device_put(drawn(workload.name))
        zero = partial(jnp.zeros, (), jnp.int32)
        self.state = State(
            weights, moving, self.adam.init(weights), zero(), zero(), jnp.zeros(()), zero()
        )
        run = self.run_many if "scan" in self.words else self.run_rows
        self.run = jax.jit(run, donate_argnums=0, static_argnums=(4, 5))
        self.run_batch = jax.jit(self.run_one, donate_argnums=0)
        self.infer = jax.jit(self.logits)

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
        if "scan" in self.words:
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
            lambda state, _: (self.run_rows(state, rows, x, y, batch, 1), None),
            state,
            length=steps,
        )[0]

    def run_rows(
        self, state: State, rows: jax.Array, x: jax.Array, y: jax.Array, batch: int, _: int
    ) -> State:
        """Run one step on rows of the data."""
        chosen = lax.dynamic_slice(rows, (state.start,), (batch,))
        return self.run_one(state, jnp.take(x, chosen, axis=0), jnp.take(y, chosen, axis=0))

    def run_one(self, state: State, x: jax.Array, y: jax.Array) -> State:
        """Run one step: forward, backward, update."""
        key = jax.random.fold_in(jax.random.key(0, impl=self.random), state.step)

        def mean_loss(weights: dict[str, jax.Array]) -> tuple[jax.Array, Any]:
            net = Net(weights, state.moving, key, self.words)
            loss, hits = self.score(self.model(net, x, self.workload.dropout), y)
            return loss, (hits, net.state)

        (loss, (hits, moving)), gradients = jax.value_and_grad(mean_loss, has_aux=True)(
            state.weights
        )
        updates, slots = self.adam.update(gradients, state.slots, state.weights)
        return State(
            weights=optax.apply_updates(state.weights, updates),
            moving=moving,
            slots=slots,
            step=state.step + 1,
            start=state.start + len(x),
            loss=state.loss + loss * len(x),
            correct=state.correct + hits,
        )

    def score(self, logits: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Loss, and number of right answers."""
        if self.workload.loss == "binary":
            hits = (logits > 0) == (y > 0.5)
            return optax.sigmoid_binary_cross_entropy(logits, y).mean(), hits.sum(dtype=jnp.int32)
        loss = optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()
        if not self.workload.accuracy:
            return loss, jnp.zeros((), jnp.int32)
        return loss, (logits.argmax(axis=-1) == y).sum(dtype=jnp.int32)

    def logits(
        self, weights: dict[str, jax.Array], moving: dict[str, jax.Array], x: jax.Array
    ) -> jax.Array:
        """What the model answers."""
        return self.model(Net(weights, moving, None, self.words), x, 0.0)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The logits of a batch."""
        return np.asarray(self.infer(self.state.weights, self.state.moving, x))

    def train(self, x: np.ndarray, y: np.ndarray) -> float:
        """One step on a batch; its loss."""
        before = self.state._replace(loss=jnp.zeros(()))
        self.state = self.run_batch(before, x, y)
        return float(self.state.loss) / len(x)
