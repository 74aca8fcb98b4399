"""A Solana cluster in memory behind the real codec; it can be away, forget, and fail."""

import random
from dataclasses import dataclass, field

from solders.hash import Hash

from console.adapters.chains.solana.adapter import SolanaAdapter
from console.application.errors import ChainUnavailable, TransactionRejected
from console.application.ports.chain import (
    Account,
    BuiltTransaction,
    Inclusion,
    InclusionState,
    Intent,
    Movement,
    PublicKeys,
    SignedTransaction,
    Simulation,
    TransferIntent,
)
from console.domain.values import Amount, Network
from tests.fakes import solana_messages as codec


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


class FakeChain(SolanaAdapter):
    """The real adapter's pure half; what needs a node is answered by the cluster in memory."""

    def __init__(self, cluster: FakeCluster) -> None:
        super().__init__(Network.DEVNET, ("http://127.0.0.1:1",))
        self._cluster = cluster

    async def build_transaction(
        self, intent: Intent, keys: PublicKeys, reserved: frozenset[str] = frozenset()
    ) -> BuiltTransaction:
        assert isinstance(intent, TransferIntent)
        account = intent.account
        data = codec.build_transfer(
            keys.public_key(account.kind, account.path),
            intent.to_address,
            intent.amount,
            intent.memo,
            str(Hash.default()),
        )
        return BuiltTransaction(data, self.describe(data, keys).fee.base_units, 60)

    async def simulate(self, transaction: bytes, keys: PublicKeys) -> Simulation | None:
        return None

    async def balance(self, account: Account, keys: PublicKeys, asset: str = "") -> Amount:
        self._cluster.require_answer()
        return Amount(10**9, self.unit, self.decimals)

    async def history(self, account: Account, keys: PublicKeys) -> tuple[Movement, ...]:
        return ()

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

    async def is_used_up(self, transaction: bytes, keys: PublicKeys) -> bool:
        self._cluster.require_answer()
        return False

    async def request_faucet(self, address: str, base_units: int, asset: str = "") -> None:
        self._cluster.require_answer()
