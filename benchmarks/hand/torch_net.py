"""The operations of `models.py` in torch: functions, channels-last memory, fused attention."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

Tensor = torch.Tensor


class Net:
    """Weights on a device, and operations that read them.

    Args:
        weights: by name, as `models.drawn` gives them.
        state: moving statistics, likewise.
        device: "cpu" or "cuda".
    """

    def __init__(
        self, weights: dict[str, np.ndarray], state: dict[str, np.ndarray], device: str
    ) -> None:
        self.training = True
        self.weights: dict[str, Any] = {}
        recurrent = {n.removesuffix(".recurrent") for n in weights if n.endswith(".recurrent")}
        for name, value in weights.items():
            if name.rsplit(".", 1)[0] not in recurrent:
                self.weights[name] = outputs_first(name, value).to(device).requires_grad_()
        self.state = {n: torch.from_numpy(v).to(device) for n, v in state.items()}
        self.recurrent = {n: lstm_of(n, weights).to(device) for n in recurrent}

    def parameters(self) -> list[Tensor]:
        """All that is trained."""
        inner = [p for module in self.recurrent.values() for p in module.parameters()]
        return [*self.weights.values(), *(p for p in inner if p.requires_grad)]

    def image(self, x: Tensor) -> Tensor:
        """Channels before height and width, in the order in which they lie in memory."""
        return x.permute(0, 3, 1, 2)

    def dense(
        self, x: Tensor, name: str, inputs: int, outputs: int, bias: bool = True
    ) -> Tensor:  # fmt: skip
        w = self.weights
        return F.linear(x, w[f"{name}.kernel"], w[f"{name}.bias"] if bias else None)

    def conv(
        self, x: Tensor, name: str, size: int, inputs: int, outputs: int,
        stride: int = 1, padding: int = 0, bias: bool = True,
    ) -> Tensor:  # fmt: skip
        w = self.weights
        shift = w[f"{name}.bias"] if bias else None
        return F.conv2d(x, w[f"{name}.kernel"], shift, stride, padding)

    relu = staticmethod(F.relu)
    gelu = staticmethod(F.gelu)
    tanh = staticmethod(torch.tanh)
    add = staticmethod(torch.add)

    def dropout(self, x: Tensor, rate: float) -> Tensor:
        return F.dropout(x, rate, self.training)

    def max_pool(self, x: Tensor, size: int, stride: int, padding: int = 0) -> Tensor:
        return F.max_pool2d(x, size, stride, padding)

    def image_mean(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))

    def flatten(self, x: Tensor) -> Tensor:
        """In the order in which it lies in memory, so nothing is copied."""
        return x.permute(0, 2, 3, 1).flatten(1)

    def first(self, x: Tensor) -> Tensor:
        return x[:, 0]

    def embedding(self, x: Tensor, name: str, rows: int, width: int) -> Tensor:
        return F.embedding(x, self.weights[name])

    def positions(self, x: Tensor, name: str, rows: int, width: int) -> Tensor:
        return x + self.weights[name]

    def layer_norm(self, x: Tensor, name: str, width: int) -> Tensor:
        w = self.weights
        return F.layer_norm(x, (width,), w[f"{name}.scale"], w[f"{name}.shift"], 1e-6)

    def batch_norm(self, x: Tensor, name: str, width: int) -> Tensor:
        w, s = self.weights, self.state
        return F.batch_norm(
            x, s[f"{name}.mean"], s[f"{name}.variance"], w[f"{name}.scale"], w[f"{name}.shift"],
            self.training, 0.01, 1e-5,
        )  # fmt: skip

    def attention(
        self, x: Tensor, name: str, width: int, heads: int, rate: float, causal: bool
    ) -> Tensor:
        batch, length, _ = x.shape
        parts = self.dense(x, f"{name}.qkv", width, 3 * width)
        q, k, v = parts.view(batch, length, 3, heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        y = self.attended(q, k, v, rate if self.training else 0.0, causal)
        return self.dense(y.transpose(1, 2).flatten(2), f"{name}.out", width, width)

    def attended(self, q: Tensor, k: Tensor, v: Tensor, rate: float, causal: bool) -> Tensor:
        """Values by attention, heads before places."""
        return F.scaled_dot_product_attention(q, k, v, dropout_p=rate, is_causal=causal)

    def lstm(self, x: Tensor, name: str, inputs: int, units: int, masked: bool) -> Tensor:
        """The last state; of padded sequences, that of the last step before the zeros."""
        outputs, (last, _) = self.recurrent[name](x)
        if not masked:
            return last[0]
        lengths = (x != 0).any(-1).sum(1)
        return outputs[torch.arange(len(x), device=x.device), lengths - 1]


class PlainNet(Net):
    """Attention in single operations: the fused one has no fast path for dropout on a CPU."""

    def attended(self, q: Tensor, k: Tensor, v: Tensor, rate: float, causal: bool) -> Tensor:
        scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-2, -1))
        if causal:
            ahead = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
            scores = scores.masked_fill(ahead, -torch.inf)
        return torch.matmul(F.dropout(torch.softmax(scores, -1), rate), v)


class PackedNet(Net):
    """Packs padded sequences, so that nothing is computed for zeros."""

    def lstm(self, x: Tensor, name: str, inputs: int, units: int, masked: bool) -> Tensor:
        lengths = (x != 0).any(-1).sum(1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, True, enforce_sorted=False)
        return self.recurrent[name](packed)[1][0][0]


def outputs_first(name: str, value: np.ndarray) -> Tensor:
    """A weight in torch's layout."""
    tensor = torch.from_numpy(value)
    if not name.endswith(".kernel"):
        return tensor
    if tensor.ndim == 2:
        return tensor.T.contiguous()
    return tensor.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)


def lstm_of(name: str, weights: dict[str, np.ndarray]) -> nn.LSTM:
    """The engine's own LSTM, its second bias zero and fixed."""
    kernel, recurrent, bias = (
        torch.from_numpy(weights[f"{name}.{part}"]) for part in ("kernel", "recurrent", "bias")
    )
    module = nn.LSTM(kernel.shape[0], recurrent.shape[0], batch_first=True)
    with torch.no_grad():
        module.weight_ih_l0.copy_(kernel.T)
        module.weight_hh_l0.copy_(recurrent.T)
        module.bias_ih_l0.copy_(bias)
        module.bias_hh_l0.zero_()
    module.bias_hh_l0.requires_grad_(False)
    return module
