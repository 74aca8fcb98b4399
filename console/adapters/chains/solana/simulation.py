"""What a node's simulation says would change, written as movements of coins and tokens."""

from collections.abc import Iterator, Mapping

from solders.pubkey import Pubkey

from console.adapters.chains.solana.answers import AccountInfo
from console.adapters.chains.solana.fees import DECIMALS, UNIT
from console.adapters.chains.solana.node import opened
from console.adapters.chains.solana.token_meaning import NOT_KNOWN
from console.adapters.chains.solana.token_state import Holding, parse_holding
from console.application.ports.chain import Asset, BalanceChange


def changes(
    account: Pubkey,
    before: AccountInfo | None,
    after: AccountInfo | None,
    assets: Mapping[str, Asset],
) -> Iterator[BalanceChange]:
    """Yield what changes for one account: coins, and tokens if it holds some.

    Tokens are told by their owner's address. Raises: ChainUnavailable.
    """
    coins = _lamports(after) - _lamports(before)
    if coins:
        yield BalanceChange(address=str(account), amount=coins, unit=UNIT, decimals=DECIMALS)
    held, holds = _holding(before), _holding(after)
    known = holds or held
    if known is None:
        return
    tokens = (holds.amount if holds else 0) - (held.amount if held else 0)
    asset = assets.get(str(known.mint))
    unit, decimals = (asset.unit, asset.decimals) if asset else (NOT_KNOWN, 0)
    if tokens:
        yield BalanceChange(address=str(known.owner), amount=tokens, unit=unit, decimals=decimals)


def _lamports(account: AccountInfo | None) -> int:
    return account.lamports if account else 0


def _holding(account: AccountInfo | None) -> Holding | None:
    return parse_holding(*opened(account)) if account else None
