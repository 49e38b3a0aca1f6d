"""Connectionist temporal classification (Graves et al., 2006): its loss and its decoders."""

from __future__ import annotations

from typing import Any

from kerata.ops import activation, creation, indexing, sorting
from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops import shaping as sh
from kerata.ops.control import scan
from kerata.ops.dispatch import Tensor, composite

__all__ = ("ctc_decode", "ctc_loss")

_NEVER = -1e30  # the logarithm of a probability of 0, without its infinite gradients


@composite(promote="float", operands=("output",))
def ctc_loss(
    target: Tensor,
    output: Tensor,
    target_length: Tensor,
    output_length: Tensor,
    mask_index: int = 0,
) -> Tensor:
    """The negative logarithm of the probability of `target` under every alignment with `output`.

    Args:
        target: classes, `(batch, target size)`.
        output: logits, `(batch, length, classes)`.
        target_length: how many classes of each row count, `(batch,)`.
        output_length: how many steps of each row count, `(batch,)`.
        mask_index: the class that stands for a blank.

    Returns:
        `(batch,)`. Infinite, with a gradient of 0, where the steps are too few for the target.
    """
    target, width = ew.cast(target, "int32"), sh.shape(target)[1]
    steps, needed = ew.cast(output_length, "int32"), ew.cast(target_length, "int32")
    logs = activation.log_softmax(output, -1)
    extended = _with_blanks(target, mask_index)
    emitted = indexing.take_along_axis(logs, sh.expand_dims(extended, 1), 2)
    places = sh.expand_dims(creation.arange(2 * width + 1), 0)
    skips = ew.logical_and(
        ew.not_equal(extended, mask_index), ew.not_equal(extended, _shifted(extended, 2, -1))
    )
    start = ew.where(ew.less_equal(places, 1), emitted[:, 0], _NEVER)

    def step(alpha: Tensor, row: Any) -> tuple[Tensor, None]:
        emission, time = row
        skipped = ew.where(skips, _shifted(alpha, 2, _NEVER), _NEVER)
        reached = ew.logaddexp(ew.logaddexp(alpha, _shifted(alpha, 1, _NEVER)), skipped)
        alive = sh.expand_dims(ew.less(time, steps), 1)
        return ew.where(alive, ew.maximum(reached + emission, _NEVER), alpha), None

    later = sh.transpose(emitted, (1, 0, 2))[1:]
    times = creation.arange(sh.shape(output)[1])[1:]
    alpha, _ = scan(step, start, (later, times))
    last = sh.expand_dims(2 * needed, 1)
    in_blank = indexing.take_along_axis(alpha, last, 1)[:, 0]
    in_class = indexing.take_along_axis(alpha, ew.maximum(last - 1, 0), 1)[:, 0]
    in_class = ew.where(ew.greater(needed, 0), in_class, _NEVER)
    found = ew.less(_fewest_steps(target, needed), steps + 1)
    total = ew.where(found, ew.logaddexp(in_blank, in_class), 0.0)
    return ew.where(found, -total, float("inf"))


def _fewest_steps(target: Tensor, needed: Tensor) -> Tensor:
    """How many steps an alignment has at least: a class and its repetition need a blank between."""
    width = sh.shape(target)[1]
    repeated = ew.equal(target, _shifted(target, 1, -1))
    counted = ew.less(sh.expand_dims(creation.arange(width), 0), sh.expand_dims(needed, 1))
    return needed + red.sum(ew.cast(ew.logical_and(repeated, counted), "int32"), 1)


def _with_blanks(target: Tensor, blank: int) -> Tensor:
    """`(batch, 2 * size + 1)`: a blank before, between and after the classes."""
    batch, width = sh.shape(target)
    blanks = creation.full_like(target, blank)
    pairs = sh.reshape(sh.stack([blanks, target], 2), (batch, 2 * width))
    return sh.concatenate([pairs, creation.full((batch, 1), blank, "int32")], 1)


def _shifted(x: Tensor, by: int, fill: Any) -> Tensor:
    """`x[:, s - by]` at each place `s`, `fill` before the first."""
    size = sh.shape(x)[1]
    return sh.pad(x, ((0, 0), (by, 0)), constant_values=fill)[:, :size]


