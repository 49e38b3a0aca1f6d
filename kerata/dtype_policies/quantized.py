"""Policies of quantized layers: how weights are kept, besides the dtypes to compute in."""

from __future__ import annotations

from typing import Any, ClassVar

from kerata.dtype_policies.policy import DTypePolicy, dtype_policy

MODES = ("int8", "float8", "int4", "gptq", "awq")
_BETWEEN = "_from_"


class QuantizedDTypePolicy(DTypePolicy):
    """Weights quantized by `mode`, everything else in the dtypes of another policy.

    Args:
        mode: "int8", "float8", "int4", "gptq" or "awq".
        source_name: the name of that policy; None for the global one.

    Raises:
        ValueError: `mode` is none of these, `source_name` names no policy, or int8 is to be
            computed with in float16.

    >>> policy = QuantizedDTypePolicy("int8", "mixed_bfloat16")
    >>> policy.name, policy.compute_dtype, policy.quantization_mode
    ('int8_from_mixed_bfloat16', 'bfloat16', 'int8')
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        source = dtype_policy().source_name if source_name is None else source_name
        super().__init__(source)
        self._source = source
        self._mode = self._checked(mode)
        self._name = f"{mode}{_BETWEEN}{source}"
        if self._mode == "int8" and self.compute_dtype == "float16":
            raise ValueError(
                f"{type(self).__name__}: int8 weights can't be computed with in float16, whose "
                f"range is too small; got source_name {source!r}. Use 'mixed_bfloat16'"
            )

    def _checked(self, mode: str) -> str:
        """The quantization mode, without what `mode` says besides."""
        if mode not in MODES:
            raise ValueError(f"{type(self).__name__}: mode must be one of {MODES}; got {mode!r}")
        return mode

    @property
    def source_name(self) -> str:
        return self._source

    @property
    def quantization_mode(self) -> str:
        return self._mode

    def get_config(self) -> dict[str, Any]:
        mode = self.name.removesuffix(_BETWEEN + self.source_name)
        return {"mode": mode, "source_name": self.source_name}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.get_config() == self.get_config()

    __hash__ = DTypePolicy.__hash__

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self.name}">'


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Matrix products in 8-bit floats, scaled by the largest values of the last steps.

    Args:
        mode: "float8".
        source_name: as in `QuantizedDTypePolicy`.
        amax_history_length: how many steps the largest values are taken over.

    Raises:
        TypeError: `amax_history_length` is no int.
        ValueError: it is less than 1, or as in `QuantizedDTypePolicy`.
    """

    default_amax_history_length: ClassVar[int] = 1024

    def __init__(
        self, mode: str, source_name: str | None = None, amax_history_length: int = 1024
    ) -> None:
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int) or isinstance(amax_history_length, bool):
            raise TypeError(f"amax_history_length must be an int; got {amax_history_length!r}")
        if amax_history_length < 1:
            raise ValueError(f"amax_history_length must be 1 or more; got {amax_history_length}")
        self._amax_history_length = amax_history_length

    @property
    def amax_history_length(self) -> int:
        """How many steps the largest values are taken over."""
        return self._amax_history_length

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amax_history_length": self.amax_history_length}


class _GroupedDTypePolicy(QuantizedDTypePolicy):
    """The base of policies whose mode carries numbers after slashes, the last a group's size."""

    pattern: ClassVar[str]
    bits: ClassVar[tuple[int, ...]]

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        super().__init__(mode, source_name)
        self.mode = self._mode

    def _checked(self, mode: str) -> str:
        expected = self.pattern.split("/")
        found = mode.split("/") if isinstance(mode, str) else []
        wrong = f"{type(self).__name__}: mode must be {self.pattern!r}; got {mode!r}"
        if len(found) != len(expected) or found[0] != expected[0]:
            raise ValueError(wrong)
        try:
            *bits, size = (int(n) for n in found[1:])
        except ValueError:
            raise ValueError(f"{wrong}, where numbers must be whole") from None
        if any(n not in self.bits for n in bits):
            raise ValueError(f"{wrong}, where <weight_bits> must be one of {self.bits}")
        if size != -1 and size < 1:
            raise ValueError(f"{wrong}, where {expected[-1]} must be -1 or more than 0")
        self._numbers = (*bits, size)
        return found[0]


class Int4DTypePolicy(_GroupedDTypePolicy):
    """Weights in 4 bits, with a scale for each block of rows.

    Args:
        mode: "int4/<block_size>"; a block size of -1 is one scale for each column.
        source_name: as in `QuantizedDTypePolicy`.

    >>> Int4DTypePolicy("int4/128", "float32").block_size
    128
    """

    pattern, bits = "int4/<block_size>", ()

    @property
    def block_size(self) -> int:
        """How many rows share a scale; -1 for all."""
        return self._numbers[-1]


class _BitsDTypePolicy(_GroupedDTypePolicy):
    @property
    def weight_bits(self) -> int:
        """How many bits a weight takes."""
        return self._numbers[0]

    @property
    def group_size(self) -> int:
        """How many rows share a scale; -1 for all."""
        return self._numbers[-1]


class GPTQDTypePolicy(_BitsDTypePolicy):
    """Weights quantized so that a layer's outputs change least (Frantar et al., 2022).

    Args:
        mode: "gptq/<weight_bits>/<group_size>", of 2, 3, 4 or 8 bits; a group size of -1 is one
            scale for each column.
        source_name: as in `QuantizedDTypePolicy`.
    """

    pattern, bits = "gptq/<weight_bits>/<group_size>", (2, 3, 4, 8)


class AWQDTypePolicy(_BitsDTypePolicy):
    """Weights quantized after scaling those that matter most (Lin et al., 2023).

    Args:
        mode: "awq/4/<group_size>"; a group size of -1 is one scale for each column.
        source_name: as in `QuantizedDTypePolicy`.
    """

    pattern, bits = "awq/<weight_bits>/<group_size>", (4,)


def from_name(name: str) -> DTypePolicy | None:
    """The quantized policy of a name such as "int8_from_float32"; None for names of others."""
    mode, between, source = name.partition(_BETWEEN)
    kind = mode.split("/")[0]
    if not between or kind not in MODES:
        return None
    grouped = {"int4": Int4DTypePolicy, "gptq": GPTQDTypePolicy, "awq": AWQDTypePolicy}
    if kind in grouped and mode != "int4":
        return grouped[kind](mode, source)
    return (QuantizedFloat8DTypePolicy if kind == "float8" else QuantizedDTypePolicy)(mode, source)
