"""Hashes of text, for whole arrays at once: FarmHash's Fingerprint64 and SipHash-2-4.

Fingerprint64 is that of https://github.com/google/farmhash, whose results never change; SipHash is
Aumasson and Bernstein's (2012), with a key of 16 bytes. Numbers wrap around at 2⁶⁴.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Words = np.ndarray  # uint64 `(texts,)`

_K0 = np.uint64(0xC3A5C85C97CB3127)
_K1 = np.uint64(0xB492B66FBE98F273)
_K2 = np.uint64(0x9AE16A3B2F90404F)
# The multiplier of MurmurHash, and what TensorFlow begins crossings with.
_MURMUR = np.uint64(0xC6A4A7935BD1E995)
_CROSSING = np.uint64(0xDECAFCAFFE)


def _u(x: int) -> np.uint64:
    return np.uint64(x)


def _rotated(x: Words, shift: int) -> Words:
    """The bits moved to the right, those that fall out coming in on the left."""
    return x if shift == 0 else (x >> _u(shift)) | (x << _u(64 - shift))


def _mixed(x: Words) -> Words:
    return x ^ (x >> _u(47))


def _word(table: np.ndarray, at: int, size: int = 8) -> Words:
    """The little-endian number of `size` bytes that stands at place `at` of each row."""
    part = np.ascontiguousarray(table[:, at : at + size])
    return part.view(f"<u{size}")[:, 0].astype(np.uint64)


def _joined(u: Words, v: Words, mul: Words | np.uint64) -> Words:
    a = _mixed((u ^ v) * mul)
    return _mixed((v ^ a) * mul) * mul


def _short(t: np.ndarray, n: int) -> Words:
    """Of texts of up to 16 bytes."""
    if n == 0:
        return np.full(len(t), _K2)
    mul = _K2 + _u(2 * n)
    if n >= 8:
        a, b = _word(t, 0) + _K2, _word(t, n - 8)
        c = _rotated(b, 37) * mul + a
        return _joined(c, (_rotated(a, 25) + b) * mul, mul)
    if n >= 4:
        return _joined(_u(n) + (_word(t, 0, 4) << _u(3)), _word(t, n - 4, 4), mul)
    a, b, c = (t[:, i].astype(np.uint64) for i in (0, n >> 1, n - 1))
    return _mixed(((a + (b << _u(8))) * _K2) ^ ((_u(n) + (c << _u(2))) * _K0)) * _K2


def _medium(t: np.ndarray, n: int) -> Words:
    """Of texts of 17 to 64 bytes."""
    mul = _K2 + _u(2 * n)
    if n <= 32:
        a, b = _word(t, 0) * _K1, _word(t, 8)
        c, d = _word(t, n - 8) * mul, _word(t, n - 16) * _K2
        first = _rotated(a + b, 43) + _rotated(c, 30) + d
        return _joined(first, a + _rotated(b + _K2, 18) + c, mul)
    a, b = _word(t, 0) * _K2, _word(t, 8)
    c, d = _word(t, n - 8) * mul, _word(t, n - 16) * _K2
    y = _rotated(a + b, 43) + _rotated(c, 30) + d
    z = _joined(y, a + _rotated(b + _K2, 18) + c, mul)
    e, f = _word(t, 16) * mul, _word(t, 24)
    g, h = (y + _word(t, n - 32)) * mul, (z + _word(t, n - 24)) * mul
    return _joined(_rotated(e + f, 43) + _rotated(g, 30) + h, e + _rotated(f + a, 18) + g, mul)


def _pair(t: np.ndarray, at: int, a: Words, b: Words) -> tuple[Words, Words]:
    """Two numbers out of 32 bytes and two seeds."""
    w, x, y, z = (_word(t, at + 8 * i) for i in range(4))
    a = a + w
    b = _rotated(b + a + z, 21)
    c = a
    a = a + x + y
    return a + z, b + _rotated(a, 44) + c


def _long(t: np.ndarray, n: int) -> Words:
    """Of texts of more than 64 bytes: 64 at a time, the last ones overlapping."""
    zero = np.zeros(len(t), np.uint64)
    x = zero + _u(81)
    y = x * _K1 + _u(113)
    z = _mixed(y * _K2 + _u(113)) * _K2
    v = w = (zero, zero)
    x = x * _K2 + _word(t, 0)

    def turn(at: int, mul: Words | np.uint64, weight: int) -> None:
        nonlocal x, y, z, v, w
        x = _rotated(x + y + v[0] + _word(t, at + 8), 37) * mul
        y = _rotated(y + v[1] + _word(t, at + 48), 42) * mul
        x = x ^ (w[1] * _u(weight))
        y = y + v[0] * _u(weight) + _word(t, at + 40)
        z = _rotated(z + w[0], 33) * mul
        v = _pair(t, at, v[1] * mul, x + w[0])
        w = _pair(t, at + 32, z + w[1], y + _word(t, at + 16))
        z, x = x, z

    for at in range(0, (n - 1) // 64 * 64, 64):
        turn(at, _K1, 1)
    mul = _K1 + ((z & _u(0xFF)) << _u(1))
    w = (w[0] + _u((n - 1) & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    turn(n - 64, mul, 9)
    first = _joined(v[0], w[0], mul) + _mixed(y) * _K0 + z
    return _joined(first, _joined(v[1], w[1], mul) + x, mul)


def _by_length(texts: np.ndarray, of_length: Callable[[np.ndarray, int], Words]) -> Words:
    """A hash for each text, those of one length together."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    found = np.empty(len(texts), np.uint64)
    with np.errstate(over="ignore"):
        for n in np.unique(lengths).tolist():
            rows = np.flatnonzero(lengths == n)
            table = np.frombuffer(b"".join(texts[rows].tolist()), np.uint8).reshape(len(rows), n)
            found[rows] = of_length(table, n)
    return found


