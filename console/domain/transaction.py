"""A transaction's effects, decoded from its bytes: what policy and people judge."""

from dataclasses import dataclass

from console.domain.values import Amount, Chain, Network


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinFlow:
    """Base units of the chain's coin that move in or out of the account that signs, the fee apart.

    `out` must be there for the bytes to be executed; `back` returns by the same execution.
    `pays_fee` is false where another account pays the fee.
    """

    out: int
    back: int = 0
    pays_fee: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionDescription:
    """A transaction's effects. `digest` is SHA-256 of the bytes to be signed, 32 bytes.

    `fields` are further decoded facts as (label, value); `red_flags` are dangers in words:
    a transaction with one is never approved by policy alone. `amount` is for people: it may be
    another account's, such as a Safe's. `flow` is what this account loses and gets; None where
    that is the amount and the fee.
    """

    chain: Chain
    network: Network
    action: str
    from_address: str
    to_address: str
    amount: Amount
    fee: Amount
    fields: tuple[tuple[str, str], ...]
    red_flags: tuple[str, ...]
    digest: bytes
    flow: CoinFlow | None = None
