"""Second reading: python-bitcoinlib must read what our parser read, before anything is signed.

Approvers see what our own parser (`transaction`) reads. A mistake in it could show one transaction
and sign another. So a parser without common code must read the same from the same bytes, and
compute the same digests where it can.
"""

from bitcoin.core import CTransaction
from bitcoin.core.script import (
    OP_CHECKSIG,
    OP_DUP,
    OP_EQUALVERIFY,
    OP_HASH160,
    SIGHASH_ALL,
    SIGVERSION_WITNESS_V0,
    CScript,
    SignatureHash,
)
from bitcoin.core.serialize import SerializationError

from console.adapters.chains.bitcoin.transaction import Transaction, TxOut
from console.application.errors import UnknownTransaction

_UINT32 = 0xFFFF_FFFF
_INT32 = 0x7FFF_FFFF


class ReadingsDiffer(UnknownTransaction):
    """The two parsers disagree on a transaction or a digest; nothing is signed."""


def confirm_reading(data: bytes, transaction: Transaction) -> None:
    """Check that python-bitcoinlib reads this transaction from the bytes.

    Raises: ReadingsDiffer.
    """
    other = _read(data)
    # The library reads the version as a signed number.
    _require(transaction.version, other.nVersion & _UINT32, "version")
    _require(
        [(e.outpoint.txid, e.outpoint.index, e.script_sig, e.sequence) for e in transaction.inputs],
        [(e.prevout.hash, e.prevout.n, bytes(e.scriptSig), e.nSequence) for e in other.vin],
        "inputs",
    )
    _require(
        [(each.amount, each.script) for each in transaction.outputs],
        [(each.nValue, bytes(each.scriptPubKey)) for each in other.vout],
        "outputs",
    )
    _require(transaction.locktime, other.nLockTime, "lock time")
    _require(transaction.hash, other.GetTxid(), "id")
    _require(data, other.serialize(), "bytes")


def confirm_digests(
    transaction: Transaction, spent: tuple[TxOut, ...], digests: tuple[bytes | None, ...]
) -> None:
    """Check that python-bitcoinlib computes the same digests for P2WPKH (BIP 143).

    None stands for an input of another kind, which that library cannot sign.
    Lock times from 2^31 on are not checked: the library encodes them as signed numbers.
    Raises: ReadingsDiffer.
    """
    if transaction.locktime > _INT32 or not any(digests):
        return
    other = _read(transaction.encode_stripped())
    for index, (output, digest) in enumerate(zip(spent, digests, strict=True)):
        if digest is not None:
            _require(digest, _segwit_digest(other, index, output), f"digest of input {index + 1}")


def _read(data: bytes) -> CTransaction:
    try:
        return CTransaction.deserialize(data)
    except (SerializationError, ValueError):
        raise ReadingsDiffer(
            "python-bitcoinlib does not read the transaction that was decoded; nothing was signed"
        ) from None


def _segwit_digest(transaction: CTransaction, index: int, spent: TxOut) -> bytes:
    key_hash = spent.script[2:]
    code = CScript([OP_DUP, OP_HASH160, key_hash, OP_EQUALVERIFY, OP_CHECKSIG])
    digest: bytes = SignatureHash(
        code, transaction, index, SIGHASH_ALL, spent.amount, SIGVERSION_WITNESS_V0
    )
    return digest


def _require(ours: object, theirs: object, what: str) -> None:
    if ours != theirs:
        raise ReadingsDiffer(f"python-bitcoinlib reads the {what} differently; nothing was signed")
