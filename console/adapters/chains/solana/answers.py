"""The shapes of a node's answers, strictly; unneeded members are omitted, above all the slot.

Answers of several nodes are compared, and each names another slot.
"""

from base64 import b64decode
from typing import Annotated, Literal

import msgspec

Unsigned = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Base58 = Annotated[str, msgspec.Meta(min_length=32, max_length=88)]
Base64 = Annotated[str, msgspec.Meta(max_length=1 << 16, pattern=r"\A[A-Za-z0-9+/]*={0,2}\Z")]


class BalanceAnswer(msgspec.Struct, frozen=True):
    """Of `getBalance`, in lamports."""

    value: Unsigned


class Blockhash(msgspec.Struct, frozen=True, rename="camel"):
    """A recent blockhash and the height up to which it is valid."""

    blockhash: str
    last_valid_block_height: Unsigned


class BlockhashAnswer(msgspec.Struct, frozen=True):
    """Of `getLatestBlockhash`."""

    value: Blockhash


class ValidAnswer(msgspec.Struct, frozen=True):
    """Of `isBlockhashValid`."""

    value: bool


class AccountInfo(msgspec.Struct, frozen=True):
    """An account: its program, balance and data."""

    lamports: Unsigned
    owner: Base58
    data: tuple[Base64, Literal["base64"]]

    def content(self) -> bytes:
        """Return the data. Raises: ValueError."""
        return b64decode(self.data[0], validate=True)


class AccountAnswer(msgspec.Struct, frozen=True):
    """Of `getAccountInfo`; None where there is no account."""

    value: AccountInfo | None


class AccountsAnswer(msgspec.Struct, frozen=True):
    """Of `getMultipleAccounts`, in the order of the question."""

    value: list[AccountInfo | None]


class RecentFee(msgspec.Struct, frozen=True, rename="camel"):
    """The lowest price in a slot, in millionths of a lamport for a compute unit."""

    prioritization_fee: Unsigned


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """The status of a signature; of `err` only its presence counts."""

    slot: Unsigned
    confirmation_status: str | None = None
    err: msgspec.Raw = msgspec.Raw(b"null")


class StatusAnswer(msgspec.Struct, frozen=True):
    """Of `getSignatureStatuses`."""

    value: list[Status | None]


class Simulated(msgspec.Struct, frozen=True):
    """A simulation; `accounts` are the requested ones afterwards."""

    err: msgspec.Raw = msgspec.Raw(b"null")
    logs: list[str] | None = None
    accounts: list[AccountInfo | None] | None = None


class SimulatedAnswer(msgspec.Struct, frozen=True):
    """Of `simulateTransaction`."""

    value: Simulated


class FailureData(msgspec.Struct, frozen=True):
    """The data of a refused broadcast."""

    err: msgspec.Raw = msgspec.Raw(b"null")
    logs: list[str] | None = None


class SignatureEntry(msgspec.Struct, frozen=True, rename="camel"):
    """A line of `getSignaturesForAddress`; the time is in seconds."""

    signature: Base58
    slot: Unsigned
    block_time: Annotated[int, msgspec.Meta(ge=0, le=1 << 40)] | None = None


class TokenAmount(msgspec.Struct, frozen=True):
    """A number of base units, as text."""

    amount: Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,20}\Z")]


class TokenBalance(msgspec.Struct, frozen=True, rename="camel"):
    """The balance of an owner's token account."""

    mint: str
    ui_token_amount: TokenAmount
    owner: str = ""


class Meta(msgspec.Struct, frozen=True, rename="camel"):
    """Balances before and after, in the order of the message's accounts."""

    pre_balances: list[Unsigned]
    post_balances: list[Unsigned]
    pre_token_balances: list[TokenBalance] | None = None
    post_token_balances: list[TokenBalance] | None = None


class AccountKeys(msgspec.Struct, frozen=True, rename="camel"):
    """The accounts that a message lists."""

    account_keys: list[str]


class TransactionEnvelope(msgspec.Struct, frozen=True):
    """The part of a transaction that is read."""

    message: AccountKeys


class TransactionAnswer(msgspec.Struct, frozen=True):
    """Of `getTransaction` in its form `json`."""

    transaction: TransactionEnvelope
    meta: Meta | None = None
