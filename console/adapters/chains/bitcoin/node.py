"""The nodes of one Bitcoin network, and the check that they are on it."""

import time
from collections.abc import Callable

from console.adapters.chains.bitcoin.core_rpc import CoreRpc
from console.adapters.chains.bitcoin.esplora import Esplora
from console.adapters.chains.bitcoin.horizon import Horizon, Tip, horizon, risen
from console.adapters.chains.bitcoin.sources import BitcoinSource, Sources, checked_txid
from console.adapters.chains.bitcoin.transaction import OutPoint, parse_transaction
from console.application.errors import ChainUnavailable, UnknownTransaction
from console.application.ports.chain import Inclusion, InclusionState
from console.domain.values import Network

CORE_PREFIX = "core+"
"""Prefix of the address of a Bitcoin Core; another address is an Esplora's."""
CONFIRMATIONS = {Network.DEVNET: 1, Network.TESTNET: 2, Network.MAINNET: 6}
GENESIS = {
    Network.MAINNET: frozenset(
        {"000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"}
    ),
    Network.TESTNET: frozenset(
        {
            "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
            "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
            "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
        }
    ),
    Network.DEVNET: frozenset({"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"}),
}
"""Hashes of block 0: the main network; testnet3, testnet4 and signet; regtest."""


def sources_at(urls: tuple[str, ...], timeout_s: float) -> Sources:
    """Return the sources at these addresses as one."""
    return Sources(tuple(_source(url, timeout_s) for url in urls))


SETTLED = {Network.DEVNET: 3, Network.TESTNET: 100, Network.MAINNET: 100}
"""Blocks after which nothing is taken back any more: Bitcoin Core lets coinbases be spent then."""
MAX_SUSPECTS = 1_000
TIP_FRESH_S = 60.0
"""Seconds for which a height is not asked for again beside other questions."""


class BitcoinNode:
    """One network, over all configured nodes. Call `check_network` before any question."""

    def __init__(
        self, network: Network, sources: Sources, now_s: Callable[[], float] = time.time
    ) -> None:
        self._network = network
        self._now_s = now_s
        self._sources = sources
        self._checked = False
        self._suspects: dict[OutPoint, int] = {}
        self._asked_s: float | None = None
        self.tip: Tip | None = None
        """The highest block that any source told, for the horizon; None before the first answer."""

    async def tip_height(self) -> int:
        """Return the height that all sources have, and remember the highest of any.

        A source that lags, or lies, must not make ordinary locks look as if they were to come.
        Raises: ChainUnavailable.
        """
        heights = await self._sources.tip_heights()
        self._asked_s = self._now_s()
        self.tip = risen(self.tip, max(heights), self._asked_s)
        return min(heights)

    async def check_network(self) -> None:
        """Check that the nodes are on this network: other answers are about other coins.

        Raises: ChainUnavailable.
        """
        if not self._checked:
            if await self._sources.block_hash(0) not in GENESIS[self._network]:
                raise ChainUnavailable(f"this Bitcoin node is not on {self._network.value}")
            self._checked = True

    async def spent_for_good(self, transaction: bytes) -> bool:
        """Return whether another transaction spent one of its coins, too deep to be taken back.

        Where no node tells the block, it counts from when it was first seen spent.
        Raises: ChainUnavailable, UnknownTransaction.
        """
        tip = await self.tip_height()
        own = parse_transaction(transaction)
        for outpoint in (each.outpoint for each in own.inputs):
            spent = await self._sources.spent(outpoint.txid[::-1].hex(), outpoint.index)
            if spent is None or spent.txid == own.txid:
                self._suspects.pop(outpoint, None)
                continue
            since = spent.height
            if since is None:
                if len(self._suspects) >= MAX_SUSPECTS:
                    self._suspects.clear()
                since = self._suspects.setdefault(outpoint, tip)
            if tip - since + 1 >= SETTLED[self._network]:
                # A node that names no spender may speak of this very transaction.
                return spent.txid is not None or not await self._is_in_block(own.txid)
        return False

    async def _is_in_block(self, txid: str) -> bool:
        standing = await self._sources.status(txid)
        return standing is not None and standing.height is not None

    async def follow_tip(self) -> None:
        """Ask for the height unless it was told lately. Raises: ChainUnavailable."""
        if self._asked_s is None or not 0 <= self._now_s() - self._asked_s < TIP_FRESH_S:
            await self.tip_height()

    @property
    def horizon(self) -> Horizon:
        """The latest lock times that a signature may wait for."""
        return horizon(self._network, self.tip, self._now_s())

    async def status(self, transaction_id: str) -> Inclusion:
        """Return where a transaction stands. Raises: ChainUnavailable."""
        try:
            checked_txid(transaction_id)
        except UnknownTransaction:
            return Inclusion(InclusionState.UNKNOWN)
        await self.check_network()
        standing = await self._sources.status(transaction_id)
        if standing is None:
            return Inclusion(InclusionState.UNKNOWN)
        if standing.height is None:
            return Inclusion(InclusionState.PENDING)
        depth = await self.tip_height() - standing.height + 1
        final = depth >= CONFIRMATIONS[self._network]
        state = InclusionState.CONFIRMED if final else InclusionState.PENDING
        return Inclusion(state, standing.height, settled=depth >= SETTLED[self._network])


def _source(url: str, timeout_s: float) -> BitcoinSource:
    if url.startswith(CORE_PREFIX):
        return CoreRpc(url.removeprefix(CORE_PREFIX), timeout_s)
    return Esplora(url, timeout_s)
