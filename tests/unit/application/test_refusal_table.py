"""The table of refusals in docs/adr/010, row by row: its family, and what becomes of a request."""

import re
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from console.adapters.chains.bitcoin.node import SETTLED, BitcoinNode
from console.adapters.chains.bitcoin.sources import BroadcastRefused, Sources, Spent
from console.adapters.chains.ethereum import refusals as ethereum
from console.adapters.chains.solana import refusals as solana
from console.adapters.chains.solana.message import SIGNATURE_BYTES
from console.adapters.rpc.json_rpc import RpcError, RpcRefused
from console.application import errors
from console.application.errors import TransactionError
from console.application.ports.chain import SignedTransaction
from console.domain.signing_request import OVER, RequestState
from console.domain.values import Network
from tests.unit.application.test_refused_broadcasts import REQUEST, Refusing, offer
from tests.unit.bitcoin.test_lying_nodes import TIP, Node, adapter_over
from tests.unit.bitcoin.wallets import signed, transfer

ADR = Path(__file__).parents[3] / "docs" / "adr" / "010-coins-and-nonces.md"
_ROW = re.compile(
    r"\| (bitcoin|ethereum|solana) \| `([^`]+)`(?:, ([^|]+))? "
    r"\| (\w+) \| (fails|stays open) \| .+ \|"
)


@dataclass(frozen=True)
class Row:
    chain: str
    words: str
    case: str
    family: str
    outcome: str


def rows() -> list[Row]:
    return [Row(*(part or "" for part in found)) for found in _ROW.findall(ADR.read_text())]


ROWS = rows()


def test_the_table_is_read_whole() -> None:
    lines = [line for line in ADR.read_text().splitlines() if line.startswith("| ")]
    assert len(ROWS) == len(lines) - 1
    assert {row.chain for row in ROWS} == {"bitcoin", "ethereum", "solana"}


class Refuses(Node):
    """A node that refuses with a row's words, and tells how the coins were spent."""

    words, told = "", None

    async def send(self, raw: bytes) -> str:
        assert raw
        raise BroadcastRefused(self.words)

    async def status(self, txid: str) -> None:
        assert txid

    async def spent(self, txid: str, number: int) -> Spent | None:
        assert (len(txid), number) == (64, 1)
        return self.told


async def bitcoin_failure(row: Row) -> TransactionError:
    node = Refuses()
    node.words = row.words
    depth = SETTLED[Network.DEVNET]
    if row.case:
        node.told = {
            "coin spent 100 blocks deep": Spent(TIP - depth + 1),
            "coin spent less deep": Spent(TIP - depth + 2),
            "coin not spent": None,
        }[row.case]
    transaction = signed(transfer())
    with pytest.raises(TransactionError) as caught:
        await adapter_over(node).broadcast(
            SignedTransaction(transaction.encode(), transaction.txid)
        )
    return caught.value


async def failure_of(row: Row, monkeypatch: pytest.MonkeyPatch) -> TransactionError:
    if row.chain == "bitcoin":
        return await bitcoin_failure(row)
    refused = RpcRefused(RpcError(-32000, row.words, msgspec.Raw(b"null")))
    if row.chain == "ethereum":
        return ethereum.failure(refused)
    monkeypatch.setattr(solana, "is_lasting", lambda _transaction: bool(row.case))
    return solana.failure(refused, bytes(SIGNATURE_BYTES))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.chain} {row.words} {row.case}")
async def test_each_refusal_does_what_the_table_says(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = await failure_of(row, monkeypatch)
    assert type(refusal) is getattr(errors, row.family)
    ledger = await offer(Refusing(refusal, times=1_000))
    request = ledger.requests[REQUEST]
    if row.outcome == "fails":
        assert request.state is RequestState.FAILED
        assert ledger.held() == frozenset()
    else:
        assert request.state not in OVER
        assert ledger.held()


def test_on_mainnet_a_coin_is_gone_when_coinbases_can_be_spent() -> None:
    assert SETTLED[Network.MAINNET] == 100


async def test_where_no_block_is_told_it_counts_from_when_it_was_first_seen() -> None:
    node = Refuses()
    node.told = Spent(None)
    follower = BitcoinNode(Network.DEVNET, Sources((node,)))
    transaction = signed(transfer()).encode()
    heights = [False, False, True]
    for passed, gone in enumerate(heights):

        async def tip(height: int = TIP + passed) -> int:
            return height

        node.tip_height = tip  # type: ignore[method-assign]
        assert await follower.spent_for_good(transaction) is gone
    node.told = None
    assert not await follower.spent_for_good(transaction)
    node.told = Spent(None)
    assert not await follower.spent_for_good(transaction)
