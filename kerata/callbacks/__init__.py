"""Callbacks: hooks into training."""

from kerata.callbacks.callback import Callback
from kerata.callbacks.callback_list import CallbackList
from kerata.callbacks.early_stopping import EarlyStopping
from kerata.callbacks.history import History
from kerata.callbacks.lambda_callback import LambdaCallback
from kerata.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from kerata.callbacks.logging import CSVLogger, RemoteMonitor, TerminateOnNaN
from kerata.callbacks.model_checkpoint import ModelCheckpoint
from kerata.callbacks.progress import ProgbarLogger
from kerata.callbacks.swap_ema_weights import SwapEMAWeights

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TerminateOnNaN",
]