@composite(promote="float", operands=("inputs",))
def ctc_decode(
    inputs: Tensor,
    sequence_lengths: Tensor,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """The most probable sequences of classes behind `inputs`.

    Args:
        inputs: logits, `(batch, length, classes)`.
        sequence_lengths: how many steps of each row count, `(batch,)`.
        strategy: "greedy" (the best class of each step) or "beam_search" (over prefixes).
        beam_width: how many prefixes the search keeps.
        top_paths: how many sequences the search returns.
        merge_repeated: whether "greedy" counts a class that repeats without a blank once.
        mask_index: the class that stands for a blank.

    Returns:
        The sequences `(top_paths, batch, length)`, int32, filled up with -1; and `(batch, 1)`, the
        negative sum of the best logits ("greedy"), or `(batch, top_paths)`, the logarithms of their
        probabilities ("beam_search").

    Raises:
        ValueError: `strategy` is neither, or `top_paths` is above `beam_width`.
    """
    lengths = ew.cast(sequence_lengths, "int32")
    if strategy == "greedy":
        return _greedy(inputs, lengths, merge_repeated, mask_index)
    if strategy != "beam_search":
        raise ValueError(
            f"ctc_decode: strategy must be 'greedy' or 'beam_search'; got {strategy!r}"
        )
    if top_paths > beam_width:
        raise ValueError(
            f"ctc_decode: top_paths must not be above beam_width; got {top_paths} and {beam_width}"
        )
    return _beam_search(inputs, lengths, beam_width, top_paths, mask_index)


def _greedy(inputs: Tensor, lengths: Tensor, merge: bool, blank: int) -> tuple[Tensor, Tensor]:
    size = sh.shape(inputs)[1]
    places = sh.expand_dims(creation.arange(size), 0)
    counted = ew.less(places, sh.expand_dims(lengths, 1))
    best = red.argmax(inputs, -1)
    kept = ew.logical_and(counted, ew.not_equal(best, blank))
    if merge:
        kept = ew.logical_and(kept, ew.not_equal(best, _shifted(best, 1, -1)))
    order = sorting.argsort(ew.cast(ew.logical_not(kept), "int32"), 1)
    moved = indexing.take_along_axis(ew.where(kept, best, -1), order, 1)
    scores = red.sum(ew.where(counted, red.max(inputs, -1), 0.0), 1, True)
    return sh.expand_dims(moved, 0), -scores


def _beam_search(
    inputs: Tensor, lengths: Tensor, width: int, paths: int, blank: int
) -> tuple[Tensor, Tensor]:
    """Over prefixes, each with its probability of ending in a blank and of ending in a class."""
    batch, size, _ = sh.shape(inputs)
    logs = activation.log_softmax(inputs, -1)
    first = ew.equal(creation.arange(width), 0)
    alone = sh.broadcast_to(ew.where(first, 0.0, _NEVER), (batch, width))
    start = (
        creation.full((batch, width, size), -1, "int32"),
        creation.full((batch, width), 0, "int32"),
        ew.cast(alone, logs.dtype),
        creation.full_like(ew.cast(alone, logs.dtype), _NEVER),
    )

    def step(beams: Any, row: Any) -> tuple[Any, None]:
        log, time = row
        alive = sh.expand_dims(ew.less(time, lengths), 1)
        grown = _grown(beams, log, width, blank)
        (tokens, *rest), (new_tokens, *new_rest) = beams, grown
        tokens = ew.where(sh.expand_dims(alive, 2), new_tokens, tokens)
        return (tokens, *(ew.where(alive, n, o) for n, o in zip(new_rest, rest))), None

    steps = (sh.transpose(logs, (1, 0, 2)), creation.arange(size))
    (tokens, _, in_blank, in_class), _ = scan(step, start, steps)
    scores, best = sorting.top_k(ew.logaddexp(in_blank, in_class), paths)
    tokens = indexing.take_along_axis(tokens, sh.expand_dims(best, 2), 1)
    real = ew.greater(scores, _NEVER / 2)
    tokens = ew.where(sh.expand_dims(real, 2), tokens, -1)
    return sh.transpose(tokens, (1, 0, 2)), ew.where(real, scores, -float("inf"))


def _grown(beams: Any, log: Tensor, width: int, blank: int) -> Any:
    """The `width` best prefixes after one more step, whose logarithms are `log`."""
    tokens, lengths, in_blank, in_class = beams
    classes = sh.shape(log)[-1]
    total = ew.logaddexp(in_blank, in_class)
    last = _last(tokens, lengths)
    stay_blank = total + log[:, blank : blank + 1]
    stay_class = in_class + indexing.take_along_axis(log, ew.maximum(last, 0), 1)
    kinds = sh.reshape(creation.arange(classes), (1, 1, classes))
    repeats = ew.equal(kinds, sh.expand_dims(last, 2))
    before = ew.where(repeats, sh.expand_dims(in_blank, 2), sh.expand_dims(total, 2))
    grow = ew.where(ew.equal(kinds, blank), _NEVER, before + sh.expand_dims(log, 1))
    # A prefix that grows into one which is a beam already adds to that one.
    parent = _parents(tokens, lengths, ew.greater(total, _NEVER / 2))
    into = indexing.take_along_axis(grow, sh.expand_dims(ew.maximum(last, 0), 1), 2)
    stay_class = ew.logaddexp(stay_class, red.max(ew.where(parent, into, _NEVER), 1))
    there = ew.cast(parent, log.dtype) @ ew.cast(repeats, log.dtype)
    grow = ew.maximum(ew.where(ew.greater(there, 0.0), _NEVER, grow), _NEVER)
    new = sh.reshape(grow, (-1, width * classes))
    scores = sh.concatenate([ew.logaddexp(stay_blank, stay_class), new], 1)
    _, chosen = sorting.top_k(scores, width)
    stays = ew.less(chosen, width)
    grown = ew.maximum(chosen - width, 0)
    origin = ew.where(stays, chosen, ew.floor_divide(grown, classes))
    tokens, old = _picked(tokens, origin), _picked(lengths, origin)
    places = sh.reshape(creation.arange(sh.shape(tokens)[2]), (1, 1, -1))
    here = ew.logical_and(
        ew.equal(places, sh.expand_dims(old, 2)), sh.expand_dims(ew.logical_not(stays), 2)
    )
    return (
        ew.where(here, sh.expand_dims(ew.mod(grown, classes), 2), tokens),
        ew.where(stays, old, old + 1),
        ew.maximum(ew.where(stays, _picked(stay_blank, origin), _NEVER), _NEVER),
        ew.maximum(ew.where(stays, _picked(stay_class, origin), _picked(new, grown)), _NEVER),
    )


def _picked(x: Tensor, index: Tensor) -> Tensor:
    """The beams `index` of `x`."""
    for _ in range(len(sh.shape(x)) - 2):
        index = sh.expand_dims(index, -1)
    return indexing.take_along_axis(x, index, 1)


def _last(tokens: Tensor, lengths: Tensor) -> Tensor:
    """The last class of each prefix, -1 where it is empty."""
    place = sh.expand_dims(ew.maximum(lengths - 1, 0), 2)
    return indexing.take_along_axis(tokens, place, 2)[:, :, 0]


def _parents(tokens: Tensor, lengths: Tensor, alive: Tensor) -> Tensor:
    """Whether prefix `i` becomes prefix `j` by one more class: `(batch, i, j)`."""
    places = creation.arange(sh.shape(tokens)[2])
    shorter = ew.where(ew.equal(places, sh.expand_dims(lengths - 1, 2)), -1, tokens)
    same = red.all(ew.equal(sh.expand_dims(tokens, 2), sh.expand_dims(shorter, 1)), 3)
    follows = ew.equal(sh.expand_dims(lengths, 2) + 1, sh.expand_dims(lengths, 1))
    both = ew.logical_and(sh.expand_dims(alive, 2), sh.expand_dims(alive, 1))
    return ew.logical_and(ew.logical_and(same, follows), both)
