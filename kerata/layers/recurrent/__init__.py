"""Layers that run along the time axis."""

from kerata.layers.recurrent.bidirectional import Bidirectional
from kerata.layers.recurrent.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from kerata.layers.recurrent.gru import GRU, GRUCell
from kerata.layers.recurrent.lstm import LSTM, LSTMCell
from kerata.layers.recurrent.rnn import RNN
from kerata.layers.recurrent.simple_rnn import SimpleRNN, SimpleRNNCell
from kerata.layers.recurrent.stacked import StackedRNNCells
from kerata.layers.recurrent.time_distributed import TimeDistributed

__all__ = [
    "GRU", "LSTM", "RNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRUCell",
    "LSTMCell", "SimpleRNN", "SimpleRNNCell", "StackedRNNCells", "TimeDistributed",
]  # fmt: skip
