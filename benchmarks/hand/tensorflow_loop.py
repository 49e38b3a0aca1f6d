"""The hand-written TensorFlow loop: `tf.function`, raw Adam, with and without XLA."""

import numpy as np
import tensorflow as tf

from hand.models import MODELS, drawn
from hand.tensorflow_net import Net
from workloads import EPSILON, LEARNING_RATE, Workload

WORDS = {"step", "many", "xla"}  # that a variant is made of
BETA1, BETA2 = 0.9, 0.999


class Adam:
    """Adam through TensorFlow's fused kernel, the slots in variables."""

    def __init__(self, variables: list[tf.Variable]) -> None:
        self.variables = variables
        self.means = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        self.squares = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        self.power1, self.power2 = tf.Variable(BETA1), tf.Variable(BETA2)

    def apply(self, gradients: list[tf.Tensor]) -> None:
        """Update every variable in place."""
        power1, power2 = self.power1.read_value(), self.power2.read_value()
        for variable, mean, square, gradient in zip(
            self.variables, self.means, self.squares, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=mean.handle, v=square.handle,
                beta1_power=power1, beta2_power=power2, lr=LEARNING_RATE,
                beta1=BETA1, beta2=BETA2, epsilon=EPSILON, grad=tf.convert_to_tensor(gradient),
            )  # fmt: skip
        self.power1.assign(power1 * BETA1)
        self.power2.assign(power2 * BETA2)


class Loop:
    """Trains one workload.

    Args:
        workload: What to train.
        variant: Words joined by `-`: `step` (one step a call) or `many` (an epoch's steps in one
            call); then `xla` for `jit_compile=True`.
    """

    def __init__(self, workload: Workload, variant: str) -> None:
        words = variant.split("-")
        self.workload = workload
        self.many = "many" in words
        tf.random.set_seed(0)
        self.net = Net(*drawn(workload.name))
        self.variables = list(self.net.weights.values())
        self.adam = Adam(self.variables)
        self.model = MODELS[workload.name]
        self.total, self.correct = tf.Variable(0.0), tf.Variable(0)
        jit = "xla" in words
        self.run_one = tf.function(self.step, jit_compile=jit)
        self.run_many = tf.function(self.steps, jit_compile=jit)
        self.run_batch = tf.function(self.step_on, jit_compile=jit)
        self.infer = tf.function(self.logits, jit_compile=jit)

    def load(self, x: np.ndarray, y: np.ndarray) -> None:
        """Put the data on the device."""
        self.x, self.y = tf.constant(x), tf.constant(y)

    def epoch(self, order: np.ndarray) -> tuple[float, float]:
        """Train on the rows `order` names and return the epoch's mean loss and accuracy."""
        batch = self.workload.batch
        whole = len(order) // batch * batch
        self.total.assign(0.0)
        self.correct.assign(0)
        if self.many and whole:
            self.run_many(tf.constant(order[:whole].reshape(-1, batch)), self.x, self.y)
        else:
            for chosen in tf.unstack(tf.constant(order[:whole].reshape(-1, batch))):
                self.run_one(chosen, self.x, self.y)
        if whole < len(order):
            self.run_one(tf.constant(order[whole:]), self.x, self.y)
        return float(self.total) / len(order), int(self.correct) / len(order)

    def steps(self, batches: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> None:
        """Run one step for each row of `batches`, `(steps, batch)`, in one graph."""
        for index in tf.range(len(batches)):
            self.step(batches[index], x, y)

    def step(self, rows: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """Run one step on rows of the data."""
        return self.step_on(tf.gather(x, rows), tf.gather(y, rows))

    def step_on(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """Run one step: forward, backward, update."""
        with tf.GradientTape() as tape:
            logits = self.model(self.net, x, self.workload.dropout)
            loss = tf.reduce_mean(self.losses(logits, y))
        self.adam.apply(tape.gradient(loss, self.variables))
        self.total.assign_add(loss * tf.cast(tf.shape(x)[0], tf.float32))
        if self.workload.accuracy:
            self.correct.assign_add(self.hits(logits, y))
        return loss

    def losses(self, logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """Each row's loss."""
        if self.workload.loss == "binary":
            return tf.nn.sigmoid_cross_entropy_with_logits(y, logits)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)

    def hits(self, logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """The number of right answers."""
        if self.workload.loss == "binary":
            right = (logits > 0) == (y > 0.5)
        else:
            right = tf.argmax(logits, axis=-1, output_type=tf.int32) == y
        return tf.math.count_nonzero(right, dtype=tf.int32)

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """What the model answers."""
        self.net.training = False
        logits = self.model(self.net, x, 0.0)
        self.net.training = True
        return logits

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The logits of a batch."""
        return self.infer(tf.constant(x)).numpy()

    def train(self, x: np.ndarray, y: np.ndarray) -> float:
        """One step on a batch; its loss."""
        return float(self.run_batch(tf.constant(x), tf.constant(y)))
