"""Wallets, their accounts, and transactions as decoded."""

from console.application.views.session import MemberView
from console.application.views.view import View


class TokenView(View, frozen=True, kw_only=True):
    """A listed token of an account; its texts are empty while the balance is unknown."""

    address: str
    unit: str
    decimals: int
    balance: str
    balance_base_units: str


class AccountView(View, frozen=True, kw_only=True):
    """A wallet's account on one chain, told by `label`. Balance texts are empty while unknown.

    `balance_base_units` is decimal text: whole numbers of coins exceed what travels as a number.
    """

    chain: str
    network: str
    path: str
    address: str
    unit: str
    decimals: int
    balance: str
    balance_base_units: str
    balance_as_of_ms: int | None
    balance_error: str
    label: str = ""
    tokens: tuple[TokenView, ...] = ()
    abilities: tuple[str, ...] = ()
    """What is offered beyond a plain transfer: memo, call, message, lasting, accelerate."""
    export: str = ""
    """What a watching wallet needs: an output descriptor, or the address."""
    import_form: str = ""
    """What is imported from other programs, as a noun: "An unsigned message"."""


class HistoryItemView(View, frozen=True, kw_only=True):
    """A request; `account` is the chain's name, a colon and the path."""

    request: str
    account: str
    amount: str
    unit: str
    to_address: str
    state: str
    at_ms: int
    transaction_id: str


class WalletView(View, frozen=True, kw_only=True):
    wallet: str
    name: str
    kinds: tuple[str, ...]
    threshold: int
    approvals_needed: int
    epoch: int
    custodians: tuple[MemberView, ...]
    accounts: tuple[AccountView, ...]
    history: tuple[HistoryItemView, ...]
    created_ms: int
    holds_share: bool


class FieldView(View, frozen=True):
    """A decoded field of a transaction: label and value, both plain text."""

    label: str
    value: str


class DescriptionView(View, frozen=True, kw_only=True):
    """A transaction decoded from the bytes to be signed, never from a form.

    `red_flags` are dangers in words; a flag never hides a field.
    """

    chain: str
    network: str
    action: str
    amount: str
    unit: str
    from_address: str
    to_address: str
    fee: str
    fee_unit: str
    fields: tuple[FieldView, ...]
    red_flags: tuple[str, ...]
    digest: str
    """Hexadecimal SHA-256 of the bytes to be signed."""


class TransferPreview(View, frozen=True, kw_only=True):
    """A transfer built and decoded again, not yet asked for. `problems` block it."""

    transaction: bytes
    description: DescriptionView
    fee_ceiling: str
    balance_after: str
    problems: tuple[str, ...]
    valid_for_s: int | None
    warnings: tuple[str, ...] = ()
    """What should be read before asking, and blocks nothing."""
    effects: tuple[FieldView, ...] = ()
    """Changes of balances as the chain's node foresees them: a claim, not a decoding."""


class MovementView(View, frozen=True, kw_only=True):
    """One line of an account's history as its chain tells it; `block` is 0 while it waits."""

    transaction_id: str
    amount: str
    unit: str
    incoming: bool
    block: int
    at_ms: int | None


class MovementsView(View, frozen=True):
    """The newest movements, newest first; () where a chain's nodes keep no such list."""

    lines: tuple[MovementView, ...]


class WalletsView(View, frozen=True):
    wallets: tuple[WalletView, ...]
