"""Time the decoding of one token: with a key/value cache, without one, and by hand.

For instance:

    python benchmarks/generation.py --backends jax --lengths 64 512

The model is a causal language model of four blocks, width 256. A token's time is that of the last
one of a sequence, greedily chosen; the ways are timed in turn, medians over all rounds.
"""

import argparse
import importlib
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import common

BLOCKS, WIDTH, HEADS, VOCABULARY = 4, 256, 8, 2000
ENGINES = ("torch", "jax", "tensorflow")
BY_HAND = ("torch", "jax")


def main() -> None:
    """Time each engine in a process of its own and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backends", nargs="+", default=list(ENGINES), choices=ENGINES)
    parser.add_argument("--lengths", nargs="+", type=int, default=[64, 128, 256, 512])
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--json", metavar="FILE", help="write all that was measured")
    parser.add_argument("--run", metavar="ENGINE", help="this one, in this process")
    arguments = parser.parse_args()
    if arguments.run:
        common.answer(lambda: measured(arguments.run, arguments.lengths, arguments.repeats))
        return
    sizes = ["--lengths", *map(str, arguments.lengths), "--repeats", str(arguments.repeats)]
    records = {
        engine: common.run_child(__file__, ["--run", engine, *sizes], engine)
        for engine in arguments.backends
    }
    common.show(
        "ms a token",
        ("engine", "length", "cache", "no cache", "by hand", "no cache / cache", "cache / by hand"),
        [row for engine, record in records.items() for row in rows(engine, record)],
    )
    print(*common.remarks({e: [r] for e, r in records.items()}), sep="\n")
    common.save(arguments.json, {"generation": records})


def rows(engine: str, record: common.Record) -> list[tuple[str, ...]]:
    """Format an engine's figures, a row a length."""
    if "error" in record:
        return [(engine, record["error"], "", "", "", "", "")]
    found = []
    for length, ms in json.loads(record["ms"]).items():
        hand = ms.get("hand")
        found.append((
            engine, length, f"{ms['cache']:.2f}", f"{ms['whole']:.2f}",
            f"{hand:.2f}" if hand else "", f"{ms['whole'] / ms['cache']:.1f} x",
            f"{ms['cache'] / hand:.2f} x" if hand else "",
        ))  # fmt: skip
    return found


def measured(engine: str, lengths: list[int], repeats: int) -> common.Record:
    """The milliseconds of each way and length, the ways in turn."""
    kerata = common.load_library("kerata", engine)
    model = decoder(kerata, max(lengths))
    tokens = np.random.default_rng(0).integers(0, VOCABULARY, (1, max(lengths))).astype("int32")
    model(kerata.ops.convert_to_tensor(tokens))
    hand = None
    if engine in BY_HAND:
        by_hand = importlib.import_module(f"hand.{engine}_decoding")
        hand = by_hand.Decoder(model.get_weights(), BLOCKS, HEADS)
    found = {}
    for length in lengths:
        ways = kerata_ways(kerata, model, tokens[:, :length])
        if hand is not None:
            ways["hand"] = hand_way(engine, hand, tokens[:, :length])
        chosen = {name: int(np.asarray(way()).ravel()[0]) for name, way in ways.items()}
        if len(set(chosen.values())) > 1:
            raise ValueError(f"the ways choose different tokens: {chosen}")
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(repeats):
            for name, way in ways.items():
                begun = time.perf_counter()
                np.asarray(way())
                times[name].append(time.perf_counter() - begun)
        found[length] = {name: 1000 * statistics.median(own) for name, own in times.items()}
    return {"ms": json.dumps(found)}


def decoder(kerata: Any, longest: int) -> Any:
    """The causal language model."""
    layers, ops = kerata.layers, kerata.ops

    class Block(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.norm = layers.LayerNormalization()
            self.attention = layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
            self.norm_2 = layers.LayerNormalization()
            self.up = layers.Dense(4 * WIDTH, "gelu")
            self.down = layers.Dense(WIDTH)

        def call(self, x: Any, cache: Any = None, index: Any = None) -> Any:
            h = self.norm(x)
            y = self.attention(h, h, use_causal_mask=True, cache=cache, cache_index=index)
            y, cache = (y, None) if cache is None else y
            x = x + y
            return x + self.down(self.up(self.norm_2(x))), cache

    class Decoder(kerata.Model):
        def __init__(self) -> None:
            super().__init__()
            self.table = layers.Embedding(VOCABULARY, WIDTH)
            self.places = layers.Embedding(longest, WIDTH)
            self.blocks = [Block() for _ in range(BLOCKS)]
            self.norm = layers.LayerNormalization()
            self.head = layers.Dense(VOCABULARY)

        def call(self, tokens: Any, caches: Any = None, index: Any = 0) -> Any:
            x = self.table(tokens) + self.places(index + ops.arange(ops.shape(tokens)[1]))
            new = []
            for i, block in enumerate(self.blocks):
                x, cache = block(x, None if caches is None else caches[i], index)
                new.append(cache)
            chosen = ops.argmax(self.head(self.norm(x[:, -1])), -1, keepdims=True)
            return chosen if caches is None else (chosen, new)

    return Decoder()


def kerata_ways(kerata: Any, model: Any, tokens: np.ndarray) -> dict[str, Callable[[], Any]]:
    """The last token by the cache, and by the whole sequence."""
    length, tensor = tokens.shape[1], kerata.ops.convert_to_tensor
    caches = [block.attention.make_cache(1, length) for block in model.blocks]
    first, last, whole = tensor(tokens[:, :-1]), tensor(tokens[:, -1:]), tensor(tokens)
    _, caches = model(first, caches, 0)
    step = kerata.jit(lambda token, caches, index: model(token, caches, index))
    run = kerata.jit(lambda tokens: model(tokens))
    held = {"caches": caches}

    def cached() -> Any:
        chosen, held["caches"] = step(last, held["caches"], length - 1)
        return host(chosen)

    return {"cache": cached, "whole": lambda: host(run(whole))}


def hand_way(engine: str, hand: Any, tokens: np.ndarray) -> Callable[[], Any]:
    """The last token by the hand-written decoder's cache."""
    length = tokens.shape[1]
    tensor = importlib.import_module(engine if engine == "torch" else "jax.numpy").asarray
    cache = hand.cache(length)
    first, last = tensor(tokens[:, :-1]), tensor(tokens[:, -1:])
    if engine == "torch":
        hand.step(first, cache)
        return lambda: host(hand.step(last, cache, length - 1))
    held = {"cache": hand.step(first, cache, 0)[1]}

    def cached() -> Any:
        chosen, held["cache"] = hand.step(last, held["cache"], length - 1)
        return host(chosen)

    return cached


def host(x: Any) -> np.ndarray:
    """A result as an array, waiting for it."""
    return np.asarray(x.detach() if hasattr(x, "detach") else x)


if __name__ == "__main__":
    main()
