"""Simulations by a node: for show, never for a decision."""

import base64
from collections.abc import Iterator, Mapping

from solders.pubkey import Pubkey

from console.adapters.chains.solana.answers import AccountInfo, SimulatedAnswer
from console.adapters.chains.solana.fees import DECIMALS, UNIT
from console.adapters.chains.solana.message import ParsedMessage, join
from console.adapters.chains.solana.node import COMMITMENT, NODE, SolanaNode, opened
from console.adapters.chains.solana.refusals import simulated_failure
from console.adapters.chains.solana.token_meaning import NOT_KNOWN
from console.adapters.chains.solana.token_state import Holding, parse_holding
from console.application.errors import ChainUnavailable
from console.application.ports.chain import Asset, BalanceChange, Simulation

_ACCOUNTS = 12
"""Accounts whose changes are requested."""


async def simulate(
    node: SolanaNode, message: ParsedMessage, assets: Mapping[str, Asset]
) -> Simulation:
    """Return what would change, or only a failure. Raises: ChainUnavailable."""
    writable = sorted(message.writable, key=str)[:_ACCOUNTS]
    before = await node.accounts(writable)
    options = {
        **COMMITMENT,
        "encoding": "base64",
        "sigVerify": False,
        "replaceRecentBlockhash": False,
        "accounts": {"encoding": "base64", "addresses": [str(key) for key in writable]},
    }
    blank = (bytes(64),) * len(message.signers)
    encoded = base64.b64encode(join(message, blank)).decode()
    answer = await node.told("simulateTransaction", [encoded, options], SimulatedAnswer)
    told = answer.value
    failure = simulated_failure(bytes(told.err), told.logs)
    if failure or told.accounts is None:
        return Simulation(failure)
    if len(told.accounts) != len(writable):
        raise ChainUnavailable(f"{NODE} answers for other accounts")
    triples = zip(writable, before, told.accounts, strict=True)
    return Simulation(
        "", tuple(change for triple in triples for change in _changes(*triple, assets))
    )


def _changes(
    account: Pubkey,
    before: AccountInfo | None,
    after: AccountInfo | None,
    assets: Mapping[str, Asset],
) -> Iterator[BalanceChange]:
    """Yield the changes of one account: of coins, and of tokens if it is a token account.

    A change of tokens names their owner. Raises: ChainUnavailable.
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
