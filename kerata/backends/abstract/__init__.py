"""`abstract`: tensors that are a shape and a dtype."""
