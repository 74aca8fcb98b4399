"""Signature digests of whole transactions (BIP 143, BIP 341)."""

import hashlib
from enum import IntEnum

from console.adapters.chains.bitcoin.script import p2pkh
from console.adapters.chains.bitcoin.transaction import Transaction, TxOut
from console.adapters.chains.bitcoin.wire import prefixed, sha256d
from console.protocols.math.tagged_hash import tagged_hash


class HashType(IntEnum):
    """Hash types for the whole transaction; DEFAULT is Taproot's short form of ALL (BIP 341)."""

    DEFAULT = 0
    ALL = 1


def segwit_digest(transaction: Transaction, index: int, spent: TxOut) -> bytes:
    """Return the digest to spend a P2WPKH output with SIGHASH_ALL, 32 bytes (BIP 143)."""
    spender = transaction.inputs[index]
    return sha256d(
        b"".join(
            (
                transaction.version.to_bytes(4, "little"),
                sha256d(_outpoints(transaction)),
                sha256d(_sequences(transaction)),
                spender.outpoint.encode(),
                prefixed(p2pkh(spent.script[2:])),
                spent.amount.to_bytes(8, "little"),
                spender.sequence.to_bytes(4, "little"),
                sha256d(_outputs(transaction)),
                transaction.locktime.to_bytes(4, "little"),
                HashType.ALL.to_bytes(4, "little"),
            )
        )
    )


def taproot_digest(
    transaction: Transaction,
    index: int,
    spent: tuple[TxOut, ...],
    hash_type: HashType = HashType.DEFAULT,
) -> bytes:
    """Return the digest to spend by key path, 32 bytes (BIP 341, common signature message).

    `spent` are the outputs of all inputs: their amounts and scripts are all signed.
    """
    message = b"".join(
        (
            b"\0",  # the epoch
            bytes([hash_type]),
            transaction.version.to_bytes(4, "little"),
            transaction.locktime.to_bytes(4, "little"),
            _sha256(_outpoints(transaction)),
            _sha256(b"".join(each.amount.to_bytes(8, "little") for each in spent)),
            _sha256(b"".join(prefixed(each.script) for each in spent)),
            _sha256(_sequences(transaction)),
            _sha256(_outputs(transaction)),
            b"\0",  # by key path, without an annex
            index.to_bytes(4, "little"),
        )
    )
    return tagged_hash("TapSighash", message)


def _outpoints(transaction: Transaction) -> bytes:
    return b"".join(each.outpoint.encode() for each in transaction.inputs)


def _sequences(transaction: Transaction) -> bytes:
    return b"".join(each.sequence.to_bytes(4, "little") for each in transaction.inputs)


def _outputs(transaction: Transaction) -> bytes:
    return b"".join(each.encode() for each in transaction.outputs)


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
