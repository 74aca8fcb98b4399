"""Builds blocks that regtest's rules accept."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from bitcoin.core import (
    CBlock,
    COutPoint,
    CTransaction,
    CTxIn,
    CTxInWitness,
    CTxOut,
    CTxWitness,
)
from bitcoin.core.script import OP_RETURN, CScript, CScriptWitness
from bitcoin.core.serialize import Hash

HALVING_BLOCKS = 150
_SUBSIDY = 50 * 10**8
_VERSION = 0x20000000
_BITS = 0x207FFFFF
_TARGET = 0x7FFFFF << 8 * (0x20 - 3)
_COMMITMENT = bytes.fromhex("aa21a9ed")
_RESERVED = bytes(32)


@dataclass(frozen=True, slots=True)
class BlockPosition:
    """A block's place: the previous block, the height and the time."""

    parent: bytes
    height: int
    time_s: int


def make_block(
    place: BlockPosition,
    transactions: Sequence[CTransaction],
    reward: int,
    to_script: bytes,
    mark: int,
) -> CBlock:
    """Return a block with enough work; `mark` makes it differ from others at the same place."""
    coinbase = _coinbase(place.height, transactions, reward, to_script, mark)
    all_transactions = (coinbase, *transactions)
    root = _merkle_root([transaction.GetTxid() for transaction in all_transactions])
    header = struct.pack("<i32s32sII", _VERSION, place.parent, root, place.time_s, _BITS)
    return CBlock(
        _VERSION, place.parent, root, place.time_s, _BITS, _worked(header), all_transactions
    )


def subsidy(height: int) -> int:
    """Return what a block may create, in satoshis."""
    return _SUBSIDY >> height // HALVING_BLOCKS


def _coinbase(
    height: int, transactions: Sequence[CTransaction], reward: int, to_script: bytes, mark: int
) -> CTransaction:
    root = _merkle_root([bytes(32), *(transaction.GetHash() for transaction in transactions)])
    # BIP 141, commitment structure; the height first, as BIP 34 has it.
    commitment = CScript([OP_RETURN, _COMMITMENT + Hash(root + _RESERVED)])
    return CTransaction(
        [CTxIn(COutPoint(), CScript([height, struct.pack("<Q", mark)]))],
        [CTxOut(reward, CScript(to_script)), CTxOut(0, commitment)],
        nVersion=2,
        witness=CTxWitness((CTxInWitness(CScriptWitness([_RESERVED])),)),
    )


def _merkle_root(leaves: list[bytes]) -> bytes:
    return bytes(CBlock.build_merkle_tree_from_txids(leaves)[-1])


def _worked(header: bytes) -> int:
    """Return the first nonce whose hash is below the target: on regtest, every second nonce."""
    for nonce in range(1 << 32):
        digest = Hash(header + struct.pack("<I", nonce))
        if int.from_bytes(digest, "little") <= _TARGET:
            return nonce
    raise AssertionError("half of all nonces do")
