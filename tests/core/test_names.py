"""Names and the scopes that make paths of them."""

from __future__ import annotations

import threading

import pytest

from kerata.core import names
from kerata.core.names import auto_name, current_path, get_uid, name_scope, reset_uids, snake_case


@pytest.fixture(autouse=True)
def counts():
    """Counters of the test's own."""
    kept = dict(names._counts)
    reset_uids()
    yield
    names._counts.clear()
    names._counts.update(kept)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("Dense", "dense"), ("LayerNormalization", "layer_normalization"), ("Conv2D", "conv2d"),
     ("ReLU", "re_lu"), ("GRUCell", "gru_cell"), ("MultiHeadAttention", "multi_head_attention"),
     ("already_so", "already_so"), ("Conv2DTranspose", "conv2d_transpose"), ("<lambda>", "lambda")],
)  # fmt: skip
def test_snake_case(name, wanted):
    assert snake_case(name) == wanted


@pytest.mark.parametrize("name", ["Dense", "Conv2D", "ReLU", "GRUCell", "Conv2DTranspose", "LSTM", "PReLU",
                                  "SeparableConv1D", "UpSampling2D", "TextVectorization"])  # fmt: skip
def test_snake_case_as_keras(keras, name):
    assert snake_case(name) == keras.src.utils.naming.to_snake_case(name)


def test_auto_names_count():
    assert [auto_name("Dense") for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert auto_name("Conv2D") == "conv2d"
    assert get_uid("dense") == 4 and get_uid("new") == 1
    reset_uids()
    assert auto_name("Dense") == "dense"


def test_scopes_make_paths():
    assert current_path("w") == "w"
    with name_scope("a"):
        with name_scope("b"):
            assert current_path("w") == "a/b/w"
        assert current_path("w") == "a/w"
    with pytest.raises(KeyError), name_scope("a"):
        raise KeyError
    assert current_path("w") == "w"


@pytest.mark.parametrize("name", ["", "a/b", None, 3])
def test_wrong_names(name):
    with pytest.raises(ValueError, match="name must be a string without '/'"):
        name_scope(name)


def test_threads_have_their_own_scopes_and_shared_counts():
    found, barrier = [], threading.Barrier(4)

    def work():
        with name_scope(f"t{threading.get_ident()}"):
            barrier.wait()
            for _ in range(200):
                found.append(auto_name("thing"))
            assert current_path("x") == f"t{threading.get_ident()}/x"

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(set(found)) == 800
