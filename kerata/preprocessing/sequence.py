"""Sequences of one length."""

from kerata.utils.numerical import pad_sequences

__all__ = ["pad_sequences"]
