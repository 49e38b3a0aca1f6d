"""The hand-written torch loop: eager, fused Adam, channels-last memory for images."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from workloads import EPSILON, LEARNING_RATE, Workload, initial_weights

WORDS = {"eager", "flush", "compile"}  # that a variant is made of


class ChannelsLastFlatten(nn.Module):
    """Flattens images in the order they lie in memory, so nothing is copied."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(batch, channels, height, width)` to `(batch, height · width · channels)`."""
        return x.permute(0, 2, 3, 1).flatten(1)


def mlp(rate: float) -> nn.Module:
    """784-128-64-10 with dropout after each hidden layer."""
    return nn.Sequential(
        nn.Linear(784, 128), nn.ReLU(), nn.Dropout(rate),
        nn.Linear(128, 64), nn.ReLU(), nn.Dropout(rate),
        nn.Linear(64, 10),
    )  # fmt: skip


def convnet(rate: float) -> nn.Module:
    """Two convolutions, each with its maximum pooling, and a linear classifier."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        ChannelsLastFlatten(), nn.Dropout(rate), nn.Linear(1600, 10),
    )  # fmt: skip


def load_weights(model: nn.Module, workload: Workload) -> None:
    """Copy the shared initial weights into torch's layout: outputs first."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    with torch.no_grad():
        for layer, (kernel, bias) in zip(layers, initial_weights(workload), strict=True):
            order = (3, 2, 0, 1) if kernel.ndim == 4 else (1, 0)
            layer.weight.copy_(torch.from_numpy(kernel).permute(order))
            layer.bias.copy_(torch.from_numpy(bias))


class Loop:
    """Trains one workload.

    Args:
        workload: What to train.
        variant: `eager`; `flush`, which also has the processor round denormal numbers to zero,
            as JAX and TensorFlow always do (Adam's slots of idle weights decay into them, and
            arithmetic on them is slow); or `compile`, the model under `torch.compile` as well.
    """

    def __init__(self, workload: Workload, variant: str) -> None:
        if variant != "eager":  # before the first operation: threads inherit it when they start
            torch.set_flush_denormal(True)
        self.workload = workload
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(0)
        model = {"mlp": mlp, "convnet": convnet}[workload.name](workload.dropout)
        load_weights(model, workload)
        self.model = model.to(self.device, memory_format=torch.channels_last)
        self.forward = torch.compile(model) if variant == "compile" else model
        self.adam = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, eps=EPSILON, fused=True)

    def load(self, x: np.ndarray, y: np.ndarray) -> None:
        """Put the data on the device, images with their channels before height and width."""
        inputs = torch.from_numpy(x).to(self.device)
        self.x = inputs.permute(0, 3, 1, 2) if inputs.ndim == 4 else inputs
        self.y = torch.from_numpy(y).to(self.device, torch.int64)

    def epoch(self, order: np.ndarray) -> tuple[float, float]:
        """Train on the rows `order` names and return the epoch's mean loss and accuracy."""
        total = torch.zeros((), device=self.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.device)
        for rows in torch.from_numpy(order).to(self.device).split(self.workload.batch):
            x, y = self.x.index_select(0, rows), self.y.index_select(0, rows)
            logits = self.forward(x)
            loss = F.cross_entropy(logits, y)
            self.adam.zero_grad(set_to_none=True)
            loss.backward()
            self.adam.step()
            total.add_(loss.detach(), alpha=len(rows))
            correct.add_((logits.argmax(1) == y).sum())
        return total.item() / len(order), correct.item() / len(order)
