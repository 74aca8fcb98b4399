"""A lock that is far ahead is a red flag, by what this node knows (docs/faults.md, 13)."""

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
TWO_WEEKS = 2_016
"""In blocks of ten minutes."""


@pytest.mark.parametrize(
    ("elapsed_s", "height"), [(-9, 900), (0, 900), (299, 900), (300, 901), (86_400, 900 + 288)]
)
def test_a_known_height_grows_while_no_node_is_asked(elapsed_s: int, height: int) -> None:
    now_s = NOVEMBER_2026_S + elapsed_s
    found = horizon(Network.TESTNET, Tip(height=900, at_s=NOVEMBER_2026_S), now_s)
    assert found == Horizon(height=height + TWO_WEEKS, time_s=now_s + TWO_WEEKS * 600)


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
    for lock, flagged in (
        (TIP, False),
        (TIP + 2_016, False),
        (TIP + 2_100, True),
        (3_999_999, True),
    ):
        data = with_transaction(transfer(), locktime=lock)
        flags = adapter.describe(data, KEYS).red_flags
        assert bool(flags) is flagged
        if flagged:
            assert flags == (f"The transaction is locked until block {lock}, which is far ahead",)
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


def lagging(height: int) -> Node:
    """A node that tells the same coins and its own height."""
    node = Node()
    node.holds(900_000)

    async def told() -> int:
        return height

    node.tip_height = told  # type: ignore[method-assign]
    return node


@pytest.mark.parametrize("low", [0, TIP - 100, TIP - 7])
async def test_a_source_that_lags_or_lies_makes_no_ordinary_payment_dangerous(low: int) -> None:
    built = await adapter_over(lagging(TIP + 3_000)).build_transaction(
        TransferIntent(account=SEGWIT, to_address=FRIEND, amount=100_000), KEYS
    )
    signer = adapter_over(lagging(TIP + 3_000), lagging(low))
    await signer.balance(SEGWIT, KEYS)
    assert signer.describe(built.transaction, KEYS).red_flags == ()


async def test_the_horizon_never_sinks_and_ages_while_no_new_block_is_told() -> None:
    now = [float(NOVEMBER_2026_S)]
    node = Node()
    told = [900]

    async def height() -> int:
        return told[0]

    node.tip_height = height  # type: ignore[method-assign]
    follower = BitcoinNode(Network.TESTNET, Sources((node,)), lambda: now[0])
    for _ in range(121):
        await follower.follow_tip()
        now[0] += 60
    # Two hours at one height, asked for every minute: at the usual pace 12 blocks have passed.
    assert follower.horizon.height >= 900 + TWO_WEEKS + 12
    told[0] = 100
    assert await follower.tip_height() == 100
    assert follower.horizon.height >= 900 + TWO_WEEKS + 12


def test_when_all_nodes_lag_the_main_network_is_taken_at_its_usual_pace() -> None:
    tip = Tip(height=840_000, at_s=NOVEMBER_2026_S)
    usual = 840_000 + (NOVEMBER_2026_S - 1_713_571_767) // 600
    assert horizon(Network.MAINNET, tip, NOVEMBER_2026_S).height == usual + TWO_WEEKS


def test_a_false_height_moves_the_horizon_to_a_bound_and_no_further() -> None:
    tip = Tip(height=499_999_999, at_s=NOVEMBER_2026_S)
    assert horizon(Network.TESTNET, tip, NOVEMBER_2026_S).height == FAR_HEIGHT
