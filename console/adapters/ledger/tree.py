"""LedgerTree: the Merkle tree over all records, as far as it is needed to go on.

A leaf's data is the record's hash, so that a proof needs no payload. Full tiles are stored in the
ledger's file, with the unfinished ones above the leaves; the unfinished tile of leaves is made anew
from the newest records at each opening. So most appends write no tile.
"""

from collections.abc import Callable, Iterable, Iterator

from console.application.errors import LedgerCorrupted
from console.tlog.tiles import HEIGHT, WIDTH, ReadTile, Tile, node_hash, tile_root, width_of
from console.tlog.tree import HASH_SIZE, Frontier, Node, hash_leaf, whole_subtrees

FULL = WIDTH * HASH_SIZE


class LedgerTree:
    """A tree's right edge: the unfinished tile of each level, and what is to be stored."""

    def __init__(self) -> None:
        self._frontier = Frontier()
        self._edges: list[bytes] = []
        self._changed: dict[Tile, bytes] = {}

    @classmethod
    def restored(cls, size: int, read: ReadTile, newest: Iterable[bytes]) -> "LedgerTree":
        """Return the tree of a stored ledger; its root is still to be compared.

        `read` gives the unfinished tiles above the leaves, `newest` the hashes of the records
        after the last full tile of leaves. Raises: LedgerCorrupted.
        """
        tree = cls()
        tree._edges.append(b"".join(map(hash_leaf, newest)))
        while size >> (HEIGHT * len(tree._edges)):
            level = len(tree._edges)
            edge = Tile(level, size >> (HEIGHT * (level + 1)))
            tree._edges.append(read(edge) if width_of(edge, size) else b"")
        for level, hashes in enumerate(tree._edges):
            edge = Tile(level, size >> (HEIGHT * (level + 1)))
            if len(hashes) != width_of(edge, size) * HASH_SIZE:
                raise LedgerCorrupted("the newest hashes of the ledger's tree are missing")
        nodes = whole_subtrees(0, size)
        roots = tuple(node_hash(node, lambda tile: tree._edges[tile.level]) for node in nodes)
        tree._frontier = Frontier(size, roots)
        return tree

    @property
    def size(self) -> int:
        """How many records the tree has."""
        return self._frontier.size

    @property
    def root(self) -> bytes:
        """The root over all records, 32 bytes."""
        return self._frontier.root

    def add(self, record_hash: bytes) -> None:
        """Add the next record."""
        for (level, _), found in self._frontier.append(hash_leaf(record_hash)):
            if level % HEIGHT == 0:
                self._push(level // HEIGHT, found)

    def unfinished(self, tile: Tile) -> bytes | None:
        """Return a tile of the right edge; None for any other."""
        at_edge = tile.number == self.size >> (HEIGHT * (tile.level + 1))
        return self._edge(tile.level) if at_edge else None

    def stored_edge(self) -> Iterator[tuple[Tile, bytes]]:
        """Yield the unfinished tiles that are stored, which are those above the leaves."""
        for level, hashes in enumerate(self._edges):
            if level and hashes:
                yield Tile(level, self.size >> (HEIGHT * (level + 1))), hashes

    def take_changed(self) -> dict[Tile, bytes]:
        """Return the tiles to be stored since this was asked last."""
        changed, self._changed = self._changed, {}
        return changed

    def copy(self) -> "LedgerTree":
        """Return a tree that grows on its own."""
        other = LedgerTree()
        other._frontier = self._frontier.copy()
        other._edges = list(self._edges)
        other._changed = dict(self._changed)
        return other

    def _push(self, level: int, found: bytes) -> None:
        edge = self._edge(level) + found
        number = (self.size - 1) >> (HEIGHT * (level + 1))
        if level or len(edge) == FULL:
            self._changed[Tile(level, number)] = edge
        self._edges += [b""] * (level + 1 - len(self._edges))
        self._edges[level] = b"" if len(edge) == FULL else edge

    def _edge(self, level: int) -> bytes:
        return self._edges[level] if level < len(self._edges) else b""


class VerifiedTiles:
    """Reads stored tiles; one is believed only if it leads to the tree's right edge.

    `select` reads a tile from the file as it is. At most `MOST_KEPT` are kept.
    """

    MOST_KEPT = 256

    def __init__(self, select: Callable[[Tile], bytes]) -> None:
        self._select = select
        self._kept: dict[Tile, bytes] = {}

    def forget(self) -> None:
        """Read everything from the file again."""
        self._kept.clear()

    def leaf(self, tree: LedgerTree, sequence: int) -> bytes:
        """Return the leaf hash of a record. Raises: LedgerCorrupted."""
        number, at = divmod(sequence - 1, WIDTH)
        tile = self.read(tree, Tile(0, number))
        return tile[at * HASH_SIZE : (at + 1) * HASH_SIZE]

    def node(self, tree: LedgerTree, node: Node) -> bytes:
        """Return the hash of a whole subtree. Raises: LedgerCorrupted."""
        return node_hash(node, lambda tile: self.read(tree, tile))

    def read(self, tree: LedgerTree, tile: Tile) -> bytes:
        """Return a tile's hashes. Raises: LedgerCorrupted."""
        edge = tree.unfinished(tile)
        if edge is not None:
            return edge
        known = self._kept.get(tile)
        if known is not None:
            return known
        data = self._select(tile)
        above = self.read(tree, Tile(tile.level + 1, tile.number // WIDTH))
        at = tile.number % WIDTH * HASH_SIZE
        if len(data) != FULL or tile_root(data) != above[at : at + HASH_SIZE]:
            first = (tile.number << (HEIGHT * (tile.level + 1))) + 1
            raise LedgerCorrupted(
                f"the ledger's tree is damaged: its hashes of the records from {first} on"
            )
        if len(self._kept) >= self.MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[tile] = data
        return data
