"""Fourier transforms, frames, and the products of `kerata.ops.products` that the networks lack."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
from scipy.spatial import distance

from tests.ops.case import Case

_draw = np.random.default_rng(12)


def _normal(*shape: int) -> np.ndarray:
    return _draw.standard_normal(shape).astype("float32")


REAL, IMAGINARY = _normal(2, 6), _normal(2, 6)
PAIR = (REAL, IMAGINARY)
ROWS, MORE = _normal(4, 3), _normal(4, 3)
SOUND = _normal(2, 23)
SHAPES = _normal(2, 4, 3)
INTS = _draw.integers(-5, 5, (2, 6)).astype("int32")
SHORTS = _draw.integers(-3, 3, (3, 4)).astype("int8")
BYTES = _draw.integers(0, 5, (3, 4)).astype("uint8")
BOOLS = _draw.random((3, 4)) > 0.5
HALF = REAL.astype("float16")
BRAIN = REAL.astype(ml_dtypes.bfloat16)
COMPLEX = (REAL + 1j * IMAGINARY).astype("complex64")
SPECTRUM = (_normal(2, 5, 5), _normal(2, 5, 5))
WEIGHTS = np.array([1, 2, 3, 2, 1], "float32")
NO_ROWS = np.zeros((0, 6), "float32")
TWO = ("float32", "float32")


def table() -> list[Case]:
    """The cases."""
    return [*_transforms(), *_frames(), *_products(), *_einsums()]


def _parts(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return z.real, z.imag


def _of_pair(function: Any) -> Any:
    def reference(x: Any, *args: Any, **kwargs: Any) -> Any:
        z = function(x[0] + 1j * x[1], *args, **kwargs)
        return _parts(z) if np.iscomplexobj(z) else z

    return reference


def _rfft(x: np.ndarray, fft_length: int | None = None) -> Any:
    return _parts(np.fft.rfft(x, fft_length))


def _irfft(z: np.ndarray, fft_length: int | None = None) -> Any:
    return np.fft.irfft(z, fft_length)


def _transforms() -> list[Case]:
    halves = (HALF, HALF[::-1].copy())
    cases = []
    for name, function in (("fft", np.fft.fft), ("fft2", np.fft.fft2), ("ifft2", np.fft.ifft2)):
        cases += [
            Case(name, (PAIR,), _of_pair(function), dtype=TWO, opens=name == "fft"),
            Case(name, ((INTS, INTS),), _of_pair(function), dtype=TWO, opens=name == "fft"),
            Case(name, (halves,), _of_pair(function), dtype=("float16",) * 2, opens=False),
        ]
    return [
        *cases,
        Case("fft", ((SHAPES, SHAPES),), _of_pair(np.fft.fft), dtype=TWO),
        Case("rfft", (REAL,), _rfft, dtype=TWO),
        Case("rfft", (SHAPES, 4), _rfft, dtype=TWO, note="filled"),
        Case("rfft", (REAL, 3), _rfft, dtype=TWO, note="cut"),
        Case("rfft", (INTS,), _rfft, dtype=TWO),
        Case("rfft", (BRAIN,), _rfft, dtype=("bfloat16",) * 2),
        Case("rfft", (NO_ROWS, 5), _rfft, dtype=TWO, opens=False),
        Case("fft", ((NO_ROWS, NO_ROWS),), _of_pair(np.fft.fft), dtype=TWO, opens=False),
        Case("irfft", ((NO_ROWS, NO_ROWS),), _of_pair(_irfft), opens=False),
        Case("irfft", (PAIR,), _of_pair(_irfft)),
        Case("irfft", (PAIR, 5), _of_pair(_irfft), note="odd-and-cut"),
        Case("irfft", (PAIR, 16), _of_pair(_irfft), note="filled"),
        Case("irfft", (halves,), _of_pair(_irfft)),
    ]


def extract(x: np.ndarray, length: int, stride: int) -> np.ndarray:
    """The pieces, one after the other."""
    starts = range(0, x.shape[-1] - length + 1, stride)
    pieces = [x[..., s : s + length] for s in starts]
    return np.stack(pieces, -2) if pieces else np.zeros((*x.shape[:-1], 0, length), x.dtype)


def _weights(window: Any, length: int, fft_length: int) -> np.ndarray:
    if window is None:
        window = np.ones(length)
    elif isinstance(window, str):
        first = {"hann": 0.5, "hamming": 0.54}[window]
        window = [first - (1 - first) * np.cos(2 * np.pi * i / length) for i in range(length)]
    found = np.zeros(fft_length)
    start = (fft_length - length) // 2
    found[start : start + length] = window
    return found


def _stft(
    x: np.ndarray, length: int, stride: int, fft_length: int, window: Any = "hann",
    center: bool = True,
) -> Any:  # fmt: skip
    if center:
        pads = [(0, 0)] * (x.ndim - 1) + [(fft_length // 2, fft_length // 2)]
        x = np.pad(x, pads, "reflect")
    return _rfft(extract(x, fft_length, stride) * _weights(window, length, fft_length))


def _istft(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, length: int | None = None,
    window: Any = "hann", center: bool = True,
) -> np.ndarray:  # fmt: skip
    frames = np.fft.irfft(x[0] + 1j * x[1], fft_length)
    weights = _weights(window, sequence_length, fft_length)
    count = frames.shape[-2]
    total = np.zeros((*frames.shape[:-2], (count - 1) * sequence_stride + fft_length))
    reached = np.zeros(total.shape[-1])
    for i in range(count):
        place = slice(i * sequence_stride, i * sequence_stride + fft_length)
        total[..., place] += frames[..., i, :] * weights
        reached[place] += weights**2
    y = np.divide(total, reached, out=np.zeros_like(total), where=reached > 1e-10)
    if center:
        y = y[..., fft_length // 2 :]
        if length is None:
            y = y[..., : y.shape[-1] - fft_length // 2]
    return y if length is None else y[..., :length]


def _frames() -> list[Case]:
    return [
        Case("extract_sequences", (SOUND, 7, 3), extract),
        Case("extract_sequences", (SHAPES, 2, 1), extract),
        Case("extract_sequences", (INTS, 4, 5), extract),
        Case("extract_sequences", (INTS, 7, 1), extract, note="too-short"),
        Case("stft", (SOUND, 8, 4, 10), _stft, dtype=TWO),
        Case("stft", (SOUND[0], 7, 3, 9, "hamming", False), _stft, dtype=TWO, opens=False),
        Case("stft", (SOUND[0], 8, 8, 8, None), _stft, dtype=TWO, opens=False),
        Case("stft", (INTS, 4, 2, 4), _stft, dtype=TWO),
        Case("stft", (HALF, 4, 2, 5), _stft, dtype=("float16",) * 2),
        Case("istft", (SPECTRUM, 8, 4, 8), _istft, tolerance=2e-6),
        Case("istft", (SPECTRUM, 6, 3, 9, 11, "hamming"), _istft, tolerance=2e-6),
        Case("istft", (SPECTRUM, 7, 3, 8, None, None, False), _istft, tolerance=2e-6),
        Case("istft", (SPECTRUM, 8, 10, 8, 40, None, False), _istft, note="gaps"),
        Case("stft", (SOUND[0], 5, 2, 6, WEIGHTS), _stft, dtype=TWO, opens=False, grad=False),
        Case("istft", (SPECTRUM, 5, 2, 8), _istft, {"window": WEIGHTS}, opens=False, grad=False,
             tolerance=5e-6),
    ]  # fmt: skip


def _distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    x, y = (np.broadcast_to(v, (*batch, *v.shape[-2:])) for v in (x, y))
    found = np.zeros((*batch, x.shape[-2], y.shape[-2]))
    for place in np.ndindex(*batch):
        found[place] = distance.cdist(x[place], y[place])
    return found


def _crossed(x1: Any, x2: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy's, which deprecates vectors of two."""
    axes = dict(zip(("axisa", "axisb", "axisc"), args, strict=False)) | kwargs
    thirds = []
    for x, name in ((x1, "axisa"), (x2, "axisb")):
        v = np.moveaxis(x, axes.get("axis", axes.get(name, -1)), -1)
        filled = np.concatenate([v, np.zeros_like(v[..., :1])], -1) if v.shape[-1] == 2 else v
        thirds.append(filled)
    y = np.cross(*thirds)
    if x1.shape[-1] == x2.shape[-1] == 2:
        return y[..., 2]
    return np.moveaxis(y, -1, axes.get("axis", axes.get("axisc", -1)))