def fingerprints(texts: np.ndarray) -> Words:
    """FarmHash's Fingerprint64 of each text.

    Args:
        texts: bytes, an array of objects `(texts,)`.
    """
    return _by_length(
        texts,
        lambda t, n: _short(t, n) if n <= 16 else _medium(t, n) if n <= 64 else _long(t, n),
    )


def crossed(features: list[Words]) -> Words:
    """One fingerprint for each combination of features.

    Args:
        features: for each its fingerprints (integers stand for themselves).
    """
    found = np.full(len(features[0]), _CROSSING)
    with np.errstate(over="ignore"):
        for feature in features:
            found = found ^ _MURMUR ^ (_mixed(feature * _MURMUR) * _MURMUR)
            found = _mixed(_mixed(found * _MURMUR) * _MURMUR)
    return found


def keyed(texts: np.ndarray, key: tuple[int, int]) -> Words:
    """SipHash-2-4 of each text under a key of two 64-bit numbers."""
    k0, k1 = (np.uint64(k & 0xFFFFFFFFFFFFFFFF) for k in key)
    return _by_length(texts, lambda t, n: _sip(t, n, k0, k1))


def _sip(t: np.ndarray, n: int, k0: np.uint64, k1: np.uint64) -> Words:
    whole = n // 8
    last = np.zeros((len(t), 8), np.uint8)
    last[:, : n - 8 * whole] = t[:, 8 * whole :]
    last[:, 7] = n & 0xFF
    constants = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    v = [np.full(len(t), k ^ _u(c)) for k, c in zip((k0, k1, k0, k1), constants, strict=True)]
    for word in (*(_word(t, 8 * i) for i in range(whole)), _word(last, 0)):
        v[3] = v[3] ^ word
        _rounds(v, 2)
        v[0] = v[0] ^ word
    v[2] = v[2] ^ _u(0xFF)
    _rounds(v, 4)
    found: Words = v[0] ^ v[1] ^ v[2] ^ v[3]
    return found


def _rounds(v: list[Words], count: int) -> None:
    for _ in range(count):
        v[0], v[2] = v[0] + v[1], v[2] + v[3]
        v[1] = _rotated(v[1], 64 - 13) ^ v[0]
        v[3] = _rotated(v[3], 64 - 16) ^ v[2]
        v[0] = _rotated(v[0], 32)
        v[2], v[0] = v[2] + v[1], v[0] + v[3]
        v[1] = _rotated(v[1], 64 - 17) ^ v[2]
        v[3] = _rotated(v[3], 64 - 21) ^ v[0]
        v[2] = _rotated(v[2], 32)


def hashed(texts: np.ndarray, salt: tuple[int, int] | None, bins: int) -> np.ndarray:
    """A bin, int32, for each of the bytes in an array of objects `(n,)`."""
    found = fingerprints(texts) if salt is None else keyed(texts, salt)
    return (found % np.uint64(bins)).astype(np.int32)


def decimal(integers: np.ndarray) -> np.ndarray:
    """Integers in decimal digits, bytes in an array of objects."""
    return integers.astype(np.int64).astype("S21").astype(object)


def checked_salt(owner: str, salt: Any) -> tuple[int, int] | None:
    """A key of two integers from `salt`: one integer, two, or None.

    Raises:
        ValueError: it is something else.
    """
    if salt is None:
        return None
    both = (salt, salt) if isinstance(salt, (int, np.integer)) else salt
    if not isinstance(both, (list, tuple)) or len(both) != 2:
        raise ValueError(f"{owner}: salt must be an integer or two of them; got {salt!r}")
    return int(both[0]), int(both[1])
