"""Predict from a table: columns of numbers and categories, encoded by a `FeatureSpace`.

    python examples/feature_space.py --backend torch

The table is real and comes with scikit-learn: 442 patients with diabetes (Efron et al., 2004),
their age, sex, body-mass index, blood pressure and six blood values, and how far the disease had
gone on a year later. The model takes the table as it is, a data frame or a dictionary of columns.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from sklearn.datasets import load_diabetes

import kerata
from kerata import layers
from kerata.utils import FeatureSpace

Table = dict[str, np.ndarray]


def load() -> tuple[tuple[Table, np.ndarray], tuple[Table, np.ndarray]]:
    """The columns by name and the target, to train on and to test with."""
    data = load_diabetes(scaled=False)
    table = dict(zip(data.feature_names, data.data.T.astype("float32"), strict=True))
    table["sex"] = np.array([f"sex {int(v)}" for v in table["sex"]])
    order = np.random.default_rng(0).permutation(len(data.target))
    rows = order[:330], order[330:]
    first, last = (
        ({name: column[part] for name, column in table.items()}, data.target[part]) for part in rows
    )
    return first, last


def build(table: Table) -> kerata.Model:
    """A model of the raw columns."""
    space = FeatureSpace(
        {
            "age": FeatureSpace.float_discretized(num_bins=4),
            "sex": "string_categorical",
            **{name: "float_normalized" for name in table if name not in ("age", "sex")},
        },
        crosses=[FeatureSpace.cross(("age", "sex"), crossing_dim=8)],
    )
    space.adapt(table)
    x = layers.Dense(8, "relu", kernel_regularizer="l2")(space.get_encoded_features())
    model = kerata.Model(space.get_inputs(), layers.Dense(1)(layers.Dropout(0.2)(x)))
    model.compile(kerata.optimizers.Adam(0.01), "mse")
    return model


def main() -> None:
    """Train, test, save and load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default=None)
    parser.add_argument("--epochs", type=int, default=40)
    given = parser.parse_args()
    if given.backend:
        kerata.set_backend(given.backend)
    kerata.utils.set_random_seed(1)
    (table, y), (test, y_test) = load()
    model = build(table)
    mean, spread = y.mean(), y.std()
    model.fit(table, (y - mean) / spread, epochs=given.epochs, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "table.keras"
        model.save(path)
        loaded = kerata.saving.load_model(path)
    predicted = loaded.predict(test, verbose=0)[:, 0] * spread + mean
    share = 1 - np.mean((predicted - y_test) ** 2) / np.mean((y.mean() - y_test) ** 2)
    print(f"explained on {len(y_test)} other patients: {share:.2f} of the variance")
    same = np.array_equal(predicted, model.predict(test, verbose=0)[:, 0] * spread + mean)
    print(f"the loaded model predicts the same: {same}")


if __name__ == "__main__":
    main()
