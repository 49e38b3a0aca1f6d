"""The base of losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optree

from kerata import dtype_policies, ops
from kerata.backends import dtypes
from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.core.config_object import Configurable
from kerata.core.masks import get_mask
from kerata.core.names import auto_name
from kerata.losses.reduction import (
    checked_reduction,
    reduce_weighted,
    reduce_with_divisor,
    same_rank,
)
from kerata.ops.dispatch import Tensor, Tree


def converted(x: Tree, dtype: str | None) -> Tree:
    """The tensors of `x` in `dtype`, or each in its own where it is None."""
    backend = state.backend or ensure()
    if isinstance(x, backend.tensor_types):
        return x if dtype is None or backend.dtype_of(x) == dtype else ops.cast(x, dtype)
    if isinstance(x, (dict, list, tuple)) and any(
        hasattr(v, "shape") for v in optree.tree_leaves(x)
    ):
        return optree.tree_map(lambda v: converted(v, dtype), x)
    return ops.convert_to_tensor(x, dtype)


class Loss(Configurable):
    """The base of losses: `call(y_true, y_pred)` returns losses of samples, which are reduced.

    Args:
        name: its name.
        reduction: "sum_over_batch_size" or "mean", the sum of losses divided by their number;
            "sum"; "mean_with_sample_weight", the sum divided by that of the weights; "none" or
            None.
        dtype: a dtype or policy to compute in; None for `config.floatx()`.

    Example:
        >>> class Distance(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return abs(y_true - y_pred)
        >>> float(Distance()([1.0, 2.0], [2.0, 4.0]))
        1.5
    """

    # Whether `y_true` is cast to `dtype`, as `y_pred` is.
    casts_targets = True

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        self.name = name or auto_name(type(self).__name__)
        self.reduction = checked_reduction(reduction)
        if dtype is None:
            self._dtype = dtypes.config.floatx()
        else:
            self._dtype = dtype_policies.get(dtype).compute_dtype

    @property
    def dtype(self) -> str:
        """The dtype that it computes in."""
        return self._dtype

    def call(self, y_true: Tree, y_pred: Tree) -> Tensor:
        """The losses of samples, usually `(batch,)`."""
        raise NotImplementedError(f"{type(self).__name__} must define call(self, y_true, y_pred)")

    def __call__(self, y_true: Tree, y_pred: Tree, sample_weight: Tensor | None = None) -> Tensor:
        """The reduced loss.

        Args:
            y_true: the targets.
            y_pred: the predictions; a mask that travels with them leaves losses out.
            sample_weight: weights, `(batch,)` or whatever broadcasts to the losses.
        """
        return reduce_weighted(
            *self._losses(y_true, y_pred, sample_weight), self.reduction, self._dtype
        )

    def with_divisor(self, y_true: Tree, y_pred: Tree, sample_weight: Any = None) -> Any:
        """The reduced loss, and what the sum of the losses was divided by.

        Losses of several batches weighted by it make the loss of all their samples together.

        Returns:
            The loss, and a number or a scalar; "sum" where the losses are added up alone, None
            where the loss does not say what it divides by.
        """
        if type(self).__call__ is not Loss.__call__:
            return self(y_true, y_pred, sample_weight=sample_weight), None
        return reduce_with_divisor(
            *self._losses(y_true, y_pred, sample_weight), self.reduction, self._dtype
        )

    def _losses(
        self, y_true: Tree, y_pred: Tree, sample_weight: Any
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """The losses of samples, their weights and their mask."""
        mask = get_mask(y_pred)
        y_pred = converted(y_pred, self._dtype)
        y_true = converted(y_true, self._dtype if self.casts_targets else None)
        losses = self.call(y_true, y_pred)
        made = get_mask(losses)
        if made is not None:
            mask = made if mask is None else ops.logical_and(mask, made)
        if sample_weight is not None:
            sample_weight = converted(sample_weight, self._dtype)
        return losses, sample_weight, mask


class LossFunctionWrapper(Loss):
    """A loss whose losses of samples a function computes.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)` returns the losses of samples.
        reduction: see `Loss`.
        name: see `Loss`.
        dtype: see `Loss`.
        **kwargs: further arguments of `fn`.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.fn = fn
        self.fn_arguments = kwargs

    def call(self, y_true: Tree, y_pred: Tree) -> Tensor:
        if hasattr(y_true, "shape") and hasattr(y_pred, "shape"):
            y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self.fn_arguments)
