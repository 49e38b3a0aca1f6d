"""Callbacks: hooks into training."""

from kerata.callbacks.backup_and_restore import BackupAndRestore
from kerata.callbacks.callback import Callback
from kerata.callbacks.callback_list import CallbackList
from kerata.callbacks.early_stopping import EarlyStopping
from kerata.callbacks.gradient_norm import GradientNorm
from kerata.callbacks.history import History
from kerata.callbacks.lambda_callback import LambdaCallback
from kerata.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from kerata.callbacks.logging import CSVLogger, RemoteMonitor, TerminateOnNaN
from kerata.callbacks.model_checkpoint import ModelCheckpoint
from kerata.callbacks.orbax_checkpoint import OrbaxCheckpoint
from kerata.callbacks.profiler import Profiler
from kerata.callbacks.progress import ProgbarLogger
from kerata.callbacks.swap_ema_weights import SwapEMAWeights
from kerata.callbacks.tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "GradientNorm",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "OrbaxCheckpoint",
    "Profiler",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
