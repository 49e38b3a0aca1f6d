"""Wrappers: what is written for one engine, as layers."""

from kerata.layers.wrappers.flax_layer import FlaxLayer
from kerata.layers.wrappers.jax_layer import JaxLayer
from kerata.layers.wrappers.tfsm_layer import TFSMLayer
from kerata.layers.wrappers.torch_module_wrapper import TorchModuleWrapper

__all__ = ["FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"]
