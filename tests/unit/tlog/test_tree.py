"""Trees: the known roots, and every way to the same root."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.tlog.tree import (
    EMPTY_ROOT,
    Frontier,
    Node,
    hash_children,
    hash_leaf,
    root_of,
    whole_subtrees,
)
from tests.fakes.growing_tree import Growing, recursive_root

# The eight leaves and roots that implementations of RFC 6962 share in their tests
# (transparency-dev/merkle, testonly/constants.go).
LEAVES = tuple(
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size: int) -> None:
    tree = Growing(LEAVES[:size])
    assert tree.frontier.root.hex() == ROOTS[size]
    assert root_of(size, tree.read).hex() == ROOTS[size]


@given(st.integers(0, 700))
def test_a_tree_that_grows_has_the_root_of_the_definition(size: int) -> None:
    leaves = [number.to_bytes(2, "big") for number in range(size)]
    tree = Growing(leaves)
    expected = recursive_root([hash_leaf(leaf) for leaf in leaves])
    assert tree.frontier.root == expected
    assert root_of(size, tree.read) == expected
    assert Frontier(size, tree.frontier.roots).root == expected


def test_a_leaf_is_no_node() -> None:
    left, right = hash_leaf(b"a"), hash_leaf(b"b")
    assert hash_leaf(left + right) != hash_children(left, right)
    assert hash_leaf(b"") != EMPTY_ROOT


@given(st.integers(0, 5000))
def test_whole_subtrees_cover_every_leaf_once(size: int) -> None:
    covered = [leaf for node in whole_subtrees(0, size) for leaf in leaves_of(node)]
    assert covered == list(range(size))


def test_a_copy_grows_on_its_own() -> None:
    tree = Growing([b"a", b"b", b"c"]).frontier
    other = tree.copy()
    other.append(hash_leaf(b"d"))
    assert (tree.size, other.size) == (3, 4)
    assert tree.root.hex() != other.root.hex()


@pytest.mark.parametrize(
    ("size", "roots"), [(1, ()), (3, (bytes(32),)), (1, (bytes(31),)), (-1, ())]
)
def test_an_edge_of_another_size_is_refused(size: int, roots: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match=r"right edge|32 bytes"):
        Frontier(size, roots)


def test_a_leaf_hash_has_its_length() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Frontier().append(b"short")


def leaves_of(node: Node) -> range:
    level, index = node
    return range(index << level, (index + 1) << level)
