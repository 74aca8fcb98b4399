"""Proofs: each holds, and none holds for anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.tlog.proofs import (
    MAX_PROOF,
    MAX_SIZE,
    ProofInvalid,
    consistency_proof,
    inclusion_proof,
    require_consistency,
    require_inclusion,
)
from console.tlog.tree import EMPTY_ROOT, hash_leaf, range_root, root_of
from tests.fakes.growing_tree import numbered

SIZE = 70
TREE = numbered(SIZE)
ROOTS = [root_of(size, TREE.read) for size in range(SIZE + 1)]


def leaf(index: int) -> bytes:
    return hash_leaf(index.to_bytes(4, "big"))


def test_every_leaf_is_in_every_tree_that_has_it() -> None:
    for size in range(1, SIZE + 1):
        for index in range(size):
            proof = inclusion_proof(index, size, TREE.read)
            require_inclusion(leaf(index), index, size, proof, ROOTS[size])


def test_every_tree_continues_every_smaller_one() -> None:
    for size in range(SIZE + 1):
        for old in range(size + 1):
            proof = consistency_proof(old, size, TREE.read)
            require_consistency(old, ROOTS[old], size, ROOTS[size], proof)


def test_proofs_of_the_rfc_s_example() -> None:
    # RFC 9162, section 2.1.5: seven leaves; of the third leaf, and of the trees of 3, 4 and 6.
    node = TREE.read
    assert inclusion_proof(0, 7, node) == (node((0, 1)), node((1, 1)), edge(4, 7))
    assert inclusion_proof(3, 7, node) == (node((0, 2)), node((1, 0)), edge(4, 7))
    assert inclusion_proof(4, 7, node) == (node((0, 5)), node((0, 6)), node((2, 0)))
    assert inclusion_proof(6, 7, node) == (node((1, 2)), node((2, 0)))
    assert consistency_proof(3, 7, node) == (
        node((0, 2)),
        node((0, 3)),
        node((1, 0)),
        edge(4, 7),
    )
    assert consistency_proof(4, 7, node) == (edge(4, 7),)
    assert consistency_proof(6, 7, node) == (node((1, 2)), node((0, 6)), node((2, 0)))


def edge(start: int, end: int) -> bytes:
    return range_root(start, end, TREE.read)


@given(st.data())
def test_a_changed_inclusion_proof_does_not_hold(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, SIZE))
    index = data.draw(st.integers(0, size - 1))
    proof = list(inclusion_proof(index, size, TREE.read))
    other_index = data.draw(st.integers(0, size + 2))
    other_size = data.draw(st.integers(0, SIZE + 2))
    changed = altered(data, proof)
    if changed != proof:
        with pytest.raises(ProofInvalid):
            require_inclusion(leaf(index), index, size, changed, ROOTS[size])
    if other_index != index:
        with pytest.raises(ProofInvalid):
            require_inclusion(leaf(index), other_index, size, proof, ROOTS[size])
        with pytest.raises(ProofInvalid):
            require_inclusion(leaf(other_index), index, size, proof, ROOTS[size])
    if other_size <= SIZE and other_size != size:
        with pytest.raises(ProofInvalid):
            require_inclusion(leaf(index), index, size, proof, ROOTS[other_size])


@given(st.data())
def test_a_changed_consistency_proof_does_not_hold(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, SIZE))
    old = data.draw(st.integers(1, size))
    proof = list(consistency_proof(old, size, TREE.read))
    changed = altered(data, proof)
    if changed != proof:
        with pytest.raises(ProofInvalid):
            require_consistency(old, ROOTS[old], size, ROOTS[size], changed)
    wrong = data.draw(st.integers(0, SIZE))
    if wrong != old:
        with pytest.raises(ProofInvalid):
            require_consistency(old, ROOTS[wrong], size, ROOTS[size], proof)
    if wrong != size:
        with pytest.raises(ProofInvalid):
            require_consistency(old, ROOTS[old], size, ROOTS[wrong], proof)


def altered(data: st.DataObject, proof: list[bytes]) -> list[bytes]:
    """Flip a bit, leave a hash out, add one, or exchange two."""
    changed = list(proof)
    match data.draw(st.sampled_from(("flip", "drop", "add", "swap"))):
        case "flip" if changed:
            at = data.draw(st.integers(0, len(changed) - 1))
            bit = 1 << data.draw(st.integers(0, 255))
            changed[at] = (int.from_bytes(changed[at], "big") ^ bit).to_bytes(32, "big")
        case "drop" if changed:
            del changed[data.draw(st.integers(0, len(changed) - 1))]
        case "add":
            changed.insert(data.draw(st.integers(0, len(changed))), leaf(3))
        case "swap" if len(changed) > 1:
            changed[0], changed[-1] = changed[-1], changed[0]
        case _:
            pass
    return changed


def test_two_trees_of_one_size_have_one_root() -> None:
    require_consistency(5, ROOTS[5], 5, ROOTS[5], ())
    with pytest.raises(ProofInvalid, match="two trees of 5 leaves have different roots"):
        require_consistency(5, ROOTS[5], 5, ROOTS[6], ())
    require_consistency(0, EMPTY_ROOT, 5, ROOTS[5], ())
    with pytest.raises(ProofInvalid, match="two trees of 0 leaves"):
        require_consistency(0, ROOTS[1], 5, ROOTS[5], ())
    with pytest.raises(ProofInvalid, match="nothing is to be proved"):
        require_consistency(0, EMPTY_ROOT, 5, ROOTS[5], (leaf(0),))


@pytest.mark.parametrize(
    ("size", "proof"),
    [
        (MAX_SIZE + 1, ()),
        (-1, ()),
        (SIZE, (bytes(31),)),
        (SIZE, (bytes(32),) * (MAX_PROOF + 1)),
    ],
)
def test_what_has_not_the_form_of_a_proof_is_refused(size: int, proof: tuple[bytes, ...]) -> None:
    with pytest.raises(ProofInvalid):
        require_inclusion(leaf(0), 0, size, proof, ROOTS[SIZE])
    with pytest.raises(ProofInvalid):
        require_consistency(1, ROOTS[1], size, ROOTS[SIZE], proof)


def test_nothing_is_proved_of_what_is_not_there() -> None:
    with pytest.raises(ValueError, match="not in the tree"):
        inclusion_proof(SIZE, SIZE, TREE.read)
    with pytest.raises(ValueError, match="smaller"):
        consistency_proof(SIZE + 1, SIZE, TREE.read)
    with pytest.raises(ProofInvalid, match="smaller"):
        require_consistency(SIZE, ROOTS[SIZE], SIZE - 1, ROOTS[SIZE - 1], ())
