"""Fees, burnt coins and words of a node that must not pass for something ordinary."""

from typing import Any

import msgspec
import pytest
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.pubkey import Pubkey

from console.adapters.chains.solana import programs, refusals
from console.adapters.chains.solana.fees import MAX_UNITS
from console.adapters.chains.solana.node import MAX_UNIT_PRICE, SolanaNode
from console.adapters.rpc.json_rpc import RpcError, RpcRefused
from console.adapters.rpc.sources import RpcSources
from console.application.errors import ChainUnavailable, InsufficientFunds, TransactionRejected
from console.domain.values import Network
from tests.unit.solana.messages import described, message, paid

MOST = MAX_UNIT_PRICE * MAX_UNITS // 10**6


def flags(price: int, units: int) -> tuple[str, ...]:
    data = message(set_compute_unit_limit(units), set_compute_unit_price(price), paid())
    return described(data).red_flags


def test_a_priority_fee_beyond_what_is_ever_offered_is_a_danger() -> None:
    """A draft of another program names its own fee, which then becomes the request's limit."""
    assert flags(MAX_UNIT_PRICE, MAX_UNITS) == ()
    for price, units in ((MAX_UNIT_PRICE + 1, MAX_UNITS), (10**15, 1_000), ((1 << 64) - 1, 1)):
        assert any("priority fee" in flag for flag in flags(price, units)), (price, units)


@pytest.mark.parametrize("program", sorted(programs.NAMES, key=str))
def test_coins_sent_to_a_program_are_a_danger(program: Pubkey) -> None:
    """The System program's own address is a point of the curve: only its name gives it away."""
    assert any("no key can move" in flag for flag in described(message(paid(to=program))).red_flags)


def refused(kind: object, *logs: str, message: str = "Transaction simulation failed") -> RpcRefused:
    data = msgspec.json.encode({"err": kind, "logs": list(logs)})
    return RpcRefused(RpcError(-32002, message, msgspec.Raw(data)))


@pytest.mark.parametrize(
    "memo",
    ["already been processed", "AlreadyProcessed", "BlockhashNotFound", "Blockhash not found"],
)
def test_a_memo_does_not_decide_what_became_of_a_broadcast(memo: str) -> None:
    """The memo program logs its text, and a refusal comes with the logs."""
    log = f'Program log: Memo (len {len(memo)}): "{memo}"'
    told = refused({"InstructionError": [1, "InvalidAccountData"]}, log)
    assert not refusals.is_known_already(told)
    assert isinstance(refusals.failure(told, b""), TransactionRejected)


def test_what_the_node_itself_says_still_counts() -> None:
    assert refusals.is_known_already(refused("AlreadyProcessed"))
    assert refusals.is_known_already(refused(None, message="has already been processed"))
    poor = refused({"InstructionError": [0, "X"]}, "Transfer: insufficient lamports 1, need 2")
    assert isinstance(refusals.failure(poor, b""), InsufficientFunds)


class OneAnswer(RpcSources):
    """Says the same to every question but the first, which is for the cluster's name."""

    def __init__(self, answer: int) -> None:
        super().__init__("the node", ("http://127.0.0.1:1",), 1)
        self.answer = answer

    async def agreed(self, method: str, params: list[Any], kind: Any) -> Any:
        assert (method, params) != ("", [])
        return "genesis" if kind is str else self.answer


@pytest.mark.parametrize("size", [0, 80, 165, 300])
async def test_a_deposit_of_many_times_the_usual_is_not_believed(size: int) -> None:
    usual = (128 + size) * 6_960
    for honest in (0, usual // 2, usual, 2 * usual):
        node = SolanaNode(Network.DEVNET, OneAnswer(honest), several=False)
        assert await node.deposit(size) == honest
    for lie in (20 * usual, 10**12):
        with pytest.raises(ChainUnavailable, match="deposit"):
            await SolanaNode(Network.DEVNET, OneAnswer(lie), several=False).deposit(size)
