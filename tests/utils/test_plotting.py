"""Models' graphs as pictures."""

import re
import shutil
import struct
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

import kerata
from kerata import layers, ops, utils

pytest.importorskip("graphviz")
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="dot is not installed")
EVERYTHING = {
    "show_shapes": True,
    "show_dtype": True,
    "show_layer_names": True,
    "show_layer_activations": True,
    "show_trainable": True,
}


def make_nested():
    """A model with two inputs, a shared layer, an operation and two models inside."""
    z = kerata.Input((8,), name="z")
    hidden = layers.Dense(8, "relu", name="hidden")(z)
    ends = [layers.Dense(3, name="left")(hidden), layers.Dense(4, name="right")(hidden)]
    inner = kerata.Model(z, ends, name="inner")
    stack = kerata.Sequential(
        [kerata.Input((4,)), layers.Dense(5, name="lower"), layers.Dense(5, "tanh", name="upper")],
        name="stack",
    )
    a, b = kerata.Input((8,), name="a"), kerata.Input((4,), name="b")
    left, right = inner(a)
    shared = layers.Dense(5, name="shared")
    total = shared(stack(b)) + shared(layers.Dense(5, name="between")(left))
    return kerata.Model([a, b], layers.Concatenate(name="out")([total, right]), name="outer")


def graph(dot):
    """The nodes of a graph, and its lines, by the names of the layers."""
    found = re.findall(r'"?(\w+)"? \[label=<.*?<font color="white">(.*?) \(<b>', dot.source)
    names = {key: re.sub(r"_\d+$", "", name) for key, name in found}
    lines = re.findall(r'"?(\w+)"? -> "?(\w+)"?', dot.source)
    return set(names.values()), {(names[a], names[b]) for a, b in lines}


def label(dot, name):
    """What is shown of a layer."""
    pattern = f">{name}(_\\d+)? \\(<b>"
    line = next(line for line in dot.source.splitlines() if re.search(pattern, line))
    return re.sub("<[^>]*>|>]", " ", line.split("label=<")[1])


def test_nodes_and_lines():
    nodes, lines = graph(utils.model_to_dot(make_nested()))
    assert nodes == {"a", "b", "inner", "stack", "between", "shared", "add", "out"}
    assert lines == {
        ("a", "inner"), ("b", "stack"), ("inner", "between"), ("between", "shared"),
        ("stack", "shared"), ("shared", "add"), ("add", "out"), ("inner", "out"),
    }  # fmt: skip


def test_nested_models_expanded():
    dot = utils.model_to_dot(make_nested(), expand_nested=True)
    nodes, lines = graph(dot)
    assert nodes == {
        "a", "b", "z", "hidden", "left", "right", "lower", "upper", "between", "shared", "add",
        "out",
    }  # fmt: skip
    assert lines == {
        ("a", "z"), ("z", "hidden"), ("hidden", "left"), ("hidden", "right"), ("left", "between"),
        ("right", "out"), ("b", "lower"), ("lower", "upper"), ("upper", "shared"),
        ("between", "shared"), ("shared", "add"), ("add", "out"),
    }  # fmt: skip
    frames = re.findall(r"subgraph cluster_\w+ \{\s*[^\n]*label=(\w+)", dot.source)
    assert frames == ["inner", "stack"]


def test_what_is_shown():
    model = make_nested()
    model.get_layer("shared").trainable = False
    dot = utils.model_to_dot(model, expand_nested=True, **EVERYTHING)
    assert " ".join(label(dot, "hidden").split()) == (
        "hidden ( Dense ) activation: relu trained in: (None, 8) float32 out: (None, 8) float32"
    )
    assert "not trained" in label(dot, "shared")
    assert "out: (None, 8) float32" in label(dot, "a") and "in:" not in label(dot, "a")
    assert "in: (None, 5) float32, (None, 4) float32 " in label(dot, "out")
    assert "ops.add" in label(dot, "add")
    bare = utils.model_to_dot(model, show_layer_names=False).source
    assert "<b>Dense</b>" in bare and "between" not in bare and "None" not in bare


def test_a_layer_called_on_two_shapes():
    x, y = kerata.Input((4,)), kerata.Input((2, 4))
    dense = layers.Dense(3, name="dense")
    dot = utils.model_to_dot(kerata.Model([x, y], [dense(x), dense(y)]), show_shapes=True)
    assert "out: (None, 3) | (None, 2, 3)" in label(dot, "dense")


