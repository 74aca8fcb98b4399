"""The questions to a Solana cluster, over all configured nodes."""

from dataclasses import replace
from typing import Final, TypeVar

import msgspec
from solders.hash import Hash, ParseHashError
from solders.pubkey import Pubkey

from console.adapters.chains.solana.answers import (
    AccountAnswer,
    AccountInfo,
    AccountsAnswer,
    BalanceAnswer,
    Blockhash,
    BlockhashAnswer,
    RecentFee,
    Status,
    StatusAnswer,
    Unsigned,
    ValidAnswer,
)
from console.adapters.rpc.json_rpc import RpcRefused
from console.adapters.rpc.sources import RpcSources
from console.application.errors import ChainUnavailable, SourcesDisagree
from console.application.ports.chain import FeeLevel, Inclusion, InclusionState
from console.domain.values import Network

NODE = "the Solana node"
MAINNET_GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
COMMITMENT: Final = {"commitment": "confirmed"}
MAX_UNIT_PRICE = 20_000_000
"""The highest price for a compute unit, whatever a node says: 0.0042 SOL for a transfer."""
_LAMPORTS_PER_BYTE, _OVERHEAD_BYTES = 6_960, 128
"""Of an account's deposit, which is two years' rent (Solana's documentation, "Rent")."""
_MOST_TIMES = 10
_PERCENT = {FeeLevel.ECONOMY: 25, FeeLevel.NORMAL: 50, FeeLevel.FAST: 90}
FINALIZED: Final = {"commitment": "finalized"}
_CONFIRMED = frozenset({"confirmed", "finalized"})
"""A supermajority has voted for the block; 31 later blocks make it final (Solana's documentation,
"Commitment"). A confirmed block has never been taken back, but can be."""
_MAX_ACCOUNTS = 100

T = TypeVar("T")


