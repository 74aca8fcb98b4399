"""Tiles: every node of a tree from its tiles, and each tile as wide as the tree has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.tlog.tiles import HEIGHT, WIDTH, Tile, node_hash, stored_at, tile_root, width_of
from console.tlog.tree import HASH_SIZE, Node, root_of
from tests.fakes.growing_tree import numbered

SIZE = 70_000
TREE = numbered(SIZE)


def tile_of(tile: Tile) -> bytes:
    hashes = (
        TREE.nodes[HEIGHT * tile.level, WIDTH * tile.number + place]
        for place in range(width_of(tile, SIZE))
    )
    return b"".join(hashes)


def test_the_widths_of_the_specification_s_example() -> None:
    widths = [width_of(Tile(0, index), SIZE) for index in range(275)]
    assert widths == [256] * 273 + [112, 0]
    assert [width_of(Tile(1, index), SIZE) for index in range(3)] == [256, 17, 0]
    assert [width_of(Tile(2, index), SIZE) for index in range(2)] == [1, 0]
    assert (width_of(Tile(0, 0), 256), width_of(Tile(1, 0), 256)) == (256, 1)


@given(st.integers(1, SIZE))
def test_a_tree_s_root_comes_from_its_tiles(size: int) -> None:
    assert root_of(size, lambda node: node_hash(node, tile_of)) == root_of(size, TREE.read)


@given(st.sampled_from(sorted(TREE.nodes)))
def test_every_node_comes_from_one_tile(node: Node) -> None:
    assert node_hash(node, tile_of) == TREE.nodes[node]
    place = stored_at(node)
    assert (place is None) == bool(node[0] % HEIGHT)
    if place is not None:
        tile, at = place
        assert tile_of(tile)[at * HASH_SIZE :][:HASH_SIZE] == TREE.nodes[node]


def test_a_full_tile_stands_for_a_node_above() -> None:
    assert tile_root(tile_of(Tile(0, 5))) == TREE.nodes[8, 5]
    assert tile_root(tile_of(Tile(1, 0))) == TREE.nodes[16, 0]


def test_a_tile_with_too_few_hashes_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer hashes"):
        node_hash((7, 547), lambda tile: tile_of(tile)[:100])
