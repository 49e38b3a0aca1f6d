"""`PyDataset` and its workers: order, hooks, and what happens when something goes wrong."""

import multiprocessing
import subprocess
import sys
import textwrap
import threading
import time
import traceback

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.training.data import make_data
from kerata.utils import PyDataset, Sequence

MODULE = '''
import os, signal, sys, time
import numpy as np
from kerata.utils import PyDataset


class Numbers(PyDataset):
    """Batch i holds i; what else it does depends on `mode`."""

    def __init__(self, mode="", **arguments):
        super().__init__(**arguments)
        self.mode = mode
        self.shift = 0

    def __len__(self):
        return 8

    def __getitem__(self, index):
        if self.mode == "late first" and index == 0:
            time.sleep(0.2)
        if index == 5:
            self.go_wrong()
        engines = [m for m in ("jax", "torch", "tensorflow") if m in sys.modules]
        where = [os.getpid(), len(engines)]
        return np.full((2, 4), index + self.shift, "float32"), np.array([where, where], "float64")

    def go_wrong(self):
        if self.mode == "error":
            raise KeyError("boo")
        if self.mode == "own error":
            raise Odd(1, 2)
        if self.mode == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.mode == "no pickle":
            return lambda: 3
        if self.mode == "hang":
            time.sleep(1000)

    def on_epoch_end(self):
        self.shift += 100


class Odd(Exception):
    def __init__(self, a, b):
        super().__init__("odd")
'''


