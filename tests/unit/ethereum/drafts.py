"""A builder of every type of transaction, of which the product itself builds one."""

from dataclasses import dataclass, replace
from typing import Any

from console.adapters.chains.ethereum.authorization import Authorization, SignedAuthorization
from console.adapters.chains.ethereum.build import call_data, checked
from console.adapters.chains.ethereum.fields import AccessEntry
from console.adapters.chains.ethereum.transaction import Transaction, TransactionKind
from console.application.errors import TransactionError


@dataclass(frozen=True, slots=True)
class Draft:
    """An unsigned transaction in the making; each step returns a new draft. Amounts in wei."""

    chain_id: int
    nonce: int
    to: bytes | None = None
    value: int = 0
    data: bytes = b""
    gas_limit: int | None = None
    max_fee: int | None = None
    max_tip: int | None = None
    access_list: tuple[AccessEntry, ...] = ()
    typed: bool = True
    blob_fee: int = 0
    blob_hashes: tuple[bytes, ...] = ()
    authorizations: tuple[SignedAuthorization, ...] = ()

    def pay(self, to: bytes, wei: int) -> "Draft":
        """Send coins."""
        return replace(self, to=to, value=wei)

    def call(self, to: bytes, data: bytes, wei: int = 0) -> "Draft":
        """Call a contract with given data."""
        return replace(self, to=to, value=wei, data=data)

    def invoke(self, to: bytes, signature: str, *values: Any) -> "Draft":
        """Call a function of the table, such as `transfer(address,uint256)`, addresses as bytes.

        Raises: TransactionError if the values do not fit the function.
        """
        return self.call(to, call_data(signature, *values))

    def create(self, code: bytes, wei: int = 0) -> "Draft":
        """Create a contract."""
        return replace(self, to=None, value=wei, data=code)

    def cancel(self, account: bytes) -> "Draft":
        """Use up the nonce with an empty transfer to the account itself."""
        return replace(self, to=account, value=0, data=b"")

    def gas(self, limit: int) -> "Draft":
        """Set the most gas that may be used."""
        return replace(self, gas_limit=limit)

    def fees(self, max_fee: int, max_tip: int) -> "Draft":
        """Set the fees per gas (EIP-1559)."""
        return replace(self, max_fee=max_fee, max_tip=max_tip)

    def price(self, gas_price: int, *, legacy: bool = False) -> "Draft":
        """Set one price per gas, as before EIP-1559; `legacy` without an envelope."""
        return replace(self, max_fee=gas_price, max_tip=None, typed=not legacy)

    def access(self, *entries: AccessEntry) -> "Draft":
        """Announce storage that will be used (EIP-2930)."""
        return replace(self, access_list=entries)

    def blobs(self, max_blob_fee: int, *versioned_hashes: bytes) -> "Draft":
        """Carry blobs (EIP-4844), given by their versioned hashes; the fee is per blob gas."""
        return replace(self, blob_fee=max_blob_fee, blob_hashes=versioned_hashes)

    def authorize(self, *signed: SignedAuthorization) -> "Draft":
        """Carry signed authorisations (EIP-7702)."""
        return replace(self, authorizations=signed)

    def build(self) -> bytes:
        """Return the bytes to be signed, read back once. Raises: TransactionError."""
        return checked(self._transaction())

    def _transaction(self) -> Transaction:
        if self.gas_limit is None or self.max_fee is None:
            raise TransactionError("the gas limit and the fees must be given")
        tip = self.max_fee if self.max_tip is None else self.max_tip
        return Transaction(
            kind=self._kind(),
            chain_id=self.chain_id,
            nonce=self.nonce,
            gas_limit=self.gas_limit,
            max_fee=self.max_fee,
            max_tip=tip,
            to=self.to,
            value=self.value,
            data=self.data,
            access_list=self.access_list,
            blob_fee=self.blob_fee,
            blob_hashes=self.blob_hashes,
            authorizations=self.authorizations,
        )

    def _kind(self) -> TransactionKind:
        if self.authorizations:
            return TransactionKind.SET_CODE
        if self.blob_hashes:
            return TransactionKind.BLOB
        if self.max_tip is not None:
            return TransactionKind.DYNAMIC_FEE
        return TransactionKind.ACCESS_LIST if self.typed else TransactionKind.LEGACY


def build_authorization(chain_id: int, code: bytes, nonce: int) -> bytes:
    """Return the bytes to be signed so that an account acts by `code` (EIP-7702).

    Raises: TransactionError.
    """
    if len(code) != 20 or not 0 < chain_id < 1 << 63 or not 0 <= nonce < (1 << 64) - 1:
        raise TransactionError("an authorisation needs a chain, an address and a nonce")
    return Authorization(chain_id, code, nonce).encode()
