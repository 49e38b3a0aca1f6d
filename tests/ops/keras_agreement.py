"""Where Keras' operations give what the table's references say.

python tests/ops/keras_agreement.py    # the names of the calls, as JSON, on $KERAS_BACKEND
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.ops.case import Case, flat, wide


def operation(keras: Any, case: Case) -> Any:
    """Keras' operation of that name, or None; what `empty` holds in Keras is anything."""
    if case.op in ("empty", "empty_like"):
        return None
    return getattr(keras.ops, case.op, None) or getattr(keras.ops.image, case.op, None)


def agrees(keras: Any, case: Case) -> bool:
    """Whether Keras gives the reference's results, shapes and values."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            args, kwargs = case.rebuilt([keras.ops.convert_to_tensor(a) for a in case.arrays])
            results = flat(operation(keras, case)(*args, **kwargs))
            found = [keras.ops.convert_to_numpy(y) for y in results]
            return len(found) == len(case.results) and all(
                _close(y, wanted, case.dtypes[i])
                for i, (y, wanted) in enumerate(zip(found, case.results, strict=True))
            )
    except Exception:
        return False


def _close(found: np.ndarray, wanted: np.ndarray, dtype: str) -> bool:
    if found.shape != wanted.shape:
        return False
    tolerance = 2e-2 if dtype in ("float16", "bfloat16") else 1e-4
    finite = np.abs(wanted[np.isfinite(wanted)]) if wanted.dtype.kind in "fc" else np.ones(1)
    slack = tolerance * max(float(finite.max(initial=0.0)), 1e-3)
    return np.allclose(wide(found), wanted, rtol=tolerance, atol=slack, equal_nan=True)


def main() -> None:
    """Print the calls that agree."""
    import keras

    from tests.ops.cases import CASES

    found = [str(c) for c in CASES if operation(keras, c) is not None and agrees(keras, c)]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
