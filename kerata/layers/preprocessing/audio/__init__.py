"""Layers that prepare audio."""

from kerata.layers.preprocessing.audio.mel_spectrogram import MelSpectrogram
from kerata.layers.preprocessing.audio.stft_spectrogram import STFTSpectrogram

__all__ = ["MelSpectrogram", "STFTSpectrogram"]
