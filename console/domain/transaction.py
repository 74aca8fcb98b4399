"""A transaction's effects, decoded from its bytes: what policy and people judge."""

from dataclasses import dataclass

from console.domain.values import Amount, Chain, Network


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionDescription:
    """A transaction's effects. `digest` is SHA-256 of the bytes to be signed, 32 bytes.

    `fields` are further decoded facts as (label, value); `red_flags` are dangers in words:
    a transaction with one is never approved by policy alone.
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
