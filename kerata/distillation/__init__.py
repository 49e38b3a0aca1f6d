"""Distillation: a student model that learns from a teacher's outputs or features."""

from kerata.distillation.distiller import Distiller
from kerata.distillation.losses import DistillationLoss, FeatureDistillation, LogitsDistillation
