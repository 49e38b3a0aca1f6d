"""Models: `Model` for graphs and subclasses, `Sequential` for stacks."""

from kerata.models.cloning import clone_model, model_from_json
from kerata.models.model import Model
from kerata.models.sequential import Sequential
from kerata.saving.archive import load_model, save_model

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]
