"""A lock that is still to come is a red flag, by what this node knows (docs/faults.md, 13)."""

import pytest

from console.adapters.chains.bitcoin.horizon import FAR_HEIGHT, Horizon, Tip, horizon
from console.adapters.chains.bitcoin.node import BitcoinNode
from console.adapters.chains.bitcoin.sources import Sources
from console.application.ports.chain import TransferIntent
from console.domain.values import Network
from tests.unit.bitcoin.changes import with_transaction
from tests.unit.bitcoin.test_lying_nodes import NETWORK, SEGWIT, TIP, Node, adapter_over
from tests.unit.bitcoin.wallets import FRIEND, KEYS, transfer

NOVEMBER_2026_S = 1_796_000_000


@pytest.mark.parametrize(
    ("elapsed_s", "height"), [(-9, 906), (0, 906), (299, 906), (300, 907), (86_400, 906 + 288)]
)
def test_a_known_height_grows_while_no_node_is_asked(elapsed_s: int, height: int) -> None:
    now_s = NOVEMBER_2026_S + elapsed_s
    found = horizon(Network.TESTNET, Tip(height=900, at_s=NOVEMBER_2026_S), now_s)
    assert found == Horizon(height=height, time_s=now_s)


def test_before_any_answer_the_main_networks_height_is_estimated() -> None:
    found = horizon(Network.MAINNET, None, NOVEMBER_2026_S)
    usual = 840_000 + (NOVEMBER_2026_S - 1_713_571_767) // 600
    assert usual < found.height < usual + 25_000
    assert horizon(Network.MAINNET, None, 1 << 40).height == FAR_HEIGHT
    for network in (Network.TESTNET, Network.DEVNET):
        assert horizon(network, None, NOVEMBER_2026_S).height == FAR_HEIGHT


async def test_what_a_node_does_not_take_yet_is_flagged_before_anything_is_signed() -> None:
    node = Node()
    node.holds(900_000)
    adapter = adapter_over(node)
    await adapter.balance(SEGWIT, KEYS)
    for lock, flagged in ((TIP, False), (TIP + 5, False), (TIP + 500, True), (3_999_999, True)):
        data = with_transaction(transfer(), locktime=lock)
        flags = adapter.describe(data, KEYS).red_flags
        assert bool(flags) is flagged
        if flagged:
            assert flags == (
                f"The transaction is locked until block {lock}, which is not there yet",
            )
    intent = TransferIntent(account=SEGWIT, to_address=FRIEND, amount=100_000)
    built = await adapter.build_transaction(intent, KEYS)
    assert adapter.describe(built.transaction, KEYS).red_flags == ()


async def test_the_height_is_asked_for_once_a_minute() -> None:
    now = [1_000.0]
    node = Node()
    follower = BitcoinNode(NETWORK, Sources((node,)), lambda: now[0])
    heights = iter((10, 20))

    async def told() -> int:
        return next(heights)

    node.tip_height = told  # type: ignore[method-assign]
    for at_s, height in ((1_000.0, 10), (1_059.0, 10), (1_060.0, 20), (1_100.0, 20)):
        now[0] = at_s
        await follower.follow_tip()
        assert follower.tip is not None
        assert follower.tip.height == height
