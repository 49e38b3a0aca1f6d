"""Decoding by hand in torch: keys and values written in place, attention over those there are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

Cache = list[tuple[torch.Tensor, torch.Tensor]]


class Decoder:
    """The model of `generation.py`, with its weights.

    Args:
        weights: in the model's order.
        blocks: the number of blocks.
        heads: the number of heads.
    """

    def __init__(self, weights: Sequence[np.ndarray], blocks: int, heads: int) -> None:
        rest = iter(torch.from_numpy(np.array(w)) for w in weights)
        self.heads, width = heads, weights[0].shape[1]
        self.table, self.places = next(rest), next(rest)
        self.blocks = []
        for _ in range(blocks):
            block = [next(rest), next(rest)]
            for _ in range(3):
                block += [next(rest).reshape(width, width).t(), next(rest).reshape(width)]
            block += [next(rest).reshape(width, width).t(), next(rest), next(rest), next(rest)]
            block += [next(rest).t(), next(rest), next(rest).t(), next(rest)]
            self.blocks.append(block)
        self.norm = (next(rest), next(rest))
        self.head = (next(rest).t(), next(rest))

    def cache(self, length: int) -> Cache:
        """Room for the keys and values of `length` positions, for each block."""
        shape = (1, self.heads, length, self.table.shape[1] // self.heads)
        return [(torch.zeros(shape), torch.zeros(shape)) for _ in self.blocks]

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)

    @torch.inference_mode()
    def step(self, tokens: torch.Tensor, cache: Cache | None = None, index: int = 0) -> Any:
        """The token after `tokens`, `(1, length)`, which begin at `index`."""
        width, end = self.table.shape[1], index + tokens.shape[1]
        x = self.table[tokens] + self.places[index:end]
        for i, (g, b, wq, bq, wk, bk, wv, bv, wo, bo, g2, b2, wu, bu, wd, bd) in enumerate(
            self.blocks
        ):
            h = F.layer_norm(x, (width,), g, b, 1e-3)
            q = self._split(F.linear(h, wq, bq))
            k, v = self._split(F.linear(h, wk, bk)), self._split(F.linear(h, wv, bv))
            if cache is not None:
                keys, values = cache[i]
                keys[:, :, index:end], values[:, :, index:end] = k, v
                k, v = keys[:, :, :end], values[:, :, :end]
            y = F.scaled_dot_product_attention(q, k, v, is_causal=index == 0)
            x = x + F.linear(y.transpose(1, 2).reshape(x.shape), wo, bo)
            h = F.layer_norm(x, (width,), g2, b2, 1e-3)
            x = x + F.linear(F.gelu(F.linear(h, wu, bu)), wd, bd)
        x = F.layer_norm(x[:, -1], (width,), *self.norm, 1e-3)
        return F.linear(x, *self.head).argmax(-1, keepdim=True)
