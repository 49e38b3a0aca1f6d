"""Quantizers and configurations: names, configs, refusals."""

import json

import numpy as np
import pytest

from kerata import quantizers

MADE = {
    "quantizer": lambda q: q.AbsMaxQuantizer(axis=0, value_range=(-7, 7)),
    "plain": lambda q: q.AbsMaxQuantizer(),
    "int8": lambda q: q.Int8QuantizationConfig(),
    "int8 weights": lambda q: q.Int8QuantizationConfig(q.AbsMaxQuantizer(0), None),
    "int4": lambda q: q.Int4QuantizationConfig(),
    "int4 columns": lambda q: q.Int4QuantizationConfig(
        q.AbsMaxQuantizer(0, value_range=(-8, 7)), q.AbsMaxQuantizer(), block_size=-1
    ),
    "float8": lambda q: q.Float8QuantizationConfig(),
}


@pytest.mark.oracle
@pytest.mark.parametrize("name", MADE)
def test_configs_are_those_of_keras(name, keras):
    ours, theirs = (json.dumps(m.serialize(MADE[name](m))) for m in (quantizers, keras.quantizers))
    assert json.loads(ours.replace("kerata.", "keras.")) == json.loads(theirs)
    again = quantizers.deserialize(json.loads(theirs))
    assert json.dumps(quantizers.serialize(again)) == ours


def test_get():
    assert quantizers.get(None) is None
    assert quantizers.get("abs_max_quantizer", axis=1).axis == (1,)
    found = quantizers.get(quantizers.serialize(quantizers.AbsMaxQuantizer(0)))
    assert isinstance(found, quantizers.AbsMaxQuantizer) and quantizers.get(found) is found
    assert found(np.eye(2))[1].shape == (1, 2) and found(np.eye(2), axis=1)[1].shape == (2, 1)


REFUSED = {
    "value_range of weight_quantizer must be": lambda q: q.Int4QuantizationConfig(
        q.AbsMaxQuantizer(0), block_size=-1
    ),
    "Unknown quantizer 'nope'": lambda q: q.get("nope"),
    "weight_quantizer must be a Quantizer that gives int8": lambda q: q.Int8QuantizationConfig(
        q.AbsMaxQuantizer(output_dtype="uint8")
    ),
    "block_size must be a positive integer": lambda q: q.Int4QuantizationConfig(block_size=0),
    "quantizers of your own need block_size=-1": lambda q: q.Int4QuantizationConfig(
        q.AbsMaxQuantizer(0), block_size=8
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refusals(message):
    with pytest.raises(ValueError, match=message):
        REFUSED[message](quantizers)


def test_bases_leave_the_rest_to_subclasses():
    with pytest.raises(NotImplementedError, match="Quantizer must define __call__"):
        quantizers.Quantizer()(1.0)
    with pytest.raises(NotImplementedError, match="QuantizationConfig must define mode"):
        quantizers.QuantizationConfig().mode  # noqa: B018
