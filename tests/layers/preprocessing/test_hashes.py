"""Hashes: the numbers that TensorFlow's own operations give."""

import numpy as np
import pytest

from kerata.layers.preprocessing.hashes import crossed, fingerprints, keyed

pytestmark = pytest.mark.oracle
SIZES = [*range(0, 140), 191, 192, 193, 255, 256, 257, 1000]
BINS = 2**62 + 1


def _texts():
    rng = np.random.default_rng(0)
    return np.array([bytes(rng.integers(0, 256, n, dtype=np.uint8)) for n in SIZES], object)


def _bins(hashes, bins):
    return (hashes % np.uint64(bins)).astype(np.int64)


@pytest.fixture(scope="module")
def tf():
    return pytest.importorskip("tensorflow")


def test_fingerprints(tf):
    texts = _texts()
    expected = tf.strings.to_hash_bucket_fast(tf.constant(texts), BINS).numpy()
    assert np.array_equal(_bins(fingerprints(texts), BINS), expected)


@pytest.mark.parametrize("key", [(1, 2), (133137, 133137), (2**63 - 1, 5)])
def test_keyed(tf, key):
    texts = _texts()
    expected = tf.strings.to_hash_bucket_strong(tf.constant(texts), BINS, key).numpy()
    assert np.array_equal(_bins(keyed(texts, key), BINS), expected)


@pytest.mark.parametrize("bins", [5, 10**6, 2**31])
def test_crossed(tf, bins):
    texts, numbers = np.array(["A", "zz", "", "hello world"]), np.array([-3, 2**40, 0, 7])
    hashes = fingerprints(np.array([t.encode() for t in texts], object))
    columns = [tf.constant(texts[:, None]), tf.constant(numbers[:, None])]
    expected = tf.sparse.cross_hashed(columns, bins).values.numpy()
    assert np.array_equal(_bins(crossed([hashes, numbers.view(np.uint64)]), bins), expected)


def test_known_value():
    """Without TensorFlow: the reference vector of SipHash-2-4, and an empty fingerprint."""
    key = int.from_bytes(bytes(range(8)), "little"), int.from_bytes(bytes(range(8, 16)), "little")
    assert keyed(np.array([bytes(range(15))], object), key)[0] == 0xA129CA6149BE45E5
    assert fingerprints(np.array([b""], object))[0] == 0x9AE16A3B2F90404F
