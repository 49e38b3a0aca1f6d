"""The names that examples in docstrings may use without importing them."""

import pytest


@pytest.fixture(autouse=True)
def _names(request):
    if "doctest_namespace" in request.fixturenames or request.node.name.startswith("kerata."):
        import kerata

        namespace = request.getfixturevalue("doctest_namespace")
        namespace |= {"kerata": kerata, "layers": kerata.layers, "ops": kerata.ops}
