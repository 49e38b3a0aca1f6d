"""Hand-written training loops, the references of `fit.py`.

`models.py` says in which order each model's operations come, `<engine>_net.py` how they are written
on an engine, and `<engine>_loop.py` is the training loop.
"""