class SolanaNode:
    """One cluster. Its genesis hash is checked before the first answer is used."""

    def __init__(self, network: Network, sources: RpcSources, several: bool) -> None:
        self._network = network
        self._sources = sources
        self._several = several
        self._checked = False

    async def slot(self) -> int:
        """Return the newest confirmed slot that all nodes have."""
        return min(await self._every("getSlot", [COMMITMENT], Unsigned))

    async def balance(self, account: Pubkey) -> int:
        """Return lamports. Raises: ChainUnavailable, as all questions do."""
        answer = await self._agreed("getBalance", [str(account), COMMITMENT], BalanceAnswer)
        return answer.value

    async def account(self, account: Pubkey) -> tuple[Pubkey, bytes] | None:
        """Return an account's program and data; None if there is no such account."""
        options = {**COMMITMENT, "encoding": "base64"}
        answer = await self._agreed("getAccountInfo", [str(account), options], AccountAnswer)
        return None if answer.value is None else opened(answer.value)

    async def accounts(self, accounts: list[Pubkey]) -> list[AccountInfo | None]:
        """Return several accounts as one node reports them, for show."""
        options = {**COMMITMENT, "encoding": "base64"}
        asked = [str(account) for account in accounts[:_MAX_ACCOUNTS]]
        answer = await self.told("getMultipleAccounts", [asked, options], AccountsAnswer)
        if len(answer.value) != len(asked):
            raise ChainUnavailable(f"{NODE} answers for other accounts")
        return answer.value

    async def deposit(self, size: int) -> int:
        """Return the lamports that an account of `size` bytes must hold.

        A node's answer is bounded: coins above the real deposit would be locked for nothing.
        """
        told = await self._agreed("getMinimumBalanceForRentExemption", [size], Unsigned)
        if told > _MOST_TIMES * _LAMPORTS_PER_BYTE * (_OVERHEAD_BYTES + size):
            raise ChainUnavailable(f"{NODE} asks for a deposit that no cluster asks for")
        return told

    async def blockhash(self) -> Hash:
        """Return a recent blockhash that every node accepts."""
        await self.check_cluster()
        answers = await self._every("getLatestBlockhash", [COMMITMENT], BlockhashAnswer)
        # The oldest: a node that lags knows it too.
        oldest = min((answer.value for answer in answers), key=_height)
        found = _blockhash(oldest.blockhash)
        if self._several:
            # A blockhash of another cluster would make the signed bytes valid there.
            valid = await self._agreed("isBlockhashValid", [str(found), COMMITMENT], ValidAnswer)
            if not valid.value:
                raise SourcesDisagree("the Solana nodes do not take each other's blockhash")
        return found

    async def unit_price(self, level: FeeLevel, accounts: list[Pubkey]) -> int:
        """Return a price for a compute unit, in millionths of a lamport, from 0 to MAX_UNIT_PRICE.

        It is a percentile of recent prices for the same writable accounts, and the lowest of the
        nodes' figures: one false node cannot raise it.
        """
        asked: list[object] = [[str(account) for account in accounts]]
        answers = await self._every("getRecentPrioritizationFees", asked, list[RecentFee])
        prices = (_percentile([e.prioritization_fee for e in a], _PERCENT[level]) for a in answers)
        return min(MAX_UNIT_PRICE, *prices)

    async def status(self, signature: str) -> Inclusion:
        """Return the status of a transaction at the node that knows least of it."""
        await self.check_cluster()
        options = {"searchTransactionHistory": True}
        asked: list[object] = [[signature], options]
        answers = await self._every("getSignatureStatuses", asked, StatusAnswer)
        if any(len(answer.value) != 1 for answer in answers):
            raise ChainUnavailable(f"{NODE} answers for another transaction")
        told = [_inclusion(answer.value[0]) for answer in answers]
        ends = {one.state for one in told} & {InclusionState.CONFIRMED, InclusionState.FAILED}
        if len(ends) > 1:
            raise SourcesDisagree("the Solana nodes disagree on whether the transaction failed")
        known = [one for one in told if one.state is not InclusionState.UNKNOWN]
        if known and (len(known) < len(told) or any(_pending(one) for one in known)):
            return Inclusion(InclusionState.PENDING, max(one.block for one in known))
        return replace(told[0], settled=all(one.settled for one in told))

    async def takes(self, blockhash: Hash) -> bool:
        """Return whether a message with this blockhash can still get into a block.

        It cannot once every node's newest final block refuses it; a blockhash that is too new for
        that block is one of a confirmed block.
        """
        for commitment in (COMMITMENT, FINALIZED):
            asked: list[object] = [str(blockhash), commitment]
            answers = await self._every("isBlockhashValid", asked, ValidAnswer)
            if any(answer.value for answer in answers):
                return True
        return False

    async def final_account(self, account: Pubkey) -> tuple[Pubkey, bytes] | None:
        """Return an account as `account` does, in the newest final block."""
        options = {**FINALIZED, "encoding": "base64"}
        answer = await self._agreed("getAccountInfo", [str(account), options], AccountAnswer)
        return None if answer.value is None else opened(answer.value)

    async def told(self, method: str, params: list[object], kind: type[T]) -> T:
        """Return one node's answer, for show."""
        await self.check_cluster()
        try:
            return await self._sources.any_of(method, params, kind)
        except RpcRefused as refused:
            raise _unavailable(method, refused) from None

    async def found(self, method: str, params: list[object], kind: type[T]) -> T | None:
        """Return one node's answer, None if it is null."""
        answer = await self.told(method, params, msgspec.Raw)
        return None if bytes(answer) == b"null" else self._sources.decode(bytes(answer), kind)

    async def hand_over(self, method: str, params: list[object]) -> str:
        """Send a transaction to all nodes; return the answer of one that accepts it.

        Raises: RpcRefused.
        """
        await self.check_cluster()
        return await self._sources.handed_over(method, params, str)

    async def order(self, method: str, params: list[object]) -> str:
        """Send an order to one node, once: a devnet's faucet. Raises: RpcRefused."""
        await self.check_cluster()
        return await self._sources.any_of(method, params, str)

    async def check_cluster(self) -> None:
        """Check that the cluster is of this network: other answers are about other funds."""
        if self._checked:
            return
        genesis = await self._ask_all("getGenesisHash", [], str)
        if (genesis == MAINNET_GENESIS) != (self._network is Network.MAINNET):
            raise ChainUnavailable(f"this Solana node is not on {self._network.value}")
        self._checked = True

    async def close(self) -> None:
        """Release the connections."""
        await self._sources.close()

    async def _agreed(self, method: str, params: list[object], kind: type[T]) -> T:
        await self.check_cluster()
        return await self._ask_all(method, params, kind)

    async def _ask_all(self, method: str, params: list[object], kind: type[T]) -> T:
        try:
            return await self._sources.agreed(method, params, kind)
        except RpcRefused as refused:
            raise _unavailable(method, refused) from None

    async def _every(self, method: str, params: list[object], kind: type[T]) -> tuple[T, ...]:
        await self.check_cluster()
        try:
            return await self._sources.every(method, params, kind)
        except RpcRefused as refused:
            raise _unavailable(method, refused) from None


def opened(account: AccountInfo) -> tuple[Pubkey, bytes]:
    """Return an account's program and data. Raises: ChainUnavailable."""
    try:
        return Pubkey.from_string(account.owner), account.content()
    except ValueError:
        raise ChainUnavailable(f"{NODE} tells of an account that cannot be read") from None


def _blockhash(text: str) -> Hash:
    try:
        return Hash.from_string(text)
    except ParseHashError:  # it is no ValueError
        raise ChainUnavailable(f"{NODE} gives no valid blockhash") from None


def _unavailable(method: str, refused: RpcRefused) -> ChainUnavailable:
    return ChainUnavailable(f"{NODE} refuses {method}: {refused}")


def _height(blockhash: Blockhash) -> int:
    return blockhash.last_valid_block_height


def _percentile(prices: list[int], percent: int) -> int:
    if not prices:
        return 0
    return sorted(prices)[(len(prices) - 1) * percent // 100]


def _pending(inclusion: Inclusion) -> bool:
    return inclusion.state is InclusionState.PENDING


def _inclusion(status: Status | None) -> Inclusion:
    if status is None:
        return Inclusion(InclusionState.UNKNOWN)
    settled = status.confirmation_status == "finalized"
    failed = bytes(status.err) != b"null"
    if status.confirmation_status not in _CONFIRMED or (failed and not settled):
        # Of a block that is taken back, the same bytes may move the funds later.
        return Inclusion(InclusionState.PENDING, status.slot)
    if failed:
        reason = "the chain executed the transfer and it failed; only the fee was paid"
        return Inclusion(InclusionState.FAILED, status.slot, reason)
    return Inclusion(InclusionState.CONFIRMED, status.slot, settled=settled)
