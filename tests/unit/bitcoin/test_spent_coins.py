"""A request fails only for a coin that another transaction spent in the chain (faults, 13)."""

import pytest

from console.adapters.chains.bitcoin.node import SETTLED, BitcoinNode
from console.adapters.chains.bitcoin.sources import Sources, Spent, Standing
from tests.unit.bitcoin.test_lying_nodes import NETWORK, TIP, Node
from tests.unit.bitcoin.wallets import signed, transfer

OURS = signed(transfer())
OTHER = "77" * 32
DEEP = TIP - SETTLED[NETWORK] + 1


class Tells(Node):
    """A node that tells how each coin was spent, and where our transaction stands."""

    how: Spent | None = None
    standing: Standing | None = None

    async def spent(self, txid: str, number: int) -> Spent | None:
        assert (len(txid), number) == (64, 1)
        return self.how

    async def status(self, txid: str) -> Standing | None:
        assert txid == OURS.txid
        return self.standing


def telling(how: Spent | None, standing: Standing | None = None) -> Tells:
    node = Tells()
    node.how, node.standing = how, standing
    return node


async def gone(*nodes: Tells) -> bool:
    return await BitcoinNode(NETWORK, Sources(nodes)).spent_for_good(OURS.encode())


@pytest.mark.parametrize(
    ("how", "is_gone"),
    [
        (Spent(DEEP, OTHER), True),
        (Spent(DEEP), True),
        (Spent(DEEP + 1, OTHER), False),
        (Spent(DEEP, OURS.txid), False),
        (None, False),
    ],
)
async def test_a_coin_is_gone_when_another_transaction_spent_it(
    how: Spent | None, *, is_gone: bool
) -> None:
    assert await gone(telling(how)) is is_gone


async def test_where_no_spender_is_named_it_may_be_this_very_transaction() -> None:
    assert not await gone(telling(Spent(DEEP), Standing(DEEP, "aa" * 32)))
    assert await gone(telling(Spent(DEEP), Standing(None, None)))


async def test_two_spenders_of_one_coin_are_no_fact() -> None:
    assert await gone(telling(Spent(DEEP, OTHER)), telling(Spent(DEEP, OTHER)))
    assert not await gone(telling(Spent(DEEP, OTHER)), telling(Spent(DEEP, "88" * 32)))
    assert not await gone(telling(Spent(DEEP, OURS.txid)), telling(Spent(DEEP)))
    assert not await gone(telling(Spent(DEEP, OTHER)), telling(None))