def _products() -> list[Case]:
    return [
        Case("inner", (ROWS, SHAPES), np.inner),
        Case("inner", (SHORTS, SHORTS), np.inner),
        Case("inner", (BOOLS, BOOLS), np.inner),
        Case("inner", (REAL, 2.5), np.inner),
        Case("outer", (ROWS[0], REAL), np.outer, opens=False),
        Case("outer", (BOOLS, BYTES), np.outer, dtype="uint8", opens=False),
        Case("vdot", (REAL, IMAGINARY), np.vdot, opens=False),
        Case("vdot", (COMPLEX, COMPLEX[::-1].copy()), np.vdot, opens=False, grad=False),
        Case("vdot", (INTS, INTS.reshape(3, 4)), np.vdot, opens=False),
        Case("vdot", (np.array(2.0, "float32"), np.array(3.0, "float32")), np.vdot),
        Case("kron", (ROWS, SHAPES), np.kron, opens=(0,)),
        Case("kron", (SHAPES, ROWS[0]), np.kron),
        Case("kron", (BOOLS, BOOLS), np.kron, opens=False),
        Case("kron", (np.array(2, "int8"), SHORTS), np.kron, opens=False),
        Case("cross", (ROWS, MORE), np.cross),
        Case("cross", (ROWS[:, :2].copy(), MORE), _crossed),
        Case("cross", (ROWS[:, :2].copy(), MORE[:, :2].copy()), _crossed),
        Case("cross", (ROWS.T.copy(), SHAPES, 0, -1, 1), _crossed, opens=(1,)),
        Case("cross", (SHORTS, SHORTS[::-1].copy()), np.cross, {"axis": 0}, opens=False),
        Case("cdist", (ROWS, SHAPES), _distances, opens=(1,)),
        Case("cdist", (SHAPES, MORE), _distances, opens=(0,)),
        Case("cdist", (INTS, INTS[:1] + 1), _distances, dtype="float32", opens=(0,)),
        Case("cdist", (ROWS, ROWS.copy()), _distances, grad=False, note="zero"),
        Case("cdist", (HALF, HALF), _distances, opens=False),
        Case("matmul", (SHORTS, SHORTS.T.copy()), np.matmul, opens=(0,)),
        Case("matmul", (BYTES, BYTES.T.copy()), np.matmul, opens=(0,)),
        Case("matmul", (BOOLS, BOOLS.T.copy()), np.matmul, opens=(0,)),
        Case("matmul", (COMPLEX, COMPLEX.T.copy()), np.matmul, opens=(0,), grad=False),
        Case("matmul", (np.ones((1, 4096), "float16"), np.ones((4096, 1), "float16")), np.matmul,
             opens=False, note="float16-sums-in-float32"),
        Case("matmul", (np.zeros((2, 0), "int32"), np.zeros((0, 3), "int32")), np.matmul,
             note="no-terms"),
        Case("tensordot", (BOOLS, BOOLS), np.tensordot, opens=False),
        Case("tensordot", (SHORTS, SHORTS, 0), np.tensordot, opens=False),
        Case("dot", (SHORTS, SHORTS.T.copy()), np.dot, opens=(0,)),
        Case("dot", (np.array(2, "int32"), INTS), np.dot, opens=False),
    ]  # fmt: skip


