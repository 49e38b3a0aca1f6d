"""NumPy: the reference, and inference with nothing else installed."""
