"""Windows of time series, against Keras."""

import numpy as np
import pytest

import kerata
from kerata import layers, utils

pytest.importorskip("grain")
SERIES = np.arange(30)


def windows(data=SERIES, targets=SERIES, sequence_length=5, **arguments):
    arguments = {"format": "grain", **arguments}
    return utils.timeseries_dataset_from_array(data, targets, sequence_length, **arguments)


CASES = [
    {},
    {"sequence_stride": 3, "sampling_rate": 2, "batch_size": 4},
    {"start_index": 3, "end_index": 20, "batch_size": 5},
    {"shuffle": True, "seed": 3, "batch_size": 4},
    {"shuffle": True, "seed": 4, "batch_size": None, "sequence_stride": 2},
    {"targets": None, "sequence_length": 30},
    {"targets": SERIES[:4].astype("int8")},
    {"data": np.arange(24.0).reshape(12, 2), "targets": np.ones((12, 3), "float32")},
]


@pytest.mark.oracle
@pytest.mark.parametrize("format", ["grain", pytest.param("tf", marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_windows_are_those_of_keras(keras, case, format):
    if format == "tf":
        pytest.importorskip("tensorflow")
    given = {"data": SERIES, "targets": SERIES, "sequence_length": 5, "format": format} | case
    wanted = list(keras.utils.timeseries_dataset_from_array(**given))
    found = list(utils.timeseries_dataset_from_array(**given))
    assert len(found) == len(wanted) > 0
    for batch, other in zip(found, wanted):
        assert isinstance(batch, tuple) == isinstance(other, tuple)
        for part, beside in zip(*[b if isinstance(b, tuple) else (b,) for b in (batch, other)]):
            np.testing.assert_array_equal(part, beside)
            if format == "tf":
                assert part.dtype == beside.dtype


def test_a_start_behind_targets(keras):
    """Windows begin where there is a target; Keras' grain counts them from the start."""
    batch, targets = windows(targets=SERIES[:10] * 10, start_index=2)[0]
    assert targets.tolist() == [20, 30, 40, 50, 60, 70, 80, 90]
    assert batch[:, 0].tolist() == [2, 3, 4, 5, 6, 7, 8, 9]


def test_all_windows_of_a_series():
    assert len(windows(batch_size=None, end_index=30)) == 26


def test_tensors(backend):
    data = kerata.ops.convert_to_tensor(np.arange(6.0, dtype="float32"))
    batch, targets = windows(data, data, 3)[0]
    assert type(batch) is np.ndarray and batch.tolist()[-1] == [3, 4, 5]
    assert targets.tolist() == [0, 1, 2, 3]


def test_training(training_backend):
    wave = np.sin(np.arange(300) / 5).astype("float32")
    data = windows(wave[:-5], wave[5:, None], batch_size=32, shuffle=True, seed=1)
    model = kerata.Sequential([kerata.Input((5,)), layers.Dense(1)])
    model.compile(kerata.optimizers.Adam(0.05), "mse")
    losses = model.fit(data, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sequence_length": 0}, "sequence_length must be an int from 1 to 30.*got 0"),
        ({"sequence_length": 31}, "sequence_length must be an int from 1 to 30.*got 31"),
        ({"sequence_stride": 0}, "sequence_stride must be"),
        ({"sampling_rate": 1.5}, r"sampling_rate must be.*got 1\.5"),
        ({"sampling_rate": 10}, "no window of 5 steps, 10 apart, fits"),
        ({"start_index": 28}, "no window of 5 steps, 1 apart, fits into the steps from 28 to 30"),
        ({"targets": SERIES[:2], "start_index": 5}, "have a target, of which there are 2"),
        ({"start_index": -3}, "start_index and end_index must lie in data"),
        ({"start_index": 9, "end_index": 9}, "the first before the second; got 9 and 9"),
        ({"end_index": 31}, "which has 30 steps"),
        ({"batch_size": 0}, "batch_size must be a positive int or None"),
        ({"format": "x"}, "format must be 'tf' or 'grain'; got 'x'"),
    ],
    ids=str,
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=f"timeseries_dataset_from_array: .*{message}"):
        windows(**arguments)
