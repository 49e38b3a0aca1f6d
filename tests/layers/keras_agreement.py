"""How far layers are from Keras', with the same weights and inputs: outputs and gradients.

python tests/layers/keras_agreement.py                       # a table: rows, backends, differences
python tests/layers/keras_agreement.py 'Conv*' --backends jax # of some
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import optree

from kerata import ops
from kerata.backends import backends
from kerata.backends.registry import use_backend
from kerata.core.transforms import grad, jit
from tests.layers.cases import CASES
from tests.layers.cases.case import Case
from tests.layers.common import made, reset

LIMIT = 1e-5  # relative to the largest element
# Where Keras' gradients are not those of its outputs.
KNOWN = {
    "*Attention-masks*": "of places of which all are masked: Keras takes 1e9 off their scores, "
    "which leaves the same number of each, and lets gradients through as if it did not",
    "MultiHeadAttention-key": "values of another size than keys: on JAX Keras can't compute it",
}


def factors(shape: Any) -> np.ndarray:
    """What the outputs are multiplied with before they are added up: each one differently."""
    return np.cos(np.arange(np.prod(shape, dtype=int))).reshape(shape).astype("float32")


def of_keras(keras: Any, case: Case, weights: list[np.ndarray]) -> list[np.ndarray]:
    """Outputs, and gradients of the inputs and the trained weights."""
    import jax

    peer = case.make(keras.layers)
    inputs = case.inputs()
    case.run(peer, inputs)
    peer.set_weights(weights)
    if getattr(peer, "stateful", False):
        peer.reset_state()
    trained = [v.value for v in peer.trainable_variables]
    others = [v.value for v in peer.non_trainable_variables]

    def total(inputs: list[Any], trained: list[Any]) -> Any:
        def pure(*args: Any, **kwargs: Any) -> Any:
            return peer.stateless_call(trained, others, *args, **kwargs)[0]

        found = optree.tree_leaves(case.run(pure, inputs))
        return sum((y * factors(y.shape)).sum() for y in found), found

    wanted = jax.grad(total, 1 if case.top else (0, 1), has_aux=True)
    # Without them, and without optimization, XLA gets RandomColorJitter wrong.
    differentiated = jax.jit(wanted, compiler_options={"xla_cpu_use_fusion_emitters": True})
    slopes, outputs = differentiated(inputs, trained)
    return [np.asarray(x) for x in (*outputs, *optree.tree_leaves(slopes))]


def of_ours(case: Case, layer: Any, weights: list[np.ndarray], backend: Any) -> list[np.ndarray]:
    """The same by Kerata, without gradients where the backend has none."""
    trained = layer.trainable_variables

    def restore() -> None:  # what a call may have moved
        for variable, value in zip(layer.weights, weights, strict=True):
            variable.assign(value)
        reset(layer)

    def outputs(*inputs: Any) -> list[Any]:
        found: list[Any] = optree.tree_leaves(case.run(layer, list(inputs)))
        return found

    def total(*inputs: Any) -> Any:
        return sum(ops.sum(ops.multiply(y, factors(y.shape))) for y in outputs(*inputs))

    @jit
    def everything(*inputs: Any) -> list[Any]:
        restore()
        found = outputs(*inputs)
        if backend.trains and not case.top:
            restore()
            found += grad(total, None, tuple(range(len(inputs))))(*inputs)
        if backend.trains and trained:
            restore()
            slopes = grad(lambda: total(*inputs), trained)()
            found += [
                ops.zeros(v.shape) if g is None else g for v, g in zip(trained, slopes, strict=True)
            ]
        return found

    found = everything(*(backend.convert(x) for x in case.inputs()))
    return [backend.to_numpy(x) for x in found]


def difference(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """The largest one, relative to the largest element of its array (1 at least)."""
    worst = 0.0
    for a, b in zip(found, expected, strict=False):
        scale = max(1.0, float(np.abs(b).max(initial=0.0)))
        worst = max(worst, float(np.abs(a - b).max(initial=0.0)) / scale)
    return worst


def attempt(run: Callable[[], Any]) -> Any:
    """What `run` returns, or in one line why it can't."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return run()
    except Exception as error:
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"[:100]


def compared(keras: Any, case: Case, names: list[str]) -> dict[str, float | str]:
    """For each backend how far a row is from Keras, or what went wrong."""
    layer = made(case)
    weights = layer.get_weights()
    expected = attempt(lambda: of_keras(keras, case, weights))
    if isinstance(expected, str):
        return {names[0]: f"Keras: {expected}"}
    found = {}
    for name in names:
        with use_backend(name) as backend:
            ours = attempt(lambda: of_ours(case, layer, weights, backend))
        found[name] = ours if isinstance(ours, str) else difference(ours, expected)
    return found


def main() -> None:
    """Print the table, and what is over the limit."""
    os.environ["KERAS_BACKEND"] = "jax"  # which Keras' gradients are taken by
    import keras

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", default=["*"], help="patterns of their names")
    parser.add_argument("--backends", nargs="*", default=backends(), help="which of those here")
    chosen = parser.parse_args()
    names = chosen.backends
    worst, over, rows = 0.0, [], 0
    print(f"{'row':44}" + "".join(f"{n:>12}" for n in names))
    for case in CASES:
        if not case.oracle or not any(fnmatch(case.name, p) for p in chosen.rows):
            continue
        found = compared(keras, case, names)
        cells = {n: v if isinstance(v, str) else f"{v:.1e}" for n, v in found.items()}
        far = [n for n, v in found.items() if isinstance(v, str) or v > LIMIT]
        over += [f"{case.name} on {n}: {cells[n]}" for n in far]
        worst = max(worst, *(float(v) for n, v in found.items() if n not in far), 0.0)
        rows += 1
        print(f"{case.name:44}" + "".join(f"{c:>12}" for c in cells.values()), flush=True)
    print(f"\n{rows} rows on {len(names)} backends; the largest difference within {LIMIT}: {worst}")
    known = [line for line in over if any(fnmatch(line.split()[0], p) for p in KNOWN)]
    print(
        *(f"known: {line}" for line in known),
        *(f"{p}: {why}" for p, why in KNOWN.items()),
        sep="\n",
    )
    print(*(f"over: {line}" for line in over if line not in known), sep="\n")
    sys.exit(len(over) > len(known))


if __name__ == "__main__":
    main()
