"""Proofs that a leaf is in a tree, and that one tree continues another. RFC 9162, section 2.1."""

import hmac
from collections.abc import Sequence

from console.tlog.tree import EMPTY_ROOT, HASH_SIZE, ReadNode, hash_children, range_root

MAX_SIZE = 1 << 62
MAX_PROOF = 64
"""Hashes in a proof; a tree of MAX_SIZE leaves needs fewer."""


class ProofInvalid(Exception):
    """A proof does not show what it is said to show."""


def inclusion_proof(index: int, size: int, read: ReadNode) -> tuple[bytes, ...]:
    """Return the proof that leaf `index` is in the tree of `size` leaves. Section 2.1.3.1."""
    if not 0 <= index < size:
        raise ValueError("the leaf is not in the tree")
    return tuple(_path(index, 0, size, read))


def consistency_proof(old_size: int, size: int, read: ReadNode) -> tuple[bytes, ...]:
    """Return the proof that the tree of `old_size` leaves begins that of `size`. Section 2.1.4.1.

    Empty for equal sizes, and for an old tree without leaves, which needs none.
    """
    if not 0 <= old_size <= size:
        raise ValueError("a tree continues only a smaller one")
    if old_size in {0, size}:
        return ()
    return tuple(_subproof(old_size, 0, size, read, known=True))


def root_from_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that a proof leads to; the caller compares it. Section 2.1.3.2.

    Raises: ProofInvalid if the proof has not the form of one for this leaf and tree.
    """
    _require_form(size, proof)
    if not 0 <= index < size:
        raise ProofInvalid("the leaf is not in the tree")
    place, last, root = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        if place & 1 or place == last:
            root = hash_children(sibling, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = hash_children(root, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofInvalid("the proof is too short")
    return root


def require_inclusion(
    leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf is in a tree. Section 2.1.3.2. Raises: ProofInvalid."""
    if not hmac.compare_digest(root_from_inclusion(leaf_hash, index, size, proof), root):
        raise ProofInvalid(f"leaf {index} is not in the tree of {size} leaves with this root")


def require_consistency(
    old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that one tree continues another. Section 2.1.4.2. Raises: ProofInvalid."""
    _require_form(size, proof)
    if not 0 <= old_size <= size:
        raise ProofInvalid("a tree continues only a smaller one")
    if old_size in {0, size}:
        if proof:
            raise ProofInvalid("nothing is to be proved, and a proof is given")
        if not hmac.compare_digest(old_root, root if old_size else EMPTY_ROOT):
            raise ProofInvalid(f"two trees of {old_size} leaves have different roots")
        return
    first, second = _roots_from_consistency(old_size, old_root, size, proof)
    if not (hmac.compare_digest(first, old_root) and hmac.compare_digest(second, root)):
        raise ProofInvalid(f"the tree of {size} leaves does not continue that of {old_size}")


def _roots_from_consistency(
    old_size: int, old_root: bytes, size: int, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    # Where the old tree is a whole subtree of the new one, its root is the first node.
    nodes = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not nodes:
        raise ProofInvalid("the proof is too short")
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        if place & 1 or place == last:
            first, second = hash_children(node, first), hash_children(node, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = hash_children(second, node)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofInvalid("the proof is too short")
    return first, second


def _path(index: int, start: int, end: int, read: ReadNode) -> list[bytes]:
    """Return the siblings on the way from a leaf to the root over `start` to `end`."""
    siblings: list[bytes] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            siblings.append(range_root(middle, end, read))
            end = middle
        else:
            siblings.append(range_root(start, middle, read))
            start = middle
    return siblings[::-1]


def _subproof(old: int, start: int, end: int, read: ReadNode, *, known: bool) -> list[bytes]:
    """SUBPROOF of section 2.1.4.1; `known` says that the old root need not be told."""
    hashes: list[bytes] = []
    while old != end - start:
        split = _split(end - start)
        if old <= split:
            hashes.append(range_root(start + split, end, read))
            end = start + split
        else:
            hashes.append(range_root(start, start + split, read))
            old, start, known = old - split, start + split, False
    if not known:
        hashes.append(range_root(start, end, read))
    return hashes[::-1]


def _split(count: int) -> int:
    """Return the largest power of two smaller than `count`, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _require_form(size: int, proof: Sequence[bytes]) -> None:
    if not 0 <= size <= MAX_SIZE or len(proof) > MAX_PROOF:
        raise ProofInvalid("the proof or its tree is larger than any")
    if any(len(node) != HASH_SIZE for node in proof):
        raise ProofInvalid(f"a node's hash has {HASH_SIZE} bytes")