def _any_product(equation: str, *operands: np.ndarray) -> np.ndarray:
    """An einsum of booleans: whether any term is true."""
    return np.einsum(equation, *(o.astype(int) for o in operands)) > 0


def _einsums() -> list[Case]:
    square = _normal(3, 3)
    rows = (
        ("ii", square), ("ii->i", square), ("...ii->...i", np.stack([square, square.T])),
        ("ij,jk", ROWS, square), ("ba", ROWS), ("i,i->", ROWS[0], ROWS[1]), ("->", square[0, 0]),
        (",ij->ij", square[0, 0], ROWS), ("...j,jk->...k", SHAPES, square),
        ("i...,i...->...", SHAPES, SHAPES), ("ij,jk,kl->il", ROWS, square, square),
        ("aij,aj,kj->aki", SHAPES, SHAPES[:, 0], ROWS), ("ij, kj -> i k", ROWS, MORE),
        ("Zj,jY->ZY...", ROWS, square), ("ij,ij->ij", ROWS, MORE[:1]), ("iij->j", _normal(3, 3, 2)),
        ("ii,i->i", square, ROWS[0]), ("ij->", ROWS),
    )  # fmt: skip
    cases = [
        Case("einsum", (text, *(np.array(o) for o in operands)), np.einsum, opens=False, note=text)
        for text, *operands in rows
    ]
    return [
        *cases,
        Case("einsum", ("ij,kj->ik", SHORTS, SHORTS), np.einsum, opens=False),
        Case("einsum", ("ij,kj->ik", BYTES, BYTES), np.einsum, opens=False),
        Case("einsum", ("ij->i", BOOLS), _any_product, opens=False),
        Case("einsum", ("ij,kj->ik", BOOLS, BOOLS), _any_product, opens=False),
        Case("einsum", ("ij,kj->ik", HALF, HALF), np.einsum, opens=False),
        Case("einsum", ("ij,kj->ik", COMPLEX, COMPLEX), np.einsum, opens=False, grad=False),
        Case("einsum", ("ij->j", np.ones((4096, 2), "float16")), np.einsum, opens=False,
             note="float16-sums-in-float32"),
        Case("einsum", ("ij,jk->ik", np.zeros((2, 0), "float32"), np.zeros((0, 3), "float32")),
             np.einsum, opens=False, note="no-terms"),
    ]  # fmt: skip
