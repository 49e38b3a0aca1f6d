"""The hand-written TensorFlow loop: `tf.function`, raw Adam, with and without XLA."""

import numpy as np
import tensorflow as tf

from workloads import EPSILON, LEARNING_RATE, Workload, initial_weights

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
                beta1_power=power1, beta2_power=power2,
                lr=LEARNING_RATE, beta1=BETA1, beta2=BETA2, epsilon=EPSILON, grad=gradient,
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
        weights = initial_weights(workload)
        self.layers = [(tf.Variable(kernel), tf.Variable(bias)) for kernel, bias in weights]
        self.variables = [variable for layer in self.layers for variable in layer]
        self.adam = Adam(self.variables)
        self.forward = {"mlp": self.mlp, "convnet": self.convnet}[workload.name]
        self.total, self.correct = tf.Variable(0.0), tf.Variable(0)
        jit = "xla" in words
        self.run_one = tf.function(self.step, jit_compile=jit)
        self.run_many = tf.function(self.steps, jit_compile=jit)

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
            rows = tf.constant(order[:whole].reshape(-1, batch))
            for chosen in tf.unstack(rows):
                self.run_one(chosen, self.x, self.y)
        if whole < len(order):
            self.run_one(tf.constant(order[whole:]), self.x, self.y)
        return float(self.total) / len(order), int(self.correct) / len(order)

    def steps(self, batches: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> None:
        """Run one step for each row of `batches`, `(steps, batch)`, in one graph."""
        for index in tf.range(len(batches)):
            self.step(batches[index], x, y)

    def step(self, rows: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> None:
        """Run one step: gather, forward, backward, update."""
        inputs, labels = tf.gather(x, rows), tf.gather(y, rows)
        with tf.GradientTape() as tape:
            logits = self.forward(inputs)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)
        self.adam.apply(tape.gradient(loss, self.variables))
        hits = tf.argmax(logits, axis=-1, output_type=tf.int32) == labels
        self.total.assign_add(loss * len(rows))
        self.correct.assign_add(tf.math.count_nonzero(hits, dtype=tf.int32))

    def mlp(self, x: tf.Tensor) -> tf.Tensor:
        """Map `(batch, 784)` to logits, `(batch, 10)`."""
        for kernel, bias in self.layers[:-1]:
            x = tf.nn.relu(tf.nn.bias_add(x @ kernel, bias))
            x = tf.nn.dropout(x, self.workload.dropout)
        kernel, bias = self.layers[-1]
        return tf.nn.bias_add(x @ kernel, bias)

    def convnet(self, x: tf.Tensor) -> tf.Tensor:
        """Map `(batch, 28, 28, 1)` to logits, `(batch, 10)`."""
        for kernel, bias in self.layers[:-1]:
            x = tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "VALID"), bias)
            x = tf.nn.max_pool2d(tf.nn.relu(x), 2, 2, "VALID")
        kernel, bias = self.layers[-1]
        x = tf.reshape(x, (-1, kernel.shape[0]))
        return tf.nn.bias_add(tf.nn.dropout(x, self.workload.dropout) @ kernel, bias)
