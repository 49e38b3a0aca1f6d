"""A penalty on vectors that point in similar directions."""

from __future__ import annotations

from kerata import ops
from kerata.ops.dispatch import Tensor
from kerata.regularizers.base import Regularizer, checked


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean absolute cosine between the rows, or columns, of a matrix.

    A matrix of one row has nothing to be orthogonal to: its penalty is 0.

    Args:
        factor: see above.
        mode: "rows" or "columns".

    Raises:
        ValueError: an argument is none of these, or what is called with is no matrix.

    >>> float(OrthogonalRegularizer(1.0)([[1.0, 0.0], [3.0, 4.0]]))
    0.6000000238418579
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if factor is None:
            raise ValueError("factor must be a finite number of at least 0; got None")
        if mode not in ("rows", "columns"):
            raise ValueError(f"OrthogonalRegularizer: mode must be 'rows' or 'columns'; got {mode}")
        self.factor = checked("factor", factor, 0.01)
        self.mode = mode

    def __call__(self, x: Tensor) -> Tensor:
        x = ops.convert_to_tensor(x)
        if len(x.shape) != 2:
            raise ValueError(
                f"OrthogonalRegularizer penalises matrices; got the shape {tuple(x.shape)}"
            )
        x = ops.normalize(x if self.mode == "rows" else ops.transpose(x), axis=1, epsilon=1e-30)
        count = x.shape[0]
        cosines = ops.absolute(ops.matmul(x, ops.transpose(x)))
        others = ops.subtract(1.0, ops.eye(count, dtype=x.dtype))
        pairs = max(count * (count - 1), 1)
        return ops.multiply(ops.sum(ops.multiply(cosines, others)), self.factor / pairs)
