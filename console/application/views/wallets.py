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
    """A wallet's account on one chain. Balance texts are empty while unknown.

    `balance_base_units` is decimal text: amounts of coins exceed the integers of the encoding.
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
    """Abilities beyond a plain transfer: memo, call, message, lasting, accelerate."""
    export: str = ""
    """The input of a watch-only wallet: an output descriptor, or the address."""
    durable: bool = False
    """Whether transfers can be made here that stay valid: what they need exists on the chain."""
    import_form: str = ""
    """The noun for an import from another program: "An unsigned message"."""


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
    """A transaction decoded from the bytes to be signed, never from typed fields.

    `red_flags` are dangers, for people; a flag never hides a field.
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
    """A transfer built and decoded again, not yet proposed. `problems` block it."""

    transaction: bytes
    description: DescriptionView
    fee_ceiling: str
    balance_after: str
    problems: tuple[str, ...]
    valid_for_s: int | None
    warnings: tuple[str, ...] = ()
    """Warnings before proposing; they block nothing."""
    effects: tuple[FieldView, ...] = ()
    """Balance changes that the chain's node predicts: a claim, not a decoding."""


class MovementView(View, frozen=True, kw_only=True):
    """One line of an account's history from its chain; `block` is 0 while unconfirmed."""

    transaction_id: str
    amount: str
    unit: str
    incoming: bool
    block: int
    at_ms: int | None


class MovementsView(View, frozen=True):
    """The newest movements, newest first; () where a chain's nodes keep no history."""

    lines: tuple[MovementView, ...]


class WalletsView(View, frozen=True):
    wallets: tuple[WalletView, ...]
