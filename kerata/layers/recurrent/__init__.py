"""Layers that run along the time axis."""

from kerata.layers.recurrent.gru import GRU, GRUCell
from kerata.layers.recurrent.lstm import LSTM, LSTMCell
from kerata.layers.recurrent.rnn import RNN

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN"]
