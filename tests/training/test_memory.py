"""Memory: repeated calls and dropped models leave nothing behind, on every training backend.

Each backend is measured in a process of its own, where nothing else allocates.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.core import masks

ROOT = Path(__file__).parents[2]
CALLS = {"predict": 200, "fit": 20, "evaluate": 20, "models": 50}
# A model takes a second to compile there. Strict counts of objects need no more.
FEWER = {"jax": {"models": 6}, "tensorflow": {"models": 6}}


def _collected() -> float:
    """The resident memory in MiB, once nothing is left to collect."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return 0.0


def _tensors(name: str) -> int:
    """How many of the engine's tensors, variables and nodes of graphs live."""
    gc.collect()
    if name == "jax":
        import jax

        return len(jax.live_arrays())
    if name == "torch":
        import torch

        return sum(issubclass(type(x), torch.Tensor) for x in gc.get_objects())
    import tensorflow as tf

    kinds = (tf.Tensor, tf.Variable, tf.Operation, tf.Graph)
    return sum(issubclass(type(x), kinds) for x in gc.get_objects())


def _model():
    model = kerata.Sequential([kerata.Input((6,)), layers.Dense(4), layers.Dropout(0.1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model


def measure(name: str) -> dict[str, dict[str, float]]:
    """What so many calls of each method leave behind: tensors, objects, MiB; models that live."""
    kerata.set_backend(name)
    x, y = np.ones((24, 6), "float32"), np.ones((24, 4), "float32")
    kept, dropped = _model(), []

    def models() -> None:
        model = _model()
        model.fit(x, y, epochs=1, batch_size=24, verbose=0)
        dropped.append(weakref.ref(model))

    calls = {
        "predict": lambda: kept.predict(x, verbose=0),
        "fit": lambda: kept.fit(x, y, epochs=1, batch_size=24, verbose=0),
        "evaluate": lambda: kept.evaluate(x, y, verbose=0),
        "models": models,
    }
    found = {}
    for kind, call in calls.items():
        for _ in range(3):
            call()
        count = FEWER.get(name, {}).get(kind, CALLS[kind])
        # Twice, as the first looks fill caches of their own.
        before = [(_tensors(name), len(gc.get_objects()), _collected()) for _ in range(2)][1]
        for _ in range(count):
            call()
        after = _tensors(name), len(gc.get_objects()), _collected()
        names = ("tensors", "objects", "memory")
        found[kind] = dict(zip(names, np.subtract(after, before).tolist(), strict=True))
        found[kind]["calls"] = count
    found["models"]["alive"] = sum(r() is not None for r in dropped)
    return found


@pytest.mark.slow
def test_repeated_calls_and_dropped_models_leave_nothing(training_backend):
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.test_memory", training_backend],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["models"]["alive"] == 0
    for kind, left in found.items():
        assert left["tensors"] == 0, (kind, left)
        assert left["objects"] <= left["calls"], (kind, left)  # our weak reference to each model
        assert left["memory"] < (16 if kind == "models" else 4), (kind, left)


def test_masks_of_programs_die_with_the_model(training_backend):
    """A mask that was computed in a program must not hold the program."""
    ids, y = np.array([[1, 2, 0], [3, 0, 0]], "int32"), np.ones((2, 3, 2), "float32")
    stack = [kerata.Input((3,), dtype="int32"), layers.Embedding(4, 2, mask_zero=True)]
    model = kerata.Sequential([*stack, layers.Dense(2)])
    del stack
    gc.collect()
    before = len(masks._table)
    model.compile("sgd", "mse")
    model.fit(ids, y, epochs=1, verbose=0)
    end = weakref.ref(model)
    del model
    gc.collect()
    assert end() is None
    assert len(masks._table) <= before


def test_the_data_of_fit_is_let_go(training_backend):
    """Neither the programs nor the model keep the first batch, or the arrays that it came from."""
    backend = kerata.backends.load(training_backend)
    x, y = np.ones((64, 6), "float32"), np.ones((64, 4), "float32")
    given = [backend.convert(x), backend.convert(y)]
    ends = [weakref.ref(t) for t in given]
    model = _model()
    model.fit(*given, epochs=1, verbose=0)
    model.predict(given[0], verbose=0)
    del given
    gc.collect()
    assert [r() for r in ends] == [None, None]


def test_clear_session_frees_and_living_models_go_on(training_backend):
    x, y = np.ones((8, 6), "float32"), np.ones((8, 4), "float32")
    model = _model()
    model.fit(x, y, epochs=1, verbose=0)
    before = model.predict(x, verbose=0)
    kerata.config.set_dtype_policy("mixed_bfloat16")
    kerata.utils.clear_session()
    assert layers.Dense(1).name == "dense" and layers.Dense(1).name == "dense_1"
    assert kerata.config.dtype_policy().name == "float32"
    np.testing.assert_allclose(model.predict(x, verbose=0), before, rtol=1e-6)
    model.fit(x, y, epochs=1, verbose=0)


def test_clear_session_without_freeing(monkeypatch):
    freed = []
    for backend in kerata.backends.registry.loaded():
        monkeypatch.setattr(type(backend), "clear", lambda self: freed.append(self.name))
    kerata.backend.clear_session(free_memory=False)
    assert not freed and layers.Dense(1).name == "dense"
    kerata.backend.clear_session()
    assert freed == [b.name for b in kerata.backends.registry.loaded()]


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
