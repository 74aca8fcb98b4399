"""Merkle trees as in RFC 9162, section 2.1: hashes, and a tree that grows at its right edge.

A node is named by its level and index: (level, index) covers the 2**level leaves from
index * 2**level on, all of them present. A tree of any size is a row of such whole subtrees.
"""

import hashlib
from collections.abc import Callable, Iterator

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256().digest()

Node = tuple[int, int]
"""Level and index of a whole subtree."""

ReadNode = Callable[[Node], bytes]
"""Returns a whole subtree's hash, 32 bytes."""


def hash_leaf(data: bytes) -> bytes:
    """Return a leaf's hash. RFC 9162, section 2.1.1."""
    return hashlib.sha256(b"\x00" + data).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node with two children. RFC 9162, section 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def whole_subtrees(start: int, end: int) -> Iterator[Node]:
    """Name the largest whole subtrees that together cover the leaves from `start` to `end`.

    `start` is 0 or begins a subtree that reaches `end` or further, as all ranges of a proof do.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def join(roots: list[bytes]) -> bytes:
    """Return the root over a row of whole subtrees, of falling size. RFC 9162, section 2.1.1."""
    root = roots[-1]
    for left in reversed(roots[:-1]):
        root = hash_children(left, root)
    return root


def root_of(size: int, read: ReadNode) -> bytes:
    """Return the root of a tree, from its whole subtrees."""
    return range_root(0, size, read)


def range_root(start: int, end: int, read: ReadNode) -> bytes:
    """Return the root over the leaves from `start` to `end`; see `whole_subtrees`."""
    roots = [read(node) for node in whole_subtrees(start, end)]
    return join(roots) if roots else EMPTY_ROOT


class Frontier:
    """A tree's right edge: all that is needed to append, and to know the root.

    Holds one hash for each 1 in the binary form of the size.
    """

    def __init__(self, size: int = 0, roots: tuple[bytes, ...] = ()) -> None:
        if size < 0 or len(roots) != size.bit_count():
            raise ValueError("a tree's right edge has one hash for each of its whole subtrees")
        if any(len(root) != HASH_SIZE for root in roots):
            raise ValueError(f"a node's hash has {HASH_SIZE} bytes")
        self._size = size
        self._roots = list(roots)

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self._size

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The hashes of the whole subtrees, from left to right."""
        return tuple(self._roots)

    @property
    def root(self) -> bytes:
        """The tree's root, 32 bytes."""
        return join(self._roots) if self._roots else EMPTY_ROOT

    def append(self, leaf_hash: bytes) -> tuple[tuple[Node, bytes], ...]:
        """Add a leaf; return the subtrees that it makes whole, itself first."""
        if len(leaf_hash) != HASH_SIZE:
            raise ValueError(f"a leaf's hash has {HASH_SIZE} bytes")
        made = [((0, self._size), leaf_hash)]
        index, root = self._size, leaf_hash
        while index & 1:
            root = hash_children(self._roots.pop(), root)
            index >>= 1
            made.append(((len(made), index), root))
        self._roots.append(root)
        self._size += 1
        return tuple(made)

    def copy(self) -> "Frontier":
        """Return a tree that grows on its own."""
        return Frontier(self._size, tuple(self._roots))
