"""Layers of several inputs."""

from tests.layers.cases.case import Case

# fmt: off
CASES = [
    *(
        Case(name, lambda L, n=name: getattr(L, n)(), [(2, 3, 4)] * 3, {}, 0, (1,))
        for name in ("Add", "Multiply", "Average", "Maximum", "Minimum")
    ),
    Case("Add-broadcast", lambda L: L.Add(), [(2, 1, 4), (2, 3, 1), (2, 4)]),
    Case("Subtract", lambda L: L.Subtract(), [(2, 3), (2, 3)]),
    Case("Concatenate", lambda L: L.Concatenate(), [(2, 3, 4), (2, 3, 2)], {}, 0, (1,)),
    Case("Dot", lambda L: L.Dot(1), [(3, 4), (3, 4)]),
    Case("Dot-last", lambda L: L.Dot(-1), [(2, 3, 4), (2, 5, 4)], {}, 0, (1,)),
    Case("Dot-axes", lambda L: L.Dot((2, 1)), [(2, 3, 4), (2, 4)], {}, 0),
    Case("Dot-more", lambda L: L.Dot([3, 2]), [(2, 3, 4, 5), (2, 6, 5)], {}, 0, (1,)),
    Case("Dot-cosine", lambda L: L.Dot(2, normalize=True), [(2, 3, 4), (2, 5, 4)], {}, 0, (1,)),
    Case("Concatenate-axis", lambda L: L.Concatenate(axis=1), [(2, 3, 4), (2, 5, 4)]),
    Case("Subtract-broadcast", lambda L: L.Subtract(), [(2, 3, 4), (2, 4)]),
    Case("Concatenate-middle", lambda L: L.Concatenate(2), [(2, 3, 4, 2), (2, 3, 1, 2)]),
]
