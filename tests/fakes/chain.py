"""A Solana cluster in memory behind the real codec; it can be away, forget, and fail."""

import random
from dataclasses import dataclass, field

from solders.hash import Hash

from console.adapters.chains.solana import codec
from console.adapters.chains.solana.adapter import ACCOUNT
from console.application.errors import ChainUnavailable, TransactionRejected
from console.application.ports.chain import (
    Account,
    BuiltTransaction,
    Inclusion,
    InclusionState,
    Payload,
    PublicKeys,
    SignedTransaction,
    TransferIntent,
)
from console.domain.transaction import TransactionDescription
from console.domain.values import Amount, Chain, Network


@dataclass(slots=True)
class FakeCluster:
    """What all members' adapters share. `away` is the chance that a call finds nobody."""

    seed: int = 0
    away: float = 0.0
    accepted: dict[str, bytes] = field(default_factory=dict)
    refuse_with: str = ""
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - a schedule, not a secret

    def require_answer(self) -> None:
        if self._random.random() < self.away:
            raise ChainUnavailable("the cluster does not answer")


_SIGNATURE = 65
"""Bytes of the one signature and its count, before the message."""


class FakeChain:
    """Implements `ChainAdapter` for one member."""

    chain = Chain.SOLANA
    network = Network.DEVNET
    unit = codec.UNIT
    decimals = codec.DECIMALS
    accounts: tuple[Account, ...] = (ACCOUNT,)

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    def address(self, account: Account, keys: PublicKeys) -> str:
        return codec.address_of(keys.public_key(account.kind, account.path))

    def validate_address(self, text: str) -> str:
        return str(codec.parse_address(text))

    def describe(self, transaction: bytes, keys: PublicKeys) -> TransactionDescription:
        return codec.describe_message(transaction, self.network)

    def payloads(self, transaction: bytes, keys: PublicKeys) -> tuple[Payload, ...]:
        codec.parse_message(transaction)
        return (Payload(transaction, ACCOUNT.kind, ACCOUNT.path),)

    def attach(
        self, transaction: bytes, signatures: tuple[bytes, ...], keys: PublicKeys
    ) -> SignedTransaction:
        return codec.attach_signature(transaction, signatures)

    async def build_transaction(self, intent: TransferIntent, keys: PublicKeys) -> BuiltTransaction:
        blockhash = str(Hash.default())
        data = codec.build_transfer(
            keys.public_key(ACCOUNT.kind, ACCOUNT.path),
            intent.to_address,
            intent.amount,
            intent.memo,
            blockhash,
        )
        return BuiltTransaction(data, self.describe(data, keys).fee.base_units, 60)

    async def balance(self, _address: str) -> Amount:
        self._cluster.require_answer()
        return Amount(10**9, self.unit, self.decimals)

    async def broadcast(self, signed: SignedTransaction) -> None:
        self._cluster.require_answer()
        if self._cluster.refuse_with:
            raise TransactionRejected(self._cluster.refuse_with)
        # As on a cluster, another signature of the same message is the same transaction.
        messages = {transaction[_SIGNATURE:] for transaction in self._cluster.accepted.values()}
        if signed.transaction[_SIGNATURE:] not in messages:
            self._cluster.accepted[signed.transaction_id] = signed.transaction

    async def status(self, transaction_id: str) -> Inclusion:
        self._cluster.require_answer()
        if transaction_id in self._cluster.accepted:
            return Inclusion(InclusionState.CONFIRMED, 7)
        return Inclusion(InclusionState.UNKNOWN)

    async def request_faucet(self, _address: str, _base_units: int) -> None:
        self._cluster.require_answer()

    async def close(self) -> None:
        pass
