"""The hand-written torch loop: eager, fused Adam, denormal numbers flushed."""

import numpy as np
import torch
import torch.nn.functional as F

from hand.models import MODELS, drawn
from hand.torch_net import Net, PackedNet, PlainNet
from workloads import EPSILON, LEARNING_RATE, Workload

NETS = {"pack": PackedNet, "plain": PlainNet}
WORDS = {"eager", "compile", *NETS}  # that a variant is made of


class Loop:
    """Trains one workload.

    Args:
        workload: What to train.
        variant: Words joined by `-`: `eager`, or `compile` for `torch.compile` around model and
            loss; `pack` for packed sequences; `plain` for attention in single operations. Denormal
            numbers are rounded to zero, as JAX and TensorFlow always do (Adam's slots of idle
            weights decay into them, and arithmetic on them is slow).
    """

    def __init__(self, workload: Workload, variant: str) -> None:
        torch.set_flush_denormal(True)  # before the first operation: threads inherit it
        words = variant.split("-")
        self.workload = workload
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(0)
        net = next((NETS[word] for word in words if word in NETS), Net)
        self.net = net(*drawn(workload.name), self.device)
        self.adam = torch.optim.Adam(
            self.net.parameters(), lr=LEARNING_RATE, eps=EPSILON, fused=True
        )
        self.model = MODELS[workload.name]
        self.scored = torch.compile(self.score) if "compile" in words else self.score

    def load(self, x: np.ndarray, y: np.ndarray) -> None:
        """Put the data on the device."""
        self.x, self.y = self.placed(x), self.placed(y)

    def placed(self, a: np.ndarray) -> torch.Tensor:
        """A tensor on the device; integers as torch's losses want them."""
        tensor = torch.from_numpy(a).to(self.device)
        return tensor if tensor.is_floating_point() else tensor.long()

    def score(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss, and number of right answers."""
        logits = self.model(self.net, x, self.workload.dropout)
        if self.workload.loss == "binary":
            hits = (logits > 0) == (y > 0.5)
            loss = F.binary_cross_entropy_with_logits(logits, y)
        else:
            hits = logits.detach().argmax(-1) == y if self.workload.accuracy else y.new_zeros(())
            loss = F.cross_entropy(logits.flatten(0, -2), y.flatten())
        return loss, hits.sum()

    def step(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Run one step: forward, backward, update."""
        loss, hits = self.scored(x, y)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.adam.step()
        return loss.detach(), hits

    def epoch(self, order: np.ndarray) -> tuple[float, float]:
        """Train on the rows `order` names and return the epoch's mean loss and accuracy."""
        total = torch.zeros((), device=self.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.device)
        for rows in torch.from_numpy(order).to(self.device).split(self.workload.batch):
            loss, hits = self.step(self.x.index_select(0, rows), self.y.index_select(0, rows))
            total.add_(loss, alpha=len(rows))
            correct.add_(hits)
        return total.item() / len(order), correct.item() / len(order)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The logits of a batch."""
        self.net.training = False
        with torch.inference_mode():
            logits = self.model(self.net, self.placed(x), 0.0).cpu().numpy()
        self.net.training = True
        return logits

    def train(self, x: np.ndarray, y: np.ndarray) -> float:
        """One step on a batch; its loss."""
        return self.step(self.placed(x), self.placed(y))[0].item()
