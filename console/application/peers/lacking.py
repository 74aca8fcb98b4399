"""Members whose share of a wallet does not open: this one by its vault, others by their word."""

from collections.abc import Iterable

from console.application.aggregates import Aggregates
from console.application.peers.messages import MAX_LACKING
from console.application.shares.share_manager import ShareManager
from console.domain.ids import MemberId, WalletId


class LackingShares:
    """What is known since the unlock. It decides whom this node asks, never who may sign."""

    def __init__(self, me: MemberId, aggregates: Aggregates, shares: ShareManager) -> None:
        self._me = me
        self._aggregates = aggregates
        self._shares = shares
        self._told: dict[MemberId, frozenset[str]] = {}

    async def check(self) -> None:
        """Open each share that this member is to hold, once. Raises: HsmError of the vault."""
        for wallet in tuple(self._aggregates.wallets.values()):
            if self._me in wallet.quorum.custodians:
                for kind in wallet.kinds:
                    await self._shares.holds(wallet.wallet, kind, wallet.epoch)

    def own(self, wallet_id: WalletId) -> str:
        """Return why this member's share of a wallet does not open, "" if it does."""
        wallet = self._aggregates.wallets.get(wallet_id)
        if wallet is None or self._me not in wallet.quorum.custodians:
            return ""
        return self._shares.trouble(wallet_id, wallet.kinds, wallet.epoch)

    def all_own(self) -> tuple[WalletId, ...]:
        """Return the wallets whose shares this member lacks, as it tells the others."""
        return tuple(w for w in self._aggregates.wallets if self.own(w))[:MAX_LACKING]

    def told(self, peer: MemberId, wallets: Iterable[str]) -> None:
        """Take a peer's word about its own shares."""
        self._told[peer] = frozenset(wallets)

    def of(self, wallet_id: WalletId) -> frozenset[MemberId]:
        """Return the members that lack their share of a wallet."""
        others = {peer for peer, wallets in self._told.items() if wallet_id in wallets}
        return frozenset(others | ({self._me} if self.own(wallet_id) else set()))
