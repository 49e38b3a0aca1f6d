"""Models as scikit-learn estimators: `SKLearnClassifier`, `SKLearnRegressor`, `SKLearnTransformer`.

scikit-learn is imported when one of them is first asked for.
"""

from __future__ import annotations

from typing import Any

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from kerata.wrappers import estimators
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "sklearn":
            raise
        raise ImportError(
            f"kerata.wrappers.{name} needs scikit-learn: pip install 'kerata[sklearn]'"
        ) from None
    return getattr(estimators, name)


def __dir__() -> list[str]:
    return __all__
