"""`Function`: the graph of recorded calls between symbolic inputs and outputs, as one callable."""

from __future__ import annotations

from typing import Any

import optree

from kerata.core.errors import add_call_site
from kerata.core.symbolic import KerasTensor, Node, Operation, evaluate, symbolic_leaves


class Function(Operation):
    """What lies between symbolic `inputs` and `outputs`, run on other tensors.

    Args:
        inputs: a symbolic tensor, or any nesting of them.
        outputs: the same.
        name: its name.

    Raises:
        ValueError: an output depends on a symbolic tensor that is not among the inputs.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name)
        self._inputs_tree = inputs
        self._outputs_tree = outputs
        self.inputs = _leaves(inputs, "inputs")
        self.outputs = _leaves(outputs, "outputs")
        self._structure = optree.tree_structure(inputs)
        self.nodes = _sorted_nodes(self.inputs, self.outputs)
        self._plan = [_Step(node) for node in self.nodes]

    @property
    def operations(self) -> list[Any]:
        """The layers and operations in the order in which they run, each once."""
        return list({id(n.operation): n.operation for n in self.nodes}.values())

    @property
    def inputs_structure(self) -> Any:
        """The symbolic inputs, nested as given."""
        return self._inputs_tree

    @property
    def outputs_structure(self) -> Any:
        """The symbolic outputs, nested as given."""
        return self._outputs_tree

    def call(self, inputs: Any) -> Any:
        """Run the graph."""
        values: dict[int, Any] = {}
        given = self._flat_inputs(inputs)
        for symbolic, value in zip(self.inputs, given, strict=True):
            values[id(symbolic)] = value
        for step in self._plan:
            step.run(values)
        found = [values[id(t)] for t in self.outputs]
        if isinstance(self._outputs_tree, KerasTensor):
            return found[0]
        return optree.tree_unflatten(optree.tree_structure(self._outputs_tree), found)

    def _flat_inputs(self, inputs: Any) -> list[Any]:
        if len(self.inputs) == 1 and not isinstance(inputs, (list, tuple, dict)):
            return [inputs]
        tree = self._inputs_tree
        if isinstance(tree, dict) and isinstance(inputs, dict):
            missing = [k for k in tree if k not in inputs]
            if missing:
                raise ValueError(
                    f"{self.name!r} takes the inputs {sorted(tree)}; "
                    f"{', '.join(map(repr, missing))} is missing"
                )
            inputs = {k: inputs[k] for k in tree}
        elif isinstance(inputs, dict):
            inputs = self._by_name(inputs)
        flat = optree.tree_leaves(inputs, none_is_leaf=True)
        if len(flat) != len(self.inputs):
            raise ValueError(
                f"{self.name!r} takes {len(self.inputs)} input(s) "
                f"({', '.join(t.name for t in self.inputs)}), and got {len(flat)}"
            )
        return flat

    def _by_name(self, inputs: dict[str, Any]) -> list[Any]:
        names = [t.name for t in self.inputs]
        missing = [n for n in names if n not in inputs]
        if missing:
            raise ValueError(
                f"{self.name!r} takes the inputs {names}; got {sorted(inputs)}, "
                f"without {', '.join(map(repr, missing))}"
            )
        return [inputs[n] for n in names]

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """What a call on these symbolic tensors returns."""
        return evaluate(self.call, args, kwargs)


class _Step:
    """One node of the plan: where its arguments come from and where its results go."""

    __slots__ = ("node", "only", "operation", "out")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.operation = node.operation
        single = len(node.args) == 1 and not node.kwargs and isinstance(node.args[0], KerasTensor)
        self.only = id(node.args[0]) if single else None
        self.out = [id(t) for t in node.outputs]

    def run(self, values: dict[int, Any]) -> None:
        try:
            if self.only is not None:
                result = self.operation(values[self.only])
            else:
                args = [_filled(x, values) for x in self.node.args]
                kwargs = {k: _filled(x, values) for k, x in self.node.kwargs.items()}
                result = self.operation(*args, **kwargs)
        except Exception as error:
            add_call_site(error, self.node.where)
            raise
        if len(self.out) == 1 and not isinstance(result, (list, tuple, dict)):
            values[self.out[0]] = result
        else:
            for key, value in zip(
                self.out, optree.tree_leaves(result, none_is_leaf=True), strict=True
            ):
                values[key] = value


def _filled(x: Any, values: dict[int, Any]) -> Any:
    """`x` with tensors in the place of the symbolic ones."""
    if isinstance(x, KerasTensor):
        return values[id(x)]
    if x.__class__ is list or x.__class__ is tuple:
        return x.__class__([_filled(y, values) for y in x])
    if x.__class__ is dict:
        return {k: _filled(y, values) for k, y in x.items()}
    if not optree.tree_is_leaf(x, none_is_leaf=True):
        leaves, tree = optree.tree_flatten(x, none_is_leaf=True)
        return optree.tree_unflatten(tree, [_filled(y, values) for y in leaves])
    return x


def _leaves(tree: Any, what: str) -> list[KerasTensor]:
    leaves = optree.tree_leaves(tree)
    for x in leaves:
        if not isinstance(x, KerasTensor):
            raise ValueError(
                f"{what} must be symbolic tensors (from kerata.Input, and what layers make of "
                f"them); got {type(x).__name__}"
            )
    if not leaves:
        raise ValueError(f"{what} must hold at least one symbolic tensor")
    return leaves


def _sorted_nodes(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> list[Node]:
    """The nodes that lead from `inputs` to `outputs`, each after those that it needs."""
    known = {id(t) for t in inputs}
    done: set[int] = set()
    order: list[Node] = []
    stack: list[tuple[KerasTensor, bool]] = [(t, False) for t in reversed(outputs)]
    while stack:
        tensor, ready = stack.pop()
        if id(tensor) in known:
            continue
        node = tensor.node
        if node is None or not node.inputs:
            source = f"the input {tensor.name!r}" if node is not None else f"{tensor!r}"
            raise ValueError(
                f"The graph is disconnected: an output depends on {source}, "
                f"which is not among the inputs ({', '.join(t.name for t in inputs)})"
            )
        if id(node) in done:
            continue
        if ready:
            done.add(id(node))
            order.append(node)
            continue
        stack.append((tensor, True))
        stack += [(t, False) for t in reversed(symbolic_leaves((node.args, node.kwargs)))]
    return order
