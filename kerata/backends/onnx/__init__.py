"""`onnx`: writes what a function does as an ONNX graph."""
