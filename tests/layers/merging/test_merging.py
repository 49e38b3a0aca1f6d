import numpy as np
import pytest

from kerata import layers
from kerata.core.masks import get_mask, set_mask

X = np.arange(6, dtype="float32").reshape(2, 3)


@pytest.mark.parametrize(("name", "expected"), [
    ("add", X + X + 1), ("subtract", X - (X + 1)), ("multiply", X * (X + 1)),
    ("average", X + 0.5), ("maximum", X + 1), ("minimum", X),
    ("concatenate", np.concatenate([X, X + 1], -1)),
])  # fmt: skip
def test_functions(name, expected, backend):
    y = getattr(layers, name)([backend.convert(X), backend.convert(X + 1)])
    np.testing.assert_allclose(backend.to_numpy(y), expected)


def test_a_mask_is_lost_where_an_input_has_none(backend):
    x, y = backend.convert(X[..., None]), backend.convert(X[..., None] * 1)
    mask = backend.convert(np.array([[True, False, True], [True, True, False]]))
    set_mask(x, mask)
    assert get_mask(layers.Add()([x, y])) is None
    joined = backend.to_numpy(get_mask(layers.Concatenate(axis=1)([x, y])))
    assert joined.tolist() == [[1, 0, 1, 1, 1, 1], [1, 1, 0, 1, 1, 1]]
