"""Classify text from raw strings: the model takes sentences, and the file it is saved to holds all.

    python examples/text_from_strings.py --backend jax      # TensorFlow is not needed

The text is real and comes with NumPy: the paragraphs of its documentation. The model says which
part of NumPy a paragraph is about; it is tested on functions whose documentation it has not seen.
"""

from __future__ import annotations

import argparse
import inspect
import os
import pathlib
import tempfile
import types

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

import kerata
from kerata import layers

TOPICS: dict[str, types.ModuleType] = {
    "Fourier transforms": np.fft,
    "linear algebra": np.linalg,
    "polynomials": np.polynomial.chebyshev,
    "random numbers": np.random,
    "strings": np.strings,
}


def paragraphs(function: object) -> list[str]:
    """The paragraphs of a function's documentation, up to its examples."""
    text = inspect.getdoc(function) or ""
    found = [" ".join(p.split()) for p in text.split("Examples\n---")[0].split("\n\n")]
    return [p for p in found if len(p.split()) >= 8]


def load() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Paragraphs and the numbers of their topics, to train on and to test with."""
    rng = np.random.default_rng(0)
    train: list[tuple[str, int]] = []
    test: list[tuple[str, int]] = []
    for label, module in enumerate(TOPICS.values()):
        names = [n for n in dir(module) if not n.startswith("_") and callable(getattr(module, n))]
        for name in rng.permutation(names):
            part = test if rng.random() < 0.25 else train
            part += [(p, label) for p in paragraphs(getattr(module, name))]
    known = {p for p, _ in train}
    test = [(p, label) for p, label in test if p not in known]  # some paragraphs recur

    def columns(rows: list[tuple[str, int]]) -> tuple[np.ndarray, np.ndarray]:
        rows = [rows[i] for i in rng.permutation(len(rows))]
        return np.array([p for p, _ in rows]), np.array([label for _, label in rows])

    return columns(train), columns(test)


def build(texts: np.ndarray) -> kerata.Sequential:
    """A model of raw strings: words are looked up, their vectors averaged."""
    vectorize = layers.TextVectorization(max_tokens=5000, output_sequence_length=80)
    vectorize.adapt(texts)
    model = kerata.Sequential(
        [
            kerata.Input((), dtype="string"),
            vectorize,
            layers.Embedding(vectorize.vocabulary_size(), 32, mask_zero=True),
            layers.GlobalAveragePooling1D(),
            layers.Dropout(0.3),
            layers.Dense(len(TOPICS), "softmax"),
        ]
    )
    model.compile(
        kerata.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def main() -> None:
    """Train, test, save, load, and try some sentences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default=None)
    parser.add_argument("--epochs", type=int, default=15)
    given = parser.parse_args()
    if given.backend:
        kerata.set_backend(given.backend)
    kerata.utils.set_random_seed(1)
    (x, y), (x_test, y_test) = load()
    print(f"{len(x)} paragraphs to train on, {len(x_test)} to test with")
    model = build(x)
    model.fit(x, y, epochs=given.epochs, verbose=2 if given.epochs > 5 else 0)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    chance = np.bincount(y_test).max() / len(y_test)
    print(f"accuracy {accuracy:.3f}; always the largest topic: {chance:.3f}")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "text.keras"
        model.save(path)
        loaded = kerata.saving.load_model(path)
    sentences = np.array(["Draw samples from a normal distribution.", "Eigenvalues of a matrix."])
    for sentence, shares in zip(sentences, loaded.predict(sentences, verbose=0), strict=True):
        print(f"{str(sentence)!r}: {list(TOPICS)[shares.argmax()]} ({shares.max():.2f})")


if __name__ == "__main__":
    main()
