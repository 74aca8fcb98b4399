"""A tree in memory, and its root by the definition, for the tests of trees."""

from collections.abc import Iterable

from console.tlog.tree import EMPTY_ROOT, Frontier, Node, hash_children, hash_leaf


class Growing:
    """A tree that keeps every node."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.frontier = Frontier()
        self.nodes: dict[Node, bytes] = {}
        for leaf in leaves:
            self.add(leaf)

    def add(self, leaf: bytes) -> None:
        self.nodes.update(self.frontier.append(hash_leaf(leaf)))

    def read(self, node: Node) -> bytes:
        return self.nodes[node]


def recursive_root(hashes: list[bytes]) -> bytes:
    """Return the root as RFC 9162 defines it, section 2.1.1: MTH(D_n)."""
    if not hashes:
        return EMPTY_ROOT
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hash_children(recursive_root(hashes[:split]), recursive_root(hashes[split:]))


def numbered(size: int) -> Growing:
    """Return a tree whose leaves are their own numbers."""
    return Growing(number.to_bytes(4, "big") for number in range(size))
