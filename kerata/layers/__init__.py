"""Layers."""

from kerata.layers.activation import Activation, ReLU
from kerata.layers.attention import MultiHeadAttention
from kerata.layers.convolution import Conv1D, Conv2D, Conv3D
from kerata.layers.core import Dense, EinsumDense, Embedding, Input, InputLayer, Lambda
from kerata.layers.input_spec import InputSpec
from kerata.layers.layer import Layer
from kerata.layers.lora import enable_lora
from kerata.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)  # fmt: skip
from kerata.layers.normalization import BatchNormalization, LayerNormalization
from kerata.layers.pooling import GlobalAveragePooling2D, MaxPooling2D
from kerata.layers.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell
from kerata.layers.regularization import Dropout
from kerata.layers.reshaping import Flatten, Reshape

Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
GlobalAvgPool2D, MaxPool2D = GlobalAveragePooling2D, MaxPooling2D
