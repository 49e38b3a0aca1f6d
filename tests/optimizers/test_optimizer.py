"""What all optimizers share: state, arguments, missing gradients, saving, own rules."""

import warnings

import numpy as np
import pytest

from kerata import Variable, constraints, name_scope, ops, optimizers
from kerata.backends.scope import Scope, recorded
from kerata.optimizers import SGD, Adam, AdamW, schedules


def pair():
    return [Variable([1.0, 1.0], name="a"), Variable([1.0], name="b")]


def tensors(*values):
    return [None if v is None else ops.convert_to_tensor(np.array(v, "float32")) for v in values]


def values(variables):
    return [v.numpy().tolist() for v in variables]


def test_names_of_the_state(backend):
    with name_scope("dense"):
        kernel = Variable(np.ones((2, 3)), name="kernel")
    optimizer = Adam(name="adam", amsgrad=True, use_ema=True, gradient_accumulation_steps=2)
    optimizer.build([kernel])
    assert [v.path for v in optimizer.variables] == [
        "adam/iteration",
        "adam/learning_rate",
        "adam/dense_kernel_average",
        "adam/dense_kernel_gradient_accumulator",
        "adam/dense_kernel_momentum",
        "adam/dense_kernel_velocity",
        "adam/dense_kernel_velocity_hat",
        "adam/accumulated_weight",
    ]
    assert not any(v.trainable for v in optimizer.variables)
    assert optimizer.variables[0].dtype == "int32" and optimizer.variables[-2].shape == (2, 3)


def test_a_step(backend):
    variables, optimizer = pair(), SGD(0.5)
    optimizer.apply(tensors([1, 2], [4]), variables)
    assert values(variables) == [[0.5, 0.0], [-1.0]]
    assert int(optimizer.iterations) == 1
    assert optimizer.apply_gradients(zip(tensors([0, 0], [2]), variables, strict=True)) is (
        optimizer.iterations
    )
    assert values(variables) == [[0.5, 0.0], [-2.0]]


def test_some_of_the_variables(backend):
    variables, optimizer = pair(), SGD(1.0, momentum=0.5)
    optimizer.build(variables)
    optimizer.apply(tensors([1]), variables[1:])
    optimizer.apply(tensors([0], [0, 0]), variables[::-1])
    assert values(variables) == [[1.0, 1.0], [-0.5]]


def test_unknown_variables_and_wrong_numbers(backend):
    optimizer = SGD()
    optimizer.build(pair())
    with pytest.raises(ValueError, match=r"other.*variables"):
        optimizer.apply(tensors([1]), [Variable([1.0], name="other")])
    with pytest.raises(ValueError, match="1 gradients for 2 variables"):
        optimizer.apply(tensors([1]))


def test_missing_gradients(backend):
    variables, optimizer = pair(), Adam(0.1)
    with pytest.warns(UserWarning, match="does not depend on b"):
        optimizer.apply(tensors([1, 1], None), variables)
    assert variables[1].numpy().tolist() == [1.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.apply(tensors([1, 1], None), variables)
    with pytest.raises(ValueError, match="No variable has a gradient"):
        optimizer.apply([None, None], variables)


def test_learning_rate_can_be_set(backend):
    variables, optimizer = pair(), SGD(1.0)
    optimizer.learning_rate = 0.25
    optimizer.apply(tensors([1, 1], [1]), variables)
    assert variables[1].numpy().tolist() == [0.75]
    optimizer.learning_rate.assign(0.5)
    optimizer.apply(tensors([1, 1], [1]), variables)
    assert variables[1].numpy().tolist() == [0.25]
    assert optimizer.get_config()["learning_rate"] == 0.5
    optimizer.learning_rate = schedules.PiecewiseConstantDecay([2], [0.125, 0.0])
    for _ in range(3):
        optimizer.apply(tensors([1, 1], [1]), variables)
    assert variables[1].numpy().tolist() == [0.125]
    with pytest.raises(TypeError, match="follows"):
        optimizer.learning_rate = 0.1


def test_learning_rate_from_a_function(backend):
    rates = iter([0.5, 0.25])
    variables, optimizer = pair(), SGD(lambda: next(rates))
    for _ in range(2):
        optimizer.apply(tensors([1, 1], [1]), variables)
    assert variables[1].numpy().tolist() == [0.25]


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"clipnorm": 1, "clipvalue": 1}, "one of"),
        ({"foo": 1}, "foo"),
        ({"use_ema": True, "ema_momentum": 2}, "ema_momentum"),
        ({"use_ema": True, "ema_overwrite_frequency": 0}, "ema_overwrite_frequency"),
        ({"gradient_accumulation_steps": 1}, "gradient_accumulation_steps"),
        ({"momentum": 1.5}, "momentum"),
        ({"learning_rate": "fast"}, "learning_rate"),
    ],
)
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        SGD(**kwargs)


def test_adamw_needs_weight_decay():
    with pytest.raises(ValueError, match="weight_decay"):
        AdamW(weight_decay=None)


def test_weight_decay_exclusions(backend):
    variables, optimizer = pair(), SGD(1.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[variables[0]])
    optimizer.apply(tensors([0, 0], [0]), variables)
    assert values(variables) == [[1.0, 1.0], [0.5]]
    with pytest.raises(ValueError, match="before"):
        optimizer.exclude_from_weight_decay(var_names=["b"])


def test_constraints_follow_the_step(backend):
    variables, optimizer = pair(), SGD(1.0)
    variables[0].constraint = constraints.NonNeg()
    optimizer.apply(tensors([3, 0.5], [3]), variables)
    assert values(variables) == [[0.0, 0.5], [-2.0]]


