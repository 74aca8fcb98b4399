"""Transactions that wait for a block, by the rules of Ethereum's usual node (go-ethereum)."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from eth_account.typed_transactions.blob_transactions.blob_transaction import BlobTransaction
from eth_tester import EthereumTester
from eth_utils.address import to_checksum_address
from eth_utils.exceptions import ValidationError
from hexbytes import HexBytes

from console.devnet.failure import RpcFailure

PRICE_BUMP_PERCENT = 10
"""By how much both fees of a replacement must be higher."""
_REFUSED = -32000
_BLOB_TYPE = 3
Place: TypeAlias = tuple[bytes, int]
"""A sender's address and a nonce."""


class WaitingTransactions:
    """One transaction for each sender and nonce, mined in the order of nonces."""

    def __init__(self, tester: EthereumTester) -> None:
        self._chain = tester.backend.chain
        self._waiting: dict[Place, Any] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, raw: bytes) -> str:
        """Admit signed bytes; return the transaction's hash. Raises: RpcFailure."""
        transaction = self._decoded(raw)
        place = (bytes(transaction.sender), int(transaction.nonce))
        self._check(transaction, place)
        old = self._waiting.get(place)
        if old is not None:
            _check_replacement(old, transaction)
        self._waiting[place] = transaction
        return f"0x{transaction.hash.hex()}"

    def put_back(self, transactions: Iterable[Any]) -> None:
        """Put a block's transactions back among the waiting ones."""
        for transaction in transactions:
            place = (bytes(transaction.sender), int(transaction.nonce))
            self._waiting.setdefault(place, transaction)

    def into_block(self, only_from: frozenset[bytes] | None = None) -> None:
        """Execute what can be in the block under construction; drop what never can be."""
        for place in sorted(self._waiting):
            sender, nonce = place
            if only_from is not None and sender not in only_from:
                continue
            transaction = self._waiting[place]
            expected = self._nonce(sender)
            if nonce > expected or transaction.max_fee_per_gas < self._base_fee():
                continue
            del self._waiting[place]
            if nonce == expected:
                try:
                    self._chain.apply_transaction(transaction)
                except ValidationError:
                    # It can no longer be paid, for example.
                    continue

    def forget_used(self) -> None:
        """Drop what a block made impossible by consuming the nonce."""
        for sender, nonce in list(self._waiting):
            if nonce < self._nonce(sender):
                del self._waiting[sender, nonce]

    def next_nonce(self, sender: bytes) -> int:
        """Return the nonce after all waiting ones without a gap."""
        nonce = self._nonce(sender)
        while (sender, nonce) in self._waiting:
            nonce += 1
        return nonce

    def find(self, transaction_hash: str) -> dict[str, object] | None:
        """Return a waiting transaction as `eth_getTransactionByHash` does."""
        for transaction in self._waiting.values():
            if f"0x{transaction.hash.hex()}" == transaction_hash:
                return _view(transaction)
        return None

    def _decoded(self, raw: bytes) -> Any:
        try:
            if raw[:1] == bytes([_BLOB_TYPE]):
                # The blobs are sent beside the transaction and are not executed.
                blobs = BlobTransaction.from_bytes(HexBytes(raw))
                blobs.blob_data = None
                raw = bytes([_BLOB_TYPE]) + blobs.payload()
            transaction = self._chain.get_vm().get_transaction_builder().decode(raw)
            transaction.validate()
            transaction.check_signature_validity()
        # Decoders of several libraries are used here, each with its own errors.
        except Exception:  # noqa: BLE001
            raise RpcFailure(_REFUSED, "rlp: the transaction does not decode") from None
        return transaction

    def _check(self, transaction: Any, place: Place) -> None:
        sender, nonce = place
        known = self._waiting.get(place)
        cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
        expected, balance = self._nonce(sender), self._state().get_balance(sender)
        if known is not None and known.hash == transaction.hash:
            raise RpcFailure(_REFUSED, "already known")
        if transaction.chain_id not in {None, self._chain.chain_id}:
            raise RpcFailure(_REFUSED, "invalid chain id for signer")
        if nonce < expected:
            raise RpcFailure(_REFUSED, f"nonce too low: next nonce {expected}, tx nonce {nonce}")
        if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
            raise RpcFailure(_REFUSED, "max priority fee per gas higher than max fee per gas")
        if transaction.gas < transaction.intrinsic_gas:
            raise RpcFailure(_REFUSED, "intrinsic gas too low")
        if cost > balance:
            words = f"insufficient funds for gas * price + value: balance {balance}, tx cost {cost}"
            raise RpcFailure(_REFUSED, words)

    def _nonce(self, sender: bytes) -> int:
        return int(self._state().get_nonce(sender))

    def _state(self) -> Any:
        return self._chain.get_vm().state

    def _base_fee(self) -> int:
        return int(self._chain.get_block().header.base_fee_per_gas)


def _check_replacement(old: Any, new: Any) -> None:
    enough = all(
        100 * offered >= (100 + PRICE_BUMP_PERCENT) * before and offered > before
        for offered, before in (
            (new.max_fee_per_gas, old.max_fee_per_gas),
            (new.max_priority_fee_per_gas, old.max_priority_fee_per_gas),
        )
    )
    if not enough:
        raise RpcFailure(_REFUSED, "replacement transaction underpriced")


def _view(transaction: Any) -> dict[str, object]:
    to = bytes(transaction.to)
    return {
        "hash": f"0x{transaction.hash.hex()}",
        "from": to_checksum_address(transaction.sender),
        "to": to_checksum_address(to) if to else None,
        "nonce": hex(transaction.nonce),
        "value": hex(transaction.value),
        "gas": hex(transaction.gas),
        "maxFeePerGas": hex(transaction.max_fee_per_gas),
        "maxPriorityFeePerGas": hex(transaction.max_priority_fee_per_gas),
        "input": f"0x{bytes(transaction.data).hex()}",
        "blockHash": None,
        "blockNumber": None,
        "transactionIndex": None,
    }
