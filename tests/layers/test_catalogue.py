"""What holds for each public layer: a row in the cases, a docstring that says all arguments."""

import inspect
import re
from pathlib import Path

import pytest

from kerata import layers
from tests.layers.cases import CASES

ROOT = Path(__file__).parent
PUBLIC = sorted(
    {c for c in vars(layers).values() if inspect.isclass(c) and issubclass(c, layers.Layer)},
    key=lambda c: c.__name__,
)
# Layers that a row can't hold, with the tests that they have instead.
ELSEWHERE = {
    "test_custom_layers.py": ["Layer"],  # a base
    "core/test_wrapper.py": ["Wrapper"],  # a base
    "core/test_input.py": ["InputLayer"],  # takes no input
    "cases/recurrent.py": ["StackedRNNCells"],  # a row of `RNN` has it
    "preprocessing/test_numerical.py": ["HashedCrossing", "Hashing"],  # take texts
    "preprocessing/test_lookup.py": ["IntegerLookup", "StringLookup"],
    "preprocessing/test_text_vectorization.py": ["TextVectorization"],
    # Left to chance, and compared with Keras for given random numbers.
    "preprocessing/image/test_against_keras.py": ["RandomFlip"],
    "preprocessing/image/common.py": ["AugMix", "RandAugment"],
    # Hold other libraries' modules.
    "wrappers/test_flax_layer.py": ["FlaxLayer"],
    "wrappers/test_jax_layer.py": ["JaxLayer"],
    "wrappers/test_tfsm_layer.py": ["TFSMLayer"],
    "wrappers/test_torch_module_wrapper.py": ["TorchModuleWrapper"],
}


def test_each_has_a_row():
    rows = {type(case.make(layers)) for case in CASES}
    elsewhere = {name for names in ELSEWHERE.values() for name in names}
    assert {c.__name__ for c in PUBLIC if c not in rows} == elsewhere
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    for file, names in ELSEWHERE.items():
        text = (ROOT / file).read_text()
        assert [n for n in names if not re.search(rf"\b{n}\b", text)] == [], file


@pytest.mark.parametrize("cls", PUBLIC, ids=lambda c: c.__name__)
def test_the_docstring_says_each_argument(cls):
    """Its own or, for what several classes share, that of a class above it or that it names."""
    parameters = inspect.signature(cls).parameters.values()
    names = {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    named = re.findall(r"arguments are those of `(\w+)`", cls.__doc__)
    sources = [*cls.__mro__, *(getattr(layers, name) for name in named)]
    docstrings = [inspect.cleandoc(c.__doc__ or "") for c in sources]
    told = [n for d in docstrings for n in re.findall(r"^ {4}(\w+(?:, \w+)*): ", d, re.MULTILINE)]
    assert names <= set(", ".join(told).split(", "))