def test_names_are_escaped_and_wrapped_layers_named():
    model = kerata.Sequential([kerata.Input((4,)), layers.Dense(3, name="a<b>&c")])
    assert "a&lt;b&gt;&amp;c" in utils.model_to_dot(model).source
    wrapper = layers.Lambda(lambda x: x, name="wrapper")
    wrapper.layer = layers.Dense(3)
    stack = kerata.Sequential([kerata.Input((4,)), wrapper])
    assert "<b>Lambda(Dense)</b>" in utils.model_to_dot(stack).source


class Subclassed(kerata.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Dense(3, name="first"), layers.Dense(3, name="second")

    def call(self, x):
        return self.second(ops.relu(self.first(x))) + self.first(x)


def test_subclassed_models(backend):
    model = Subclassed()
    with pytest.raises(ValueError, match="is not built, so it has no graph yet"):
        utils.model_to_dot(model)
    model(np.zeros((2, 4), "float32"))
    nodes, lines = graph(utils.model_to_dot(model))
    assert nodes == {"first", "relu", "second", "add"}
    assert lines == {("first", "relu"), ("relu", "second"), ("second", "add"), ("first", "add")}


def test_subclassed_models_that_need_values():
    class Needy(Subclassed):
        def call(self, x):
            return self.first(x) if float(ops.sum(x)) > 0 else self.second(x)

    with kerata.use_backend("numpy"):
        model = Needy()
        model.name = "needy"
        model(np.ones((2, 4), "float32"))
        assert graph(utils.model_to_dot(model)) == ({"needy"}, set())


def test_clusters():
    model = kerata.Sequential([kerata.Input((4,)), layers.Dense(3)], name="stack")
    found = utils.model_to_dot(model, subgraph=True, rankdir="LR", dpi=50, splines="curved")
    assert found.source.startswith("digraph cluster_stack {")
    assert all(word in found.source for word in ("rankdir=LR", "dpi=50", "splines=curved"))


# Files


@needs_dot
def test_svg_and_png(tmp_path):
    model = make_nested()
    assert utils.plot_model(model, tmp_path / "x.svg", expand_nested=True, **EVERYTHING) is None
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    texts = {t.text for t in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"inner", "hidden (", "activation: relu", "out: (None, 9) float32"} <= texts
    sizes = []
    for dpi in (50, 100):
        utils.plot_model(model, str(tmp_path / "x.png"), dpi=dpi)
        content = (tmp_path / "x.png").read_bytes()
        assert content.startswith(b"\x89PNG")
        sizes.append(struct.unpack(">2I", content[16:24]))
    assert 1.8 < sizes[1][0] / sizes[0][0] < 2.2
    utils.plot_model(model, tmp_path / "x.pdf", rankdir="LR")
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")


def test_text_needs_no_dot(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    utils.plot_model(make_nested(), tmp_path / "x.dot")
    assert (tmp_path / "x.dot").read_text().startswith("digraph model {")
    with pytest.raises(RuntimeError, match=r"needs Graphviz' program `dot`.*apt install graphviz"):
        utils.plot_model(make_nested(), tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


def test_bad_arguments(monkeypatch):
    with pytest.raises(ValueError, match=r"plot_model: rankdir must be one of .* got 'XX'"):
        utils.plot_model(make_nested(), rankdir="XX")
    with pytest.raises(TypeError, match="model_to_dot: model must be a model; got Dense"):
        utils.model_to_dot(layers.Dense(2))
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ImportError, match=r"model_to_dot needs graphviz.*'kerata\[plot\]'"):
        utils.model_to_dot(make_nested())


# Inputs of tensors


def test_source_inputs():
    x, y, z = (kerata.Input((2,), name=name) for name in "xyz")
    both = layers.Dense(2)(x) * (y + x)
    assert utils.get_source_inputs(both) == [x, y]
    assert utils.get_source_inputs(z) == [z]
    assert utils.get_source_inputs(kerata.Model([x, y], both)([z, both])) == [z, x, y]
    with pytest.raises(TypeError, match="get_source_inputs: tensor must be symbolic; got 3"):
        utils.get_source_inputs(3)
