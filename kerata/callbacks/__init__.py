"""Callbacks: hooks into training."""

from kerata.callbacks.callback import Callback
from kerata.callbacks.callback_list import CallbackList
from kerata.callbacks.early_stopping import EarlyStopping
from kerata.callbacks.history import History
from kerata.callbacks.progress import ProgbarLogger

__all__ = ["Callback", "CallbackList", "EarlyStopping", "History", "ProgbarLogger"]