def test_gradients_that_are_values(backend):
    variables, optimizer = pair(), SGD(1.0)
    variables[1].overwrite_with_gradient = True
    optimizer.apply(tensors([1, 1], [7]), variables)
    assert values(variables) == [[0.0, 0.0], [7.0]]


@pytest.mark.parametrize("made", [lambda: SGD(0.1, momentum=0.9), lambda: AdamW(0.1)])
def test_stateless(backend, made):
    variables, optimizer = pair(), made()
    optimizer.build(variables)
    gradients = tensors([1, 2], [3])
    before = [v.numpy() for v in (*variables, *optimizer.variables)]
    new, state = optimizer.stateless_apply(
        [v.value for v in optimizer.variables], gradients, [v.value for v in variables]
    )
    after = [v.numpy() for v in (*variables, *optimizer.variables)]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    optimizer.apply(gradients)
    for tensor, variable in zip([*new, *state], [*variables, *optimizer.variables], strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(tensor), variable.numpy(), rtol=3e-5)
    with pytest.raises(ValueError, match="build"):
        made().stateless_apply([], [], [])


@pytest.mark.parametrize(
    "made",
    [
        lambda: SGD(0.1, gradient_accumulation_steps=2),
        lambda: Adam(0.1, gradient_accumulation_steps=2, use_ema=True, ema_overwrite_frequency=2),
        lambda: optimizers.LossScaleOptimizer(SGD(0.1)),
    ],
)
def test_conditional_steps_can_be_traced(made):
    variables, optimizer = pair(), made()
    optimizer.build(variables)
    gradients = tensors([1, 2], [3])
    found = recorded(lambda: optimizer.apply(gradients), ())
    assert {id(v) for v in variables} <= {id(v) for v in found.written}


def test_traced_and_eager_steps_agree(backend, monkeypatch):
    """What is chosen element by element is what a branch would have done."""

    def run():
        variables = pair()
        optimizer = Adam(0.1, gradient_accumulation_steps=3, use_ema=True)
        for i in range(7):
            optimizer.apply(tensors([i, 2], [3]), variables)
        return np.concatenate([v.numpy().ravel() for v in (*variables, *optimizer.variables)])

    eager = run()
    monkeypatch.setattr(backend, "knows", lambda condition: False)
    np.testing.assert_allclose(run(), eager, rtol=3e-5)


class Halving(optimizers.Optimizer):
    """A user's optimizer, as Keras' guide writes them."""

    def __init__(self, learning_rate=0.1, **kwargs):
        super().__init__(learning_rate, **kwargs)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.counts = [self.add_variable_from_reference(v, name="count") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        count = self.counts[self._get_variable_index(variable)]
        self.assign_add(count, ops.ones_like(gradient))
        self.assign_sub(variable, gradient * learning_rate / count.value)


def test_own_rules(backend):
    variables, optimizer = pair(), Halving(1.0)
    for _ in range(2):
        optimizer.apply(tensors([1, 2], [4]), variables)
    assert values(variables) == [[-0.5, -2.0], [-5.0]]
    assert optimizer.variables[-1].name == "b_count"
    assert Halving.from_config(optimizer.get_config()).get_config() == optimizer.get_config()


def test_refined_rules(backend):
    class Doubled(SGD):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient * 2, variable, learning_rate)

    variables = pair()
    Doubled(1.0).apply(tensors([1, 1], [1]), variables)
    assert values(variables) == [[-1.0, -1.0], [-1.0]]


def test_state_is_saved_and_loaded(backend):
    variables, optimizer = pair(), Adam(0.1)
    optimizer.apply(tensors([1, 2], [3]), variables)
    store = {}
    optimizer.save_own_variables(store)
    again = Adam(0.5)
    with pytest.warns(UserWarning, match="not loaded"):
        again.load_own_variables(store)
    again.build(pair())
    again.load_own_variables(store)
    assert values(again.variables) == values(optimizer.variables)
    other = Adam(0.5)
    with pytest.raises(ValueError, match="build"):
        other.set_weights([])
    other.build(pair())
    other.set_weights([v.numpy() for v in optimizer.variables])
    assert values(other.variables) == values(optimizer.variables)
    with pytest.raises(ValueError, match="6"):
        other.set_weights([1])


def test_loss_scale_factor(backend):
    optimizer = SGD(1.0, loss_scale_factor=4.0)
    assert float(optimizer.scale_loss(ops.convert_to_tensor(2.0))) == 8.0
    assert SGD().scale_loss(3.0) == 3.0


@pytest.mark.parametrize(
    "made",
    [
        lambda: SGD(0.1, momentum=0.9, nesterov=True, clipnorm=1.0),
        lambda: AdamW(schedules.CosineDecay(0.1, 10), weight_decay=0.1),
        lambda: optimizers.LossScaleOptimizer(Adam(0.25)),
    ],
)
def test_configs(backend, made):
    optimizer = made()
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()


@pytest.mark.parametrize("name", ["sgd", "SGD", "adam", "Adam", "ADAM", "adamw", "AdamW", "adam_w"])
def test_names(name):
    assert type(optimizers.get(name)).__name__.lower() == name.lower().replace("_", "")


def test_scopes_hold_the_whole_step(backend):
    variables, optimizer = pair(), Adam(0.1)
    optimizer.build(variables)
    with Scope() as scope:
        optimizer.apply(tensors([1, 2], [3]), variables)
    assert values(variables) == [[1.0, 1.0], [1.0]]
    assert len(scope.written) == 7
