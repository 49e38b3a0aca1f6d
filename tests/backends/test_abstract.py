"""`abstract`: shapes, what they refuse, open sizes, and the work that it counts."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from kerata import ops
from kerata.backends.abstract.backend import counting, merge_shapes, strict
from kerata.backends.abstract.tensor import STAND_INS, AbstractTensor, Size, size_of
from kerata.backends.registry import load, use_backend, using


@pytest.fixture(autouse=True)
def active():
    with use_backend("abstract") as backend:
        yield backend


def tensor(*shape, dtype: str = "float32") -> AbstractTensor:
    return AbstractTensor(shape, dtype)


def test_conversion_keeps_shape_and_dtype(active):
    for value, shape, dtype in (
        (1, (), "int32"), (2.5, (), "float32"), ([[1.0, 2.0]], (1, 2), "float32"),
        (np.zeros((2, 0), "uint8"), (2, 0), "uint8"), (True, (), "bool"), (Size(3, 4), (), "int32"),
    ):  # fmt: skip
        x = active.convert(value)
        assert (x.shape, x.dtype) == (shape, dtype)
    assert active.convert(1, "float16").dtype == "float16"
    with use_backend("numpy"):
        foreign = ops.ones((2, 3), "bfloat16")
    assert ops.add(foreign, 1).dtype == "bfloat16"


def test_a_tensor_without_values():
    x = tensor(2, 3)
    assert x.ndim == 2 and len(x) == 2 and repr(x) == "<abstract float32 (2, 3)>"
    for question in (bool, float, int, iter):
        with pytest.raises(TypeError):
            question(x)
    with pytest.raises(TypeError, match=r"kerata\.ops\.where or kerata\.ops\.cond"):
        bool(x > 0)
    with pytest.raises(TypeError, match="values of a tensor were asked for"):
        ops.convert_to_numpy(x)
    with pytest.raises(TypeError, match="without axes"):
        len(tensor())
    assert x[0].shape == (3,) and (x + x).shape == (2, 3)


A, B = (32, 784), (100, 10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.matmul(tensor(*A), tensor(*B)),
         r"matmul: the last axis of x1 has 784 entries, the second last of x2 has 100 "
         r"\(x1 \(32, 784\) float32, x2 \(100, 10\) float32\)"),
        (lambda: ops.matmul(tensor(), tensor(3)), "matmul: both tensors need an axis"),
        (lambda: ops.matmul(tensor(2, 3, 4), tensor(5, 4, 2)),
         r"matmul: all axes but the last two must broadcast \(x1 \(2, 3, 4\) float32"),
        (lambda: ops.add(tensor(2, 3), tensor(4)),
         r"add: the shapes \(2, 3\) and \(4,\) don't broadcast: axis -1 has 3 and 4"),
        (lambda: ops.where(tensor(2, dtype="bool"), tensor(3), 0.0), "where: the shapes"),
        (lambda: ops.reshape(tensor(2, 3), (4, 2)), r"reshape: \(2, 3\) float32 has 6 elements"),
        (lambda: ops.reshape(tensor(2, 3), (4, -1)), "don't fill the shape"),
        (lambda: ops.broadcast_to(tensor(3), (4,)), "broadcast_to"),
        (lambda: ops.transpose(tensor(2, 3), (0, 0)), "is no order of the 2 axes"),
        (lambda: ops.sum(tensor(2, 3), 2), "axis 2 is out of range for a tensor of 2 axes"),
        (lambda: ops.squeeze(tensor(2, 3), 0), r"squeeze: axis 0 of \(2, 3\) float32 is not of size 1"),
        (lambda: ops.concatenate([tensor(2, 3), tensor(2, 4)]), "concatenate: the tensors must agree"),
        (lambda: ops.stack([tensor(2), tensor(3)]), "stack: the tensors must have one shape"),
        (lambda: ops.split(tensor(5), 2), "split: an axis of 5 can't be cut into 2 equal sections"),
        (lambda: ops.take_along_axis(tensor(2, 3), tensor(2, dtype="int32"), 1), "the ranks differ"),
        (lambda: ops.pad(tensor(2, 3), ((1, 1),) * 3), "pad_width must have a pair for each of 2"),
        (lambda: ops.einsum("ij,jk->ik", tensor(2, 3), tensor(4, 5)), "einsum: 'j' of .* is 3 and 4"),
        (lambda: ops.einsum("ij,jk->ik", tensor(2, 3)), "names 2 tensors; got 1"),
        (lambda: ops.einsum("ijk->i", tensor(2, 3)), "names 3 axes"),
        (lambda: ops.conv(tensor(1, 8, 8, 3), tensor(3, 3, 4, 8)),
         "conv: the inputs have 3 channels, which the kernel's 4 must divide"),
        (lambda: ops.conv(tensor(1, 8, 8, 3), tensor(3, 3, 8)), "conv: the ranks of inputs and kernel"),
        (lambda: ops.conv(tensor(1, 2, 3), tensor(5, 3, 1)), "larger than the input"),
        (lambda: ops.conv(tensor(1, 8, 3), tensor(3, 3, 1), padding="some"), "must be 'valid' or 'same'"),
        (lambda: ops.conv(tensor(1, 8, 3), tensor(3, 3, 1), (1, 2)), "strides must be a positive int, or 1"),
        (lambda: ops.max_pool(tensor(1, 8, 3), 0), "must be a positive int"),
        (lambda: ops.max_pool(tensor(1, 2, 3), 3), "larger than the input"),
        (lambda: ops.scan(lambda c, x: (ops.stack([c, c]), x), tensor(), tensor(3)),
         r"scan: each step must keep .* carried along; it was \(\) float32 and became \(2,\)"),
        (lambda: ops.cond(tensor(dtype="bool"), lambda: [tensor()], lambda: tensor()),
         "cond: both branches must give the same structure"),
    ],
)  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("key", [(0, 0, 0), 5, (0, -4)])
def test_indices_out_of_range(key):
    with pytest.raises(IndexError, match="getitem"):
        tensor(2, 3)[key]


def test_sizes_calculate():
    n = Size(*STAND_INS)
    assert [v.values for v in (n + 1, 1 + n, n - 1, 7 - n, n * 2, n // 4, n % 7, -n)[:1]] == [
        (STAND_INS[0] + 1, STAND_INS[1] + 1)
    ]
    assert (7 - n).values == (7 - STAND_INS[0], 7 - STAND_INS[1])
    assert (n // 4).values == tuple(s // 4 for s in STAND_INS)
    assert n - n == 0 and n % 2 == 0 and (n * 0) == 0, "what no longer depends on it is an int"
    assert (n // n) == 1 and isinstance(size_of(3, 3), int)
    assert repr(n) == "Size(?)"
    with pytest.raises(TypeError):
        n + 1.5


@pytest.mark.parametrize(
    "question",
    [lambda n: n == 3, lambda n: n != 3, lambda n: n < 3, lambda n: n >= 3, bool, int, float, hash,
     lambda n: [0, 1][n], range, lambda n: n if n else 0, lambda n: n in (1, 2)],
)  # fmt: skip
def test_strict_sizes_refuse_branches(question):
    with pytest.raises(TypeError, match="size that must stay open"):
        question(Size(*STAND_INS))


@pytest.mark.parametrize(
    ("f", "shape"),
    [
        (lambda x: ops.reshape(x, (-1, x.shape[1] // 4, 4)), (None, 2, 4)),
        (lambda x: ops.reshape(x, (ops.shape(x)[0] * 8,)), (None,)),
        (lambda x: ops.reshape(x, (ops.shape(x)[0], -1)), (None, 8)),
        (lambda x: ops.zeros((ops.shape(x)[0] + 1, 2)), (None, 2)),
        (lambda x: ops.arange(ops.shape(x)[0]), (None,)),
        (lambda x: ops.broadcast_to(x[:1], ops.shape(x)), (None, 8)),
        (lambda x: ops.divide(ops.sum(x), ops.shape(x)[0]), ()),
        (lambda x: x[: ops.shape(x)[0] // 2, 1:], (None, 7)),
        (lambda x: ops.tile(x[:1], (ops.shape(x)[0], 1)), (None, 8)),
        (lambda x: ops.matmul(x, np.ones((8, 3), "float32")), (None, 3)),
        (lambda x: ops.scan(lambda c, r: (c + r, ops.sum(r)), x[0], x)[1], (None,)),
        (lambda x: ops.map(lambda r: r * 2.0, x), (None, 8)),
    ],
)
def test_strict_mode_follows_open_sizes(f, shape):
    with using(strict()):
        found = f(tensor(Size(*STAND_INS), 8)).shape
    assert tuple(None if isinstance(s, Size) else s for s in found) == shape


def test_open_first_axes_calculate():
    with using(strict()):
        x = tensor(Size(*STAND_INS), 8)
        assert (x.shape[0] // 4).values == tuple(s // 4 for s in STAND_INS)


def test_strict_mode_finds_a_branch():
    def careless(x):
        return x if ops.shape(x)[0] > 1 else ops.zeros((1, 8))

    assert careless(tensor(2, 8)).shape == (2, 8)
    with using(strict()), pytest.raises(TypeError, match="size that must stay open"):
        careless(tensor(Size(*STAND_INS), 8))


def test_strict_mode_still_checks_shapes():
    with using(strict()), pytest.raises(ValueError, match="matmul"):
        ops.matmul(tensor(Size(*STAND_INS), 8), tensor(7, 3))


def test_merge_shapes():
    first, second = merge_shapes((3, 4), (3, 5))
    assert first == 3 and second.values == (4, 5)


# Work


@pytest.mark.parametrize(
    ("f", "flops"),
    [
        (lambda: ops.matmul(tensor(2, 3), tensor(3, 5)), 2 * 2 * 3 * 5),
        (lambda: ops.matmul(tensor(7, 2, 3), tensor(3, 5)), 7 * 2 * 2 * 3 * 5),
        (lambda: ops.einsum("bij,bjk->bik", tensor(7, 2, 3), tensor(7, 3, 5)), 7 * 2 * 2 * 3 * 5),
        (lambda: ops.conv(tensor(2, 8, 8, 3), tensor(3, 3, 3, 4), padding="same"), 2 * (2 * 64 * 4) * 27),
        (lambda: ops.conv(tensor(1, 9, 4), tensor(3, 2, 6), 2), 2 * (4 * 6) * 6),
        (lambda: ops.max_pool(tensor(1, 8, 8, 3), 2), 16 * 3 * 4),
        (lambda: ops.max_pool(tensor(1, 8, 8, 3), (2, 4)), 8 * 3 * 8),
        (lambda: ops.add(tensor(2, 3), tensor(3)), 6),
        (lambda: ops.sum(tensor(4, 5), 0), 20),
        (lambda: ops.transpose(tensor(4, 5)), 0),
        (lambda: ops.scan(lambda c, x: (ops.add(c, x), None), tensor(3), tensor(10, 3)), 30),
        (lambda: ops.scan(
            lambda c, x: (ops.matmul(c, x), c), tensor(2, 2), tensor(5, 2, 2)), 5 * 2 * 8),
    ],
)  # fmt: skip
def test_flops(f, flops):
    with counting() as counts:
        f()
    assert counts.flops == flops


def test_bytes():
    with counting() as counts:
        ops.add(tensor(2, 3), tensor(2, 3))
    assert counts.bytes == 3 * 6 * 4
    with counting() as counts:
        ops.cast(tensor(8), "bfloat16")
    assert counts.bytes == 8 * 4 + 8 * 2
    with counting() as counts:
        ops.concatenate([tensor(2, dtype="uint8"), tensor(3, dtype="uint8")])
    assert counts.bytes == 10


def test_counting_nests_and_belongs_to_its_thread():
    with counting() as outer:
        ops.add(tensor(2), tensor(2))
        with counting() as inner:
            ops.add(tensor(5), tensor(5))
        other = threading.Thread(target=lambda: _counted_elsewhere())
        other.start()
        other.join()
    assert (outer.flops, inner.flops) == (2, 5)
    ops.add(tensor(2), tensor(2))
    assert outer.flops == 2


def _counted_elsewhere() -> None:
    with using(load("abstract")):
        ops.add(tensor(100), tensor(100))


def test_composites_count_their_parts():
    with counting() as counts:
        ops.softmax(tensor(4, 10))
    assert counts.flops == 5 * 40, "max, subtract, exp, sum, divide"
