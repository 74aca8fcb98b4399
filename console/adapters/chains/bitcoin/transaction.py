"""Transactions, parsed strictly: whatever is accepted is encoded to the same bytes again."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from console.adapters.chains.bitcoin.limits import MAX_MONEY, MAX_TRANSACTION_BYTES
from console.adapters.chains.bitcoin.wire import (
    Reader,
    compact_size,
    prefixed,
    sha256d,
    stacked,
)
from console.application.errors import UnknownTransaction

FINAL_SEQUENCE = 0xFFFF_FFFF
_MARKER = b"\x00\x01"
_NO_OUTPUT = 0xFFFF_FFFF
T = TypeVar("T")


class TransactionTooLarge(UnknownTransaction):
    """More bytes than nodes relay: only a miner could have put it into a block."""


@dataclass(frozen=True, slots=True)
class OutPoint:
    """An output of a transaction; `txid` is 32 bytes as hashed, the reverse of the text."""

    txid: bytes
    index: int

    def encode(self) -> bytes:
        """Return 36 bytes."""
        return self.txid + self.index.to_bytes(4, "little")

    @property
    def text(self) -> str:
        """The txid as people write it, and the index."""
        return f"{self.txid[::-1].hex()}:{self.index}"


@dataclass(frozen=True, slots=True)
class TxOut:
    """An amount in satoshis and the script that locks it."""

    amount: int
    script: bytes

    def encode(self) -> bytes:
        """Return the bytes of amount and script."""
        return self.amount.to_bytes(8, "little") + prefixed(self.script)


@dataclass(frozen=True, slots=True)
class TxIn:
    """An outpoint that is spent, with script and witness once it is signed."""

    outpoint: OutPoint
    script_sig: bytes = b""
    sequence: int = FINAL_SEQUENCE
    witness: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """Return the bytes of everything but the witness."""
        sequence = self.sequence.to_bytes(4, "little")
        return self.outpoint.encode() + prefixed(self.script_sig) + sequence


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction, signed or not. `version` and `locktime` are unsigned, 32 bits."""

    version: int
    inputs: tuple[TxIn, ...]
    outputs: tuple[TxOut, ...]
    locktime: int = 0

    def encode(self) -> bytes:
        """Return the bytes with witnesses, if there are any (BIP 144)."""
        if not any(each.witness for each in self.inputs):
            return self.encode_stripped()
        return self._encode(_MARKER, b"".join(stacked(each.witness) for each in self.inputs))

    def encode_stripped(self) -> bytes:
        """Return the bytes without witnesses, whose hash is the txid."""
        return self._encode(b"", b"")

    def _encode(self, marker: bytes, witnesses: bytes) -> bytes:
        return b"".join(
            (
                self.version.to_bytes(4, "little"),
                marker,
                compact_size(len(self.inputs)),
                *(each.encode() for each in self.inputs),
                compact_size(len(self.outputs)),
                *(each.encode() for each in self.outputs),
                witnesses,
                self.locktime.to_bytes(4, "little"),
            )
        )

    @property
    def hash(self) -> bytes:
        """The hash without witnesses, 32 bytes, as outpoints hold it."""
        return sha256d(self.encode_stripped())

    @property
    def txid(self) -> str:
        """The id as people write it."""
        return self.hash[::-1].hex()

    @property
    def wtxid(self) -> str:
        """The hash with witnesses, as people write it (BIP 141)."""
        return sha256d(self.encode())[::-1].hex()

    @property
    def weight(self) -> int:
        """Three times the bytes without witnesses, plus all bytes (BIP 141)."""
        return 3 * len(self.encode_stripped()) + len(self.encode())

    @property
    def vsize(self) -> int:
        """A quarter of the weight, rounded up; fee rates count it."""
        return -(-self.weight // 4)

    def without_witnesses(self) -> "Transaction":
        """Return the same transaction without witnesses."""
        return replace(self, inputs=tuple(replace(each, witness=()) for each in self.inputs))


def parse_transaction(data: bytes) -> Transaction:
    """Return the transaction in bytes with or without witnesses. Raises: UnknownTransaction."""
    return _parse(data, with_witnesses=True)


def parse_stripped(data: bytes) -> Transaction:
    """Return the transaction in bytes without witnesses, which may have no input.

    Raises: UnknownTransaction.
    """
    return _parse(data, with_witnesses=False)


def parse_output(data: bytes) -> TxOut:
    """Return the output in these bytes. Raises: UnknownTransaction."""
    reader = Reader(data, "output")
    output = _output(reader)
    reader.end()
    check_amounts((output,))
    return output


def check_amounts(outputs: tuple[TxOut, ...]) -> None:
    """Check that no amount, nor their sum, is above MAX_MONEY. Raises: UnknownTransaction."""
    if any(each.amount > MAX_MONEY for each in outputs):
        raise UnknownTransaction("an output's amount is more than all coins there are")
    if sum(each.amount for each in outputs) > MAX_MONEY:
        raise UnknownTransaction("the outputs are more than all coins there are")


def _parse(data: bytes, *, with_witnesses: bool) -> Transaction:
    if len(data) > MAX_TRANSACTION_BYTES:
        raise TransactionTooLarge(f"a transaction has at most {MAX_TRANSACTION_BYTES} bytes")
    reader = Reader(data, "transaction")
    version = reader.number(4)
    extended = with_witnesses and reader.peek(2) == _MARKER
    if extended:
        reader.take(2)
    inputs = _several(reader, _input)
    outputs = _several(reader, _output)
    if extended:
        inputs = tuple(replace(each, witness=reader.stack()) for each in inputs)
        if not any(each.witness for each in inputs):
            raise UnknownTransaction("the transaction announces witnesses and has none")
    transaction = Transaction(version, inputs, outputs, reader.number(4))
    reader.end()
    check_amounts(outputs)
    return transaction


def _several(reader: Reader, read: Callable[[Reader], T]) -> tuple[T, ...]:
    count = reader.compact()
    if count > reader.left:
        raise UnknownTransaction("the transaction ends too early")
    return tuple(read(reader) for _ in range(count))


def _input(reader: Reader) -> TxIn:
    outpoint = OutPoint(reader.take(32), reader.number(4))
    return TxIn(outpoint, reader.string(), reader.number(4))


def _output(reader: Reader) -> TxOut:
    return TxOut(reader.number(8), reader.string())


def is_nothing(outpoint: OutPoint) -> bool:
    """Return whether this is the null outpoint of a coinbase."""
    return outpoint.index == _NO_OUTPUT and not any(outpoint.txid)
