"""Tiles: a tree's nodes as they are stored, 256 hashes side by side. C2SP tlog-tiles.

Tile (level, number) holds the nodes (8 * level, 256 * number + i). A full one stands for the whole
subtree over its hashes; what lies between two tile levels is computed.
"""

from collections.abc import Callable
from typing import NamedTuple

from console.tlog.tree import HASH_SIZE, Node, hash_children

HEIGHT = 8
WIDTH = 1 << HEIGHT


class Tile(NamedTuple):
    """A tile's place: its level, and its number there."""

    level: int
    number: int


ReadTile = Callable[[Tile], bytes]
"""Returns a tile's hashes, one after the other: at least those that the tree's size needs."""


def place_of(node: Node) -> tuple[Tile, int, int]:
    """Return a node's tile, and the first and last + 1 of the hashes there that it covers."""
    level, index = node
    tile_level, above = divmod(level, HEIGHT)
    first = index << above
    tile = Tile(tile_level, first // WIDTH)
    return tile, first % WIDTH, first % WIDTH + (1 << above)


def stored_at(node: Node) -> tuple[Tile, int] | None:
    """Return the tile and the place in it where a node is stored; None if it is computed."""
    level, index = node
    if level % HEIGHT:
        return None
    return Tile(level // HEIGHT, index // WIDTH), index % WIDTH


def width_of(tile: Tile, size: int) -> int:
    """Return how many hashes a tile has in a tree of `size` leaves, at most 256."""
    return max(0, min(WIDTH, (size >> (HEIGHT * tile.level)) - tile.number * WIDTH))


def node_hash(node: Node, read: ReadTile) -> bytes:
    """Return a node's hash from its tile."""
    tile, first, end = place_of(node)
    data = read(tile)
    return _root(data[first * HASH_SIZE : end * HASH_SIZE], end - first)


def tile_root(data: bytes) -> bytes:
    """Return the node that a full tile stands for."""
    return _root(data, WIDTH)


def _root(hashes: bytes, count: int) -> bytes:
    """Return the root over `count` hashes, a power of two."""
    if len(hashes) != count * HASH_SIZE:
        raise ValueError("the tile has fewer hashes than the tree")
    row = [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]
    while len(row) > 1:
        row = [hash_children(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]