@pytest.fixture
def numbers(tmp_path, monkeypatch):
    """The class `Numbers`, in a module that worker processes can import."""
    (tmp_path / "numbers_for_workers.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    import numbers_for_workers

    yield numbers_for_workers.Numbers
    del sys.modules["numbers_for_workers"]


@pytest.fixture(autouse=True)
def _nothing_is_left_running():
    yield
    deadline = time.monotonic() + 5
    while running() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running()


def running():
    threads = [t for t in threading.enumerate() if t.name.startswith("kerata-")]
    return threads + multiprocessing.active_children()


def given(data):
    return [int(x[0, 0]) for x, *_ in data.batches()]


class Log(PyDataset):
    """Notes what is asked of it."""

    def __init__(self, batches=5, **arguments):
        super().__init__(**arguments)
        self.batches = batches
        self.log = []

    @property
    def num_batches(self):
        return self.batches

    def __getitem__(self, index):
        self.log.append(index)
        return np.full((2, 4), index, "float32"), np.zeros((2, 1), "float32")

    def on_epoch_begin(self):
        self.log.append("begin")

    def on_epoch_end(self):
        self.log.append("end")


def network():
    model = kerata.Sequential([kerata.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_hooks_and_order(training_backend):
    data = Log()
    network().fit(data, epochs=2, shuffle=False, verbose=0)
    assert data.log == ["begin", 0, 1, 2, 3, 4, "end"] * 2
    data = Log(None)
    network().fit(data, epochs=2, steps_per_epoch=3, shuffle=False, verbose=0)
    assert data.log == ["begin", 0, 1, 2, "end", "begin", 3, 4, 5, "end"]
    data = Log()
    network().predict(data, verbose=0)
    assert data.log == ["begin", 0, 1, 2, 3, 4, "end"]
    with pytest.raises(ValueError, match="a PyDataset, has no end: give"):
        network().fit(Log(None), verbose=0)
    with pytest.raises(ValueError, match="a PyDataset, yields no batch"):
        network().fit(Log(0), verbose=0)


def test_the_order_is_shuffled_from_the_seed(training_backend):
    def orders(seed):
        kerata.utils.set_random_seed(seed)
        data = Log(8)
        network().fit(data, epochs=2, verbose=0)
        first, second = data.log[2:10], data.log[12:20]
        assert sorted(first) == sorted(second) == list(range(8))
        assert first != second
        return first, second

    assert orders(1) == orders(1) != orders(2)


def test_a_class_without_super_init_works():
    class Bare(PyDataset):
        def __init__(self):
            self.x = np.ones((2, 4))

        def __len__(self):
            return 3

        def __getitem__(self, index):
            return self.x

    assert Sequence is PyDataset
    with kerata.use_backend("numpy"):
        assert network().predict(Bare(), verbose=0).shape == (6, 1)
        assert next(make_data(Bare()).batches())[0].dtype == "float32"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: PyDataset(workers=-1), ValueError, "workers must be an int of 0 or more; got -1"),
        (lambda: PyDataset(max_queue_size=0), ValueError, "max_queue_size must be .* got 0"),
        (lambda: PyDataset().num_batches, TypeError, "PyDataset must define __len__"),
        (lambda: PyDataset()[0], TypeError, "PyDataset must define __getitem__"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("processes", [False, True])
def test_workers_keep_the_order_and_see_changes(numbers, processes):
    with kerata.use_backend("numpy"):
        source = numbers("late first", workers=2, use_multiprocessing=processes, max_queue_size=3)
        data = make_data(source)
        assert given(data) == list(range(8))
        batches = data.batches()
        x, y, _ = next(batches)
        assert x[0, 0] == 100  # after on_epoch_end
        pid, engines = y[0]
        if processes:
            assert engines == 0
        assert (int(pid) in [p.pid for p in multiprocessing.active_children()]) == processes
        data.close()


@pytest.mark.parametrize("processes", [False, True])
@pytest.mark.parametrize("mode", ["error", "own error"])
def test_an_exception_arrives_with_its_own_traceback(numbers, processes, mode):
    model = kerata.Sequential([kerata.Input((4,)), layers.Dense(1)])
    source = numbers(mode, workers=2, use_multiprocessing=processes)
    with kerata.use_backend("numpy"), pytest.raises(Exception, match=r"boo|odd") as caught:
        model.predict(source, verbose=0)
    if mode == "error":
        assert caught.type is KeyError
    assert "in go_wrong" in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("kill", r"worker process of Numbers ended \(exit code -9\) while it prepared batch 5"),
        ("no pickle", "pickle"),
    ],
)
def test_a_worker_that_dies_is_told_about(numbers, mode, message):
    data = make_data(numbers(mode, workers=2, use_multiprocessing=True))
    with kerata.use_backend("numpy"), pytest.raises(Exception, match=message) as caught:
        if mode == "no pickle":
            data.source.attribute = lambda: 3
        given(data)
    data.close()
    if mode == "no pickle":
        assert "all that it holds must be picklable" in caught.value.__notes__[0]


@pytest.mark.parametrize("processes", [False, True])
def test_leaving_off_in_an_epoch_leaves_nothing_running(numbers, processes):
    data = make_data(numbers("hang" if processes else "", workers=2, use_multiprocessing=processes))
    with kerata.use_backend("numpy"):
        batches = data.batches()
        assert int(next(batches)[0][0, 0]) == 0
        batches.close()
        data.close()


@pytest.mark.slow
def test_a_script_that_is_interrupted_leaves_no_process(tmp_path):
    """Two interrupts while a worker hangs: the script ends, and its workers with it."""
    import psutil

    (tmp_path / "numbers_for_workers.py").write_text(MODULE)
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import kerata
            from numbers_for_workers import Numbers

            if __name__ == "__main__":
                kerata.set_backend("numpy")
                model = kerata.Sequential([kerata.Input((4,)), kerata.layers.Dense(1)])
                data = Numbers("hang", workers=2, use_multiprocessing=True)
                print("begin", flush=True)
                model.predict(data, verbose=0)
            """
        )
    )
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "begin\n"
        deadline = time.monotonic() + 60
        while len(psutil.Process(process.pid).children(recursive=True)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(3)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(2)
        _, errors = process.communicate(timeout=60)
        assert "KeyboardInterrupt" in errors
        assert not psutil.wait_procs(children, timeout=10)[1]
    finally:
        process.kill()
