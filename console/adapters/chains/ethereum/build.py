"""A builder of unsigned transactions with the fees of EIP-1559; it asks no node.

CallDraft(chain_id=1, nonce=7).pay(to, wei).gas(21_000).fees(max_fee, tip).build()
"""

from dataclasses import dataclass, replace
from typing import Any

from eth_abi.exceptions import EncodingError

from console.adapters.chains.ethereum.abi import FUNCTIONS
from console.adapters.chains.ethereum.transaction import (
    MAX_TRANSACTION_BYTES,
    Transaction,
    TransactionKind,
    parse_transaction,
)
from console.application.errors import TransactionError, UnknownTransaction


@dataclass(frozen=True, slots=True)
class CallDraft:
    """An unsigned payment or call in the making; each step returns a new draft. Amounts in wei."""

    chain_id: int
    nonce: int
    to: bytes | None = None
    value: int = 0
    data: bytes = b""
    gas_limit: int | None = None
    max_fee: int | None = None
    max_tip: int | None = None

    def pay(self, to: bytes, wei: int) -> "CallDraft":
        """Send coins."""
        return replace(self, to=to, value=wei)

    def call(self, to: bytes, data: bytes, wei: int = 0) -> "CallDraft":
        """Call a contract with given data."""
        return replace(self, to=to, value=wei, data=data)

    def gas(self, limit: int) -> "CallDraft":
        """Set the most gas that may be used."""
        return replace(self, gas_limit=limit)

    def fees(self, max_fee: int, max_tip: int) -> "CallDraft":
        """Set the fees per gas (EIP-1559)."""
        return replace(self, max_fee=max_fee, max_tip=max_tip)

    def build(self) -> bytes:
        """Return the bytes to be signed, read back once. Raises: TransactionError."""
        if self.gas_limit is None or self.max_fee is None or self.max_tip is None:
            raise TransactionError("the gas limit and the fees must be given")
        return checked(
            Transaction(
                kind=TransactionKind.DYNAMIC_FEE,
                chain_id=self.chain_id,
                nonce=self.nonce,
                gas_limit=self.gas_limit,
                max_fee=self.max_fee,
                max_tip=self.max_tip,
                to=self.to,
                value=self.value,
                data=self.data,
            )
        )


def checked(transaction: Transaction) -> bytes:
    """Encode, and decode again: numbers in range, nothing lost. Raises: TransactionError."""
    try:
        data = transaction.encode()
        if parse_transaction(data) == transaction:
            return data
    except (OverflowError, UnknownTransaction) as error:
        raise TransactionError(f"this is no transaction: {error}") from None
    raise TransactionError("the draft holds values that its type of transaction cannot carry")


def call_data(signature: str, *values: Any) -> bytes:
    """Return a call of a function of the table. Raises: TransactionError."""
    function = FUNCTIONS.get(signature)
    if function is None:
        raise TransactionError(f"{signature[:100]} is not in the table of functions")
    try:
        data = function.encode(*values)
    except (EncodingError, ValueError, TypeError):
        raise TransactionError(f"the values do not fit {signature}") from None
    if len(data) > MAX_TRANSACTION_BYTES:
        raise TransactionError("the call's data is larger than a transaction may be")
    return data
