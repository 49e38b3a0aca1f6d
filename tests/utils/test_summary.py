"""`Model.summary`: what the table says."""

import numpy as np
import pytest

import kerata
from kerata import Input, Model, Sequential, layers, ops
from kerata.utils.summary import summary_html
from kerata.utils.work import calls_of, flops_of

FEATURES = 4


class Halved(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units)

    def call(self, x):
        return self.dense(x)[..., : ops.shape(x)[-1] // 2]


class Subclassed(Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [Halved(6), layers.Dense(3)]

    def call(self, x):
        return self.parts[1](self.parts[0](x)) * 2.0


def stacked(batch=None):
    return Sequential(
        [
            Input((FEATURES,), batch_size=batch),
            layers.Dense(3, name="first"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(2, name="last"),
        ],
        name="stack",
    )


def branched():
    x = Input((FEATURES,), name="x")
    hidden = layers.Dense(FEATURES, name="hidden")(x)
    return Model(x, layers.Add(name="sum")([x, hidden * 2.0]), name="branched")


def text(model, **options):
    """What `summary` prints, in a width in which nothing is broken."""
    lines = []
    model.summary(print_fn=lines.append, **{"line_length": 200, **options})
    assert len(lines) == 1
    return lines[0]


def row(model, name, **options):
    """The cells of a layer's row."""
    line = next(x for x in text(model, **options).splitlines() if f" {name} (" in x)
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_rows():
    assert row(stacked(), "first") == ["first (Dense)", "(None, 3)", "15", "27", "12 B"]
    assert row(stacked(), "last")[:3] == ["last (Dense)", "(None, 2)", "8"]


def test_totals():
    found = text(stacked())
    assert 'Model: "stack"' in found
    assert "Total parameters: 35 (140 B)" in found
    assert "Trainable parameters: 29 (116 B)" in found
    assert "Non-trainable parameters: 6 (24 B)" in found
    assert "Activations a sample: 32 B" in found
    assert "Optimizer" not in found


def test_optimizer_parameters(training_backend):
    model = stacked()
    model.compile("adam", "mse")
    assert "Optimizer" not in text(model)
    model.fit(np.ones((4, FEATURES), "float32"), np.ones((4, 2), "float32"), verbose=0)
    assert "Optimizer parameters: 60 (240 B)" in text(model)


@pytest.mark.parametrize("batch", [None, 1, 32])
def test_figures_are_those_of_one_sample(batch):
    layer = layers.Dense(3)
    model = Sequential([Input((FEATURES,), batch_size=batch), layer])
    assert flops_of(model) == 2 * FEATURES * 3 + 3
    assert [c.memory for c in calls_of(model)][-1] == 3 * 4


def test_sum_of_the_rows_is_the_total():
    model = Sequential(
        [Input((8, 8, 1)), layers.Conv2D(3, 3), layers.Flatten(), layers.Dense(5, "softmax")]
    )
    assert sum(c.flops for c in calls_of(model)) == flops_of(model) > 2 * 36 * 9 * 3


def test_half_precision_takes_half_the_memory():
    model = Sequential([Input((FEATURES,)), layers.Dense(8, dtype="bfloat16", name="half")])
    assert row(model, "half")[-1] == "16 B"
    assert "Total parameters: 40 (80 B)" in text(model)


def test_open_sizes():
    model = Sequential(
        [Input((None,), dtype="int32"), layers.Embedding(9, 4, name="table"), layers.LSTM(3)]
    )
    assert row(model, "table")[1:] == ["(None, None, 4)", "36", "–", "–"]
    assert "FLOPs a sample: –" in text(model)
    assert "depends on a size besides the batch" in text(model)


def test_connections_only_where_there_is_more_than_a_chain():
    assert "Connected to" not in text(stacked())
    model = branched()
    assert "Connected to" in text(model)
    assert row(model, "x")[-1] == "–"
    assert row(model, "hidden")[-1] == "x[0][0]"
    operation = model.operations[-2].name
    assert row(model, operation)[0] == f"{operation} (ops.multiply)"
    assert row(model, "sum")[-1] == f"x[0][0], {operation}[0][0]"


def test_layer_that_is_called_twice():
    x = Input((FEATURES,))
    layer = layers.Dense(FEATURES, name="twice")
    model = Model(x, layer(layer(x)))
    cells = row(model, "twice")
    assert cells[2:5] == ["20", "72", "32 B"]
    assert "twice[0][0]" in cells[5]


def test_nested_models():
    q = Input((FEATURES,), name="q")
    inner = Model(q, layers.Dense(2, name="deep")(layers.Dense(3, name="mid")(q)), name="inner")
    x = Input((FEATURES,))
    model = Model(x, layers.Dense(1)(inner(x)))
    assert "deep" not in text(model)
    assert row(model, "inner")[2:] == ["23", "41", "20 B"]
    assert row(model, "deep", expand_nested=True)[2:] == ["8", "14", "8 B"]
    assert "Activations a sample: 24 B" in text(model, expand_nested=True)


def test_trainable():
    model = stacked()
    model.layers[0].trainable = False
    assert row(model, "first", show_trainable=True)[-1] == "no"
    assert row(model, "last", show_trainable=True)[-1] == "yes"


def test_layer_range():
    found = text(stacked(), layer_range=["first", "norm"])
    assert "first" in found and "norm" in found and "last" not in found
    assert "first" not in text(stacked(), layer_range=["n.*", "l.*"])
    with pytest.raises(ValueError, match="no layer is named 'gone'"):
        stacked().summary(layer_range=["gone", "last"])
    with pytest.raises(ValueError, match="two layers"):
        stacked().summary(layer_range=["first"])


def test_width(capsys):
    stacked().summary(line_length=60)
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 60
    assert 'Model: "stack"' in printed


def test_subclass(backend):
    model = Subclassed()
    with pytest.raises(ValueError, match="not built"):
        model.summary()
    model.build((None, FEATURES))
    names = [layer.name for layer in model.layers]
    before = [len(layer._nodes) for layer in model._flatten_layers()]
    assert row(model, names[0]) == [
        f"{names[0]} (Halved)", "(None, 2)", "30", str(2 * FEATURES * 6 + 6), "8 B"
    ]  # fmt: skip
    assert row(model, names[1])[1:] == ["(None, 3)", "9", "15", "12 B"]
    assert f"FLOPs a sample: {54 + 15 + 3}" in text(model)
    assert [len(layer._nodes) for layer in model._flatten_layers()] == before


def test_subclass_that_was_called_on_a_batch(backend):
    model = Subclassed()
    model(np.ones((5, FEATURES), "float32"))
    assert row(model, model.layers[1].name)[1:] == ["(5, 3)", "9", "15", "12 B"]


def test_subclass_whose_shapes_are_not_found():
    class Odd(Subclassed):
        def build(self, input_shape):
            self.parts[1].build((None, 2))
            self.built = True

    model = Odd()
    model.build((None, FEATURES))
    assert row(model, model.layers[1].name)[1:] == ["?", "9", "–", "–"]
    assert row(model, model.layers[0].name)[2] == "0 (not built)"


def test_layers_of_an_engine():
    class Foreign(layers.Layer):
        def call(self, x):
            if not isinstance(x, np.ndarray):
                raise TypeError("only arrays")
            return np.tanh(x)

        def compute_output_shape(self, input_shape):
            return input_shape

    with kerata.use_backend("numpy"):
        model = Sequential([Input((FEATURES,)), Foreign(name="foreign"), layers.Dense(2)])
        assert row(model, "foreign")[1:] == ["(None, 4)", "0", "–", "16 B"]
        assert "FLOPs a sample: –" in text(model)


def test_html():
    page = branched()._repr_html_()
    assert page.startswith("<table>") and "Connected to" in page
    assert "<td>hidden (Dense)</td><td>(None, 4)</td><td>20</td>" in page


def test_html_is_escaped():
    model = Sequential([Input((2,)), layers.Dense(2, name="<b>&")], name="<script>")
    page = summary_html(model)
    assert "<script>" not in page and "&lt;script&gt;" in page and "&lt;b&gt;&amp;" in page


def test_html_of_a_model_that_is_not_built():
    assert summary_html(Sequential([layers.Dense(2)], name="later")).startswith("<pre>&lt;")
