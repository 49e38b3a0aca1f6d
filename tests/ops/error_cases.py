"""Bad calls, and what is said of them: a table for `test_errors`."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import optree
import pytest

from kerata.backends.state import operations


@dataclasses.dataclass(frozen=True, eq=False)
class Bad:
    """One call that is refused.

    Attributes:
        op: the operation's name.
        args: its arguments; the arrays are its tensors.
        text: what the error says after that name.
        kwargs: its keyword arguments.
        kind: the class of the error.
    """

    op: str
    args: tuple[Any, ...]
    text: str
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)
    kind: type[Exception] = ValueError

    def __str__(self) -> str:
        return f"{self.op}-{self.text[:30]}"

    @property
    def has_tensors(self) -> bool:
        """Whether there is a tensor among its arguments."""
        return any(isinstance(x, np.ndarray) for x in optree.tree_leaves(self.args))

    def check(self, args: Any) -> None:
        """Fail unless the call on `args` is refused with the exact text."""
        with pytest.raises(self.kind) as found:
            operations[self.op](*args, **self.kwargs)
        assert str(found.value) == f"{self.op}: {self.text}"


def f(*shape: int) -> np.ndarray:
    return np.ones(shape, "float32")


FIRST = np.array([0], "int32")
PAIR = np.array([[0, 1]], "int32")
PLACE = np.array([[0]], "int32")
SHAPES = (
    Bad(
        "matmul",
        (f(32, 784), f(128, 64)),
        "the last axis of x1 has 784 entries, the second last of x2 has 128 (x1 (32, 784) float32, x2 (128, 64) float32)",
    ),
    Bad(
        "matmul",
        (f(2, 3), f(4)),
        "the last axis of x1 has 3 entries, the only one of x2 has 4 (x1 (2, 3) float32, x2 (4,) float32)",
    ),
    Bad("matmul", (f(2), f()), "both tensors need an axis (x1 (2,) float32, x2 () float32)"),
    Bad(
        "matmul",
        (f(2, 3, 4), f(3, 4, 5)),
        "all axes but the last two must broadcast (x1 (2, 3, 4) float32, x2 (3, 4, 5) float32)",
    ),
    Bad("add", (f(2, 3), f(4)), "the shapes (2, 3) and (4,) don't broadcast: axis -1 has 3 and 4"),
    Bad(
        "where",
        (f(2) > 0, f(3), f(2)),
        "the shapes (2,) and (3,) and (2,) don't broadcast: axis -1 has 2 and 3",
    ),
    Bad(
        "reshape",
        (f(2, 3), (4, 2)),
        "(2, 3) float32 has 6 elements, which don't fill the shape (4, 2)",
    ),
    Bad(
        "reshape",
        (f(2, 3), (-1, 4)),
        "(2, 3) float32 has 6 elements, which don't fill the shape (-1, 4)",
    ),
    Bad("transpose", (f(2, 3), (0, 0)), "axes (0, 0) is no order of the 2 axes of (2, 3) float32"),
    Bad(
        "transpose",
        (f(2, 3), (0, 1, 2)),
        "axis 2 is out of range for a tensor of 2 axes ((2, 3) float32)",
    ),
    Bad(
        "broadcast_to",
        (f(3), (2, 4)),
        "the shapes (3,) and (2, 4) don't broadcast: axis -1 has 3 and 4",
    ),
    Bad("expand_dims", (f(3), 3), "axis 3 is out of range for a tensor of 2 axes ((3,) float32)"),
    Bad("squeeze", (f(2, 3), 0), "axis 0 of (2, 3) float32 is not of size 1"),
    Bad("squeeze", (f(2, 3), 2), "axis 2 is out of range for a tensor of 2 axes ((2, 3) float32)"),
    Bad(
        "concatenate",
        ([f(2, 3), f(2, 4)],),
        "the tensors must agree on all axes but 0; got (2, 3) float32, (2, 4) float32",
    ),
    Bad(
        "concatenate",
        ([f(2, 3), f(2)],),
        "the tensors must agree on all axes but 0; got (2, 3) float32, (2,) float32",
    ),
    Bad(
        "concatenate",
        ([f(2, 3), f(2, 3)], 2),
        "axis 2 is out of range for a tensor of 2 axes ((2, 3) float32, (2, 3) float32)",
    ),
    Bad(
        "stack",
        ([f(2, 3), f(2, 4)],),
        "the tensors must have one shape; got (2, 3) float32, (2, 4) float32",
    ),
    Bad("split", (f(5), 2), "an axis of 5 can't be cut into 2 equal sections"),
    Bad("split", (f(6), 2, 1), "axis 1 is out of range for a tensor of 1 axes ((6,) float32)"),
    Bad("sum", (f(2, 3), 2), "axis 2 is out of range for a tensor of 2 axes ((2, 3) float32)"),
    Bad("max", (f(2, 3), -3), "axis -3 is out of range for a tensor of 2 axes ((2, 3) float32)"),
    Bad("argmax", (f(2, 3), 2), "axis 2 is out of range for a tensor of 2 axes ((2, 3) float32)"),
    Bad("cumsum", (f(2, 3), 2), "axis 2 is out of range for a tensor of 2 axes ((2, 3) float32)"),
    Bad(
        "mean", (f(2, 3), (0, 2)), "axis 2 is out of range for a tensor of 2 axes ((2, 3) float32)"
    ),
    Bad(
        "softmax",
        (f(2, 3), 2),
        "max: axis 2 is out of range for a tensor of 2 axes ((2, 3) float32)",
    ),
    Bad(
        "take",
        (f(2, 3), FIRST, 2),
        "axis 2 is out of range for a tensor of 2 axes ((2, 3) float32, (1,) int32)",
    ),
    Bad("take_along_axis", (f(2, 3), FIRST, 1), "the ranks differ: (2, 3) float32, (1,) int32"),
    Bad("flip", (f(2, 3), 2), "axis 2 is out of range for a tensor of 2 axes ((2, 3) float32)"),
    Bad(
        "repeat", (f(2, 3), 2, 2), "axis 2 is out of range for a tensor of 2 axes ((2, 3) float32)"
    ),
    Bad("swapaxes", (f(2, 3), 0, 2), "axis 2 is out of range for a tensor of 2 axes"),
    Bad("moveaxis", (f(2, 3), 0, 2), "axis 2 is out of range for a tensor of 2 axes"),
    Bad(
        "pad",
        (f(2, 3), [(1, 1)] * 3),
        "pad_width must have a pair for each of 2 axes; got [(1, 1), (1, 1), (1, 1)] ((2, 3) float32)",
    ),
    Bad(
        "pad",
        (f(2, 3), 1, "wrong"),
        "mode must be one of constant, empty, reflect, symmetric, edge, wrap, maximum, minimum, mean, median, linear_ramp; got 'wrong' ((2, 3) float32)",
    ),
    Bad("unstack", (f(2, 3), 3), "num must be the size of the axis, 2; got 3 ((2, 3) float32)"),
    Bad(
        "unstack",
        (f(2, 3), None, 2),
        "axis 2 is out of range for a tensor of 2 axes ((2, 3) float32)",
    ),
    Bad(
        "conv",
        (f(1, 8, 8, 3), f(3, 3, 4, 8)),
        "the inputs have 3 channels, which the kernel's 4 must divide, and the 8 filters that number of groups ((1, 8, 8, 3) float32, (3, 3, 4, 8) float32)",
    ),
    Bad(
        "conv",
        (f(1, 2, 2, 3), f(3, 3, 3, 8)),
        "The window (3, 3) is larger than the input (1, 2, 2, 3) float32: no output is left ((1, 2, 2, 3) float32, (3, 3, 3, 8) float32)",
    ),
    Bad(
        "conv",
        (f(1, 8, 8, 3), f(3, 3, 3, 8), 0),
        "strides must be a positive int, or 2 of them; got 0 ((1, 8, 8, 3) float32, (3, 3, 3, 8) float32)",
    ),
    Bad(
        "conv",
        (f(1, 8, 8, 3), f(3, 3, 3, 8), 1, "full"),
        "padding must be 'valid' or 'same'; got 'full' ((1, 8, 8, 3) float32, (3, 3, 3, 8) float32)",
    ),
    Bad(
        "max_pool",
        (f(1, 2, 2, 3), 3),
        "The window (3, 3) is larger than the input (1, 2, 2, 3) float32: no output is left ((1, 2, 2, 3) float32)",
    ),
    Bad(
        "conv",
        (f(1, 8, 3), f(3, 3, 3, 8)),
        "the ranks of inputs and kernel differ: (1, 8, 3) float32, (3, 3, 3, 8) float32",
    ),
    Bad(
        "einsum",
        ("ij,jk->ik", f(2, 3), f(4, 5)),
        "'j' of 'ij,jk->ik' is 3 and 4 ((2, 3) float32, (4, 5) float32)",
    ),
    Bad("einsum", ("ij,jk", f(2, 3)), "'ij,jk' names 2 tensors; got 1"),
    Bad(
        "einsum",
        ("ij->ik", f(2, 3)),
        "the result of 'ij->ik' must name axes of the operands, each once",
    ),
    Bad("einsum", ("ijk->k", f(2, 3)), "'ijk' of 'ijk->k' names 3 axes; got (2, 3) float32"),
    Bad(
        "tensordot",
        (f(2, 3), f(4, 5)),
        "the axes [0, 1] of x1 and [0, 1] of x2 must have the same sizes (x1 (2, 3) float32, x2 (4, 5) float32)",
    ),
    Bad(
        "tensordot",
        (f(2, 3), f(1, 5), 1),
        "the axes [1] of x1 and [0] of x2 must have the same sizes (x1 (2, 3) float32, x2 (1, 5) float32)",
    ),
    Bad(
        "dot",
        (f(2, 3), f(4, 5)),
        "matmul: the last axis of x1 has 3 entries, the second last of x2 has 4 (x1 (2, 3) float32, x2 (4, 5) float32)",
    ),
    Bad(
        "inner",
        (f(2, 3), f(4)),
        "the last axis of x1 has 3 entries, that of x2 has 4 (x1 (2, 3) float32, x2 (4,) float32)",
    ),
    Bad("vdot", (f(2, 3), f(4)), "x1 has 6 entries, x2 has 4 (x1 (2, 3) float32, x2 (4,) float32)"),
    Bad(
        "cross",
        (f(2, 4), f(2, 4)),
        "the vectors must have 2 or 3 entries; got 4 and 4 (x1 (2, 4) float32, x2 (2, 4) float32)",
    ),
    Bad(
        "cross",
        (f(2, 3) > 0, f(2, 3) > 0),
        "booleans can't be subtracted (x1 (2, 3) bool, x2 (2, 3) bool)",
        kind=TypeError,
    ),
    Bad(
        "cross",
        (f(2, 3), f(2, 3)),
        "axis 2 is out of range for vectors (2, 3) float32",
        kwargs={"axis": 2},
    ),
    Bad(
        "cdist",
        (f(2, 3), f(2, 4)),
        "the last axis of x has 3 entries, that of y has 4 (x (2, 3) float32, y (2, 4) float32)",
    ),
    Bad(
        "cdist",
        (f(3), f(2, 3)),
        "x and y must have two axes or more (x (3,) float32, y (2, 3) float32)",
    ),
    Bad(
        "cholesky",
        (f(2, 3),),
        "the last two axes of x must be equal, and have 2 and 3 entries (x (2, 3) float32)",
    ),
    Bad(
        "cholesky",
        (f(1, 3),),
        "the last two axes of x must be equal, and have 1 and 3 entries (x (1, 3) float32)",
    ),
    Bad("cholesky", (f(3),), "x must have two axes or more (x (3,) float32)"),
    Bad(
        "eigh",
        (f(1, 3),),
        "the last two axes of x must be equal, and have 1 and 3 entries (x (1, 3) float32)",
    ),
    Bad(
        "eig",
        (f(2, 3),),
        "the last two axes of x must be equal, and have 2 and 3 entries (x (2, 3) float32)",
    ),
    Bad("qr", (f(3, 3), "r"), "mode must be 'reduced' or 'complete'; got 'r'"),
    Bad("qr", (f(3),), "x must have two axes or more (x (3,) float32)"),
    Bad("svd", (f(3),), "x must have two axes or more (x (3,) float32)"),
    Bad("lu_factor", (f(3),), "x must have two axes or more (x (3,) float32)"),
    Bad(
        "solve",
        (f(3, 3), f(4, 2)),
        "the last axis of a has 3 entries, the second last of b has 4 (a (3, 3) float32, b (4, 2) float32)",
    ),
    Bad(
        "solve",
        (f(2, 3), f(2)),
        "the last two axes of a must be equal, and have 2 and 3 entries (a (2, 3) float32)",
    ),
    Bad(
        "solve",
        (f(2, 3, 3), f(4, 3, 1)),
        "all axes but the last two must broadcast (a (2, 3, 3) float32, b (4, 3, 1) float32)",
    ),
    Bad(
        "solve_triangular",
        (f(3, 3), f(4)),
        "the last axis of a has 3 entries, the last of b has 4 (a (3, 3) float32, b (4,) float32)",
    ),
    Bad(
        "solve_triangular",
        (f(2, 3), f(3)),
        "the last two axes of a must be equal, and have 2 and 3 entries (a (2, 3) float32)",
    ),
    Bad(
        "solve_triangular",
        (f(3, 3), f(4, 2)),
        "the last axis of a has 3 entries, the second last of b has 4 (a (3, 3) float32, b (4, 2) float32)",
    ),
    Bad(
        "inv",
        (f(2, 3),),
        "the last two axes of x must be equal, and have 2 and 3 entries (x (2, 3) float32)",
    ),
    Bad(
        "det",
        (f(2, 3),),
        "the last two axes of x must be equal, and have 2 and 3 entries (x (2, 3) float32)",
    ),
    Bad("slogdet", (f(3),), "x must have two axes or more (x (3,) float32)"),
    Bad(
        "logdet",
        (f(2, 3),),
        "the last two axes of x must be equal, and have 2 and 3 entries (x (2, 3) float32)",
    ),
    Bad("pinv", (f(3),), "x must have two axes or more (x (3,) float32)"),
    Bad("matrix_rank", (f(3),), "x must have two axes or more (x (3,) float32)"),
    Bad(
        "lstsq",
        (f(3, 2), f(2)),
        "the second last axis of a has 3 entries, the rows of b are 2 (a (3, 2) float32, b (2,) float32)",
    ),
    Bad(
        "cholesky_inverse",
        (f(2, 3),),
        "the last two axes of x must be equal, and have 2 and 3 entries (x (2, 3) float32)",
    ),
    Bad("norm", (f(2, 3), "nuc", 1), "ord='nuc' is no norm of vectors; use None, ±inf or a number"),
    Bad("norm", (f(2, 3), 3), "ord=3 is no norm of matrices; use 'fro', 'nuc', ±1, ±2 or ±inf"),
    Bad(
        "norm",
        (f(2, 3, 4), 1),
        "axis must be one axis or a pair with ord=1; got None for (2, 3, 4) float32",
    ),
    Bad("norm", (f(2, 3), None, 2), "axis 2 is out of range for a tensor of 2 axes"),
    Bad(
        "fft",
        ((f(2, 3), f(3, 2)),),
        "the real part's shape (2, 3) and the imaginary part's (3, 2) differ ((2, 3) float32, (3, 2) float32)",
    ),
    Bad(
        "fft",
        ((f(2, 3), f(2, 1)),),
        "the real part's shape (2, 3) and the imaginary part's (2, 1) differ ((2, 3) float32, (2, 1) float32)",
    ),
    Bad(
        "fft",
        ((f(2, 3),),),
        "x must be a pair of real and imaginary parts; got 1 tensors ((2, 3) float32)",
    ),
    Bad("fft", ((f(), f()),), "x needs an axis (() float32, () float32)"),
    Bad(
        "fft",
        ((f(2, 0), f(2, 0)),),
        "x has no numbers to transform ((2, 0) float32, (2, 0) float32)",
    ),
    Bad("rfft", (f(2, 0),), "x has no numbers to transform ((2, 0) float32)"),
    Bad("rfft", (f(2, 3), 0), "fft_length must be positive; got 0 ((2, 3) float32)"),
    Bad(
        "irfft",
        ((f(2, 1), f(2, 1)),),
        "fft_length must be positive; got None for the last axis' size 1 ((2, 1) float32, (2, 1) float32)",
    ),
    Bad("fft2", ((f(3), f(3)),), "x must have 2 axes or more; got the shape (3,)"),
    Bad(
        "ifft2",
        ((f(2, 3), f(2, 1)),),
        "the real part's shape (2, 3) and the imaginary part's (2, 1) differ",
    ),
    Bad(
        "fft2",
        ((f(2, 3), f(1, 3)),),
        "the real part's shape (2, 3) and the imaginary part's (1, 3) differ",
    ),
    Bad("extract_sequences", (f(2, 8), 0, 1), "sequence_length must be a positive int; got 0"),
    Bad("extract_sequences", (f(), 2, 1), "x needs an axis; got a scalar"),
    Bad("stft", (f(8), 4, 2, 3), "fft_length must be sequence_length or more; got 3 and 4"),
    Bad("stft", (f(8), 4, 2, 4, "flat"), "window must be 'hann' or 'hamming'; got 'flat'"),
    Bad(
        "stft",
        (f(8), 4, 2, 4, f(3)),
        "window must have the shape (sequence_length,), (4,); got (3,)",
    ),
    Bad(
        "istft", ((f(2, 5), f(2, 5)), 4, 2.5, 8), "sequence_stride must be a positive int; got 2.5"
    ),
    Bad(
        "getitem",
        (f(2, 3), (0, 3)),
        "index 3 is out of range for an axis of 3 ((2, 3) float32)",
        kind=IndexError,
    ),
    Bad(
        "getitem",
        (f(2, 3), (0, 1, 2)),
        "3 indices for a tensor of 2 axes ((2, 3) float32)",
        kind=IndexError,
    ),
    Bad("tile", (f(2), -1), "repeats must not be negative; got -1"),
    Bad(
        "layer_normalization",
        (f(2, 3), f(4)),
        "reshape: (4,) float32 has 4 elements, which don't fill the shape (1, 3)",
    ),
    Bad("arange", (0, 5, 0), "step must not be 0 (from 0 to 5)"),
    Bad("full", ((2, -1), 1.0), "a size must not be negative; got the shape (2, -1)"),
    Bad("argsort", (f(2, 3), 2), "axis 2 is out of range for a tensor of 2 axes ((2, 3) float32)"),
    Bad(
        "sort",
        (f(2, 3), 2),
        "argsort: axis 2 is out of range for a tensor of 2 axes ((2, 3) float32)",
    ),
    Bad(
        "top_k",
        (f(2, 3), 4),
        "k must be from 0 to the size of the last axis; got k=4 for (2, 3) float32",
    ),
    Bad("searchsorted", (f(2, 3), f(2)), "sorted_sequence must have one axis; got (2, 3) float32"),
    Bad("roll", (f(2, 3), 1, 2), "axis 2 is out of range for a tensor of 2 axes"),
    Bad("median", (f(2, 3), 2), "axis 2 is out of range for a tensor of 2 axes"),
    Bad(
        "average",
        (f(2, 3), 0, f(3)),
        "broadcast_to: the shapes (3, 1) and (2, 3) don't broadcast: axis -2 has 3 and 2",
    ),
    Bad(
        "logsumexp",
        (f(2, 3), 2),
        "max: axis 2 is out of range for a tensor of 2 axes ((2, 3) float32)",
    ),
    Bad(
        "vstack",
        ([f(2, 3), f(2, 4)],),
        "concatenate: the tensors must agree on all axes but 0; got (2, 3) float32, (2, 4) float32",
    ),
    Bad("rot90", (f(3),), "array must have 2 axes or more; got the shape (3,)"),
    Bad("segment_sum", (f(2, 3), PAIR), "segment_ids must have one axis; got the shape (1, 2)"),
    Bad(
        "scatter",
        (PLACE, f(2), (3,)),
        "scatter_update: updates must have the shape (1,) for inputs (3,) float32 and indices (1, 1) int32; got (2,) float32",
    ),
    Bad(
        "slice",
        (f(2, 3), (0,), (1,)),
        "the slice must have one start and one size for each of 2 axes; got 1 and 1 ((2, 3) float32)",
    ),
    Bad(
        "conv_transpose",
        (f(1, 4, 4, 3), f(3, 3, 2, 4)),
        "the inputs have 3 channels, the kernel's last axis 4 ((1, 4, 4, 3) float32, (3, 3, 2, 4) float32)",
    ),
    Bad(
        "separable_conv",
        (f(1, 4, 4, 3), f(3, 3, 3, 2), f(1, 1, 5, 4)),
        "conv: the inputs have 6 channels, which the kernel's 5 must divide, and the 4 filters that number of groups ((1, 2, 2, 6) float32, (1, 1, 5, 4) float32)",
    ),
    Bad(
        "dot_product_attention",
        (f(1, 2, 2, 3), f(1, 2, 2, 4), f(1, 2, 2, 4)),
        "query and key must have one size; got the shapes (1, 2, 2, 3), (1, 2, 2, 4), (1, 2, 2, 4)",
    ),
    Bad(
        "dot_product_attention",
        (f(1, 2, 2, 4), f(1, 3, 2, 4), f(1, 2, 2, 4)),
        "key and value must have one length; got the shapes (1, 2, 2, 4), (1, 3, 2, 4), (1, 2, 2, 4)",
    ),
    Bad(
        "bitwise_and",
        (f(2), f(2)),
        "bitwise_and is not defined for anything but integers; got (2,) float32, (2,) float32",
        kind=TypeError,
    ),
    Bad(
        "clip",
        (f(2, 3), f(4), 1.0),
        "less: the shapes (2, 3) and (4,) don't broadcast: axis -1 has 3 and 4",
    ),
    Bad(
        "view_as_complex",
        (f(2, 3),),
        "the last axis of x must have two entries; got (2, 3) float32",
    ),
    Bad("linspace", (0.0, 1.0, -1), "num must be an int, not negative; got -1"),
    Bad("tril", (f(3),), "x must have two axes or more; got the shape (3,)"),
    Bad("histogram", (f(2), 0), "bins must be a positive int; got 0"),
    Bad("corrcoef", (f(2, 3, 4),), "x must have one axis or two; got 3"),
)

NEGATIVE = np.array([[1.0, 2.0], [2.0, 1.0]], "float32")
VALUES = (
    Bad("cholesky", (NEGATIVE,), "x is not positive definite (x (2, 2) float32)"),
    Bad("cholesky", (-f(2, 1, 1).astype("float16"),),
        "x is not positive definite (x (2, 1, 1) float16)"),
    Bad("inv", (f(2, 2),), "x is singular (x (2, 2) float32)"),
    Bad("solve", (f(3, 2, 2), f(2)), "a is singular (a (3, 2, 2) float32)"),
)  # fmt: skip
