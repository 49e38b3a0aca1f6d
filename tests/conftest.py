"""What all tests share: the backends to run on, and Keras as the oracle."""

import gc
import os
import warnings

import pytest

os.environ["KERAS_BACKEND"] = "numpy"  # before Keras is imported anywhere
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from kerata.backends import registry
from kerata.core.seeds import set_random_seed

_CHOSEN = os.environ.get("KERATA_TEST_BACKENDS")
BACKENDS = _CHOSEN.split(",") if _CHOSEN else registry.backends()
TRAINING = [n for n in BACKENDS if n in ("jax", "torch", "tensorflow")]


def pytest_collection_finish():
    """Keep engines and tests, which stay to the end, out of each later garbage collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture(params=BACKENDS)
def backend(request):
    """The active backend, each one that is installed in turn."""
    set_random_seed(0)
    with registry.use_backend(request.param) as active:
        yield active


@pytest.fixture(params=TRAINING)
def training_backend(request):
    """The name of the active backend, each one that trains in turn."""
    set_random_seed(0)
    with registry.use_backend(request.param):
        yield request.param


@pytest.fixture
def keras():
    """Keras, the oracle."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras")
