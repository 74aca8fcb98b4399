"""The ledger's tree: whatever its size, it comes back from its tiles, and lies are found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.ledger.tree import LedgerTree, VerifiedTiles
from console.application.errors import LedgerCorrupted
from console.tlog.tiles import WIDTH, Tile
from console.tlog.tree import Frontier, hash_leaf, root_of

SIZE = 66_000


def record(sequence: int) -> bytes:
    return sequence.to_bytes(32, "big")


class Stored:
    """The tiles as a file keeps them, of every size on the way."""

    def __init__(self, size: int) -> None:
        self.tree = LedgerTree()
        self.tiles: dict[Tile, bytes] = {}
        self.roots = [Frontier().root]
        frontier = Frontier()
        for sequence in range(1, size + 1):
            self.tree.add(record(sequence))
            self.tiles.update(self.tree.take_changed())
            frontier.append(hash_leaf(record(sequence)))
            self.roots.append(frontier.root)

    def select(self, tile: Tile) -> bytes:
        return self.tiles.get(tile, b"")


WHOLE = Stored(SIZE)
SIZES = [1, 2, 255, 256, 257, 511, 512, 513, 1000, 65_535, 65_536, 65_537, SIZE]


def restored(stored: Stored, size: int) -> LedgerTree:
    whole = size // WIDTH * WIDTH
    newest = [record(sequence) for sequence in range(whole + 1, size + 1)]
    return LedgerTree.restored(size, stored.select, newest)


@pytest.mark.parametrize("size", SIZES)
def test_a_tree_comes_back_and_goes_on(size: int) -> None:
    stored = Stored(size) if size <= 1000 else WHOLE
    if size < SIZE and stored is WHOLE:
        stored = Stored(size)
    tree = restored(stored, size)
    assert (tree.size, tree.root) == (size, WHOLE.roots[size])
    for sequence in range(size + 1, min(size + 300, SIZE) + 1):
        tree.add(record(sequence))
        stored.tiles.update(tree.take_changed())
    assert tree.root == WHOLE.roots[tree.size]
    assert restored(stored, tree.size).root == tree.root


def test_most_appends_store_nothing() -> None:
    tree = LedgerTree()
    stored = 0
    for sequence in range(1, 1025):
        tree.add(record(sequence))
        stored += len(tree.take_changed())
    # Four full tiles of leaves, and the one above them each time.
    assert stored == 8


@given(st.integers(1, SIZE))
def test_every_record_is_found_in_the_tree(sequence: int) -> None:
    tiles = VerifiedTiles(WHOLE.select)
    assert tiles.leaf(WHOLE.tree, sequence) == hash_leaf(record(sequence))
    assert tiles.leaf(WHOLE.tree, sequence) == hash_leaf(record(sequence))


@given(st.integers(1, SIZE))
def test_the_root_at_every_size_is_known(size: int) -> None:
    tiles = VerifiedTiles(WHOLE.select)
    assert root_of(size, lambda node: tiles.node(WHOLE.tree, node)) == WHOLE.roots[size]


@pytest.mark.parametrize(
    ("tile", "first"), [(Tile(0, 0), 1), (Tile(0, 3), 769), (Tile(1, 0), 1), (Tile(0, 256), 65_537)]
)
@pytest.mark.parametrize("lie", ["flipped", "cut", "missing", "another"])
def test_a_tile_that_leads_elsewhere_is_not_believed(tile: Tile, first: int, lie: str) -> None:
    good = WHOLE.tiles[tile]
    told = {
        "flipped": good[:-1] + bytes([good[-1] ^ 1]),
        "cut": good[:-32],
        "missing": b"",
        "another": WHOLE.tiles[Tile(0, 5)],
    }[lie]
    tiles = VerifiedTiles(lambda asked: told if asked == tile else WHOLE.select(asked))
    with pytest.raises(LedgerCorrupted, match=f"the records from {first} on"):
        tiles.leaf(WHOLE.tree, first)


def test_a_tree_without_its_newest_hashes_does_not_come_back() -> None:
    stored = Stored(600)
    with pytest.raises(LedgerCorrupted, match="newest hashes"):
        LedgerTree.restored(600, stored.select, [record(513)])
    del stored.tiles[Tile(1, 0)]
    with pytest.raises(LedgerCorrupted, match="newest hashes"):
        restored(stored, 600)


def test_what_is_kept_has_a_bound_and_can_be_forgotten() -> None:
    asked: list[Tile] = []

    def select(tile: Tile) -> bytes:
        asked.append(tile)
        return WHOLE.select(tile)

    tiles = VerifiedTiles(select)
    for sequence in (1, 2, 256):
        tiles.leaf(WHOLE.tree, sequence)
    assert asked == [Tile(0, 0), Tile(1, 0)]
    tiles.forget()
    tiles.leaf(WHOLE.tree, 1)
    assert len(asked) == 4
    for sequence in range(1, SIZE, WIDTH):
        tiles.leaf(WHOLE.tree, sequence)
    tiles.leaf(WHOLE.tree, 1)
    assert asked.count(Tile(0, 0)) == 3


def test_a_copy_grows_on_its_own() -> None:
    tree = Stored(300).tree
    other = tree.copy()
    other.add(record(301))
    assert (tree.root, other.root) == (WHOLE.roots[300], WHOLE.roots[301])
    tree.add(record(301))
    assert tree.root == other.root
