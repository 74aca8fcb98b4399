"""Both clients tell the same of one chain, and believe none of what cannot be."""

import pytest
from bitcoin.core import CTransaction, b2lx

from console.adapters.chains.bitcoin.core_rpc import CoreRpc
from console.adapters.chains.bitcoin.esplora import Esplora, EsploraRefused
from console.adapters.chains.bitcoin.sources import (
    FEE_TARGETS,
    BitcoinSource,
    BroadcastRefused,
    Spent,
    Standing,
    Unspent,
)
from console.application.errors import ChainUnavailable, InvalidAddress, UnknownTransaction
from console.devnet.bitcoin.addresses import address_of
from console.devnet.bitcoin.node import BitcoinDevnet
from tests.unit.bitcoin_clients.nodes import CoreDouble, HttpNode
from tests.unit.bitcoin_clients.spending import ADDRESS, FEE, FUNDING, SPEND, UNKNOWN, Purse


def purse_address(purse: Purse) -> str:
    return str(address_of(purse.taproot_script))


async def test_a_payment_from_coin_to_block(
    source: BitcoinSource, devnet: BitcoinDevnet, purse: Purse
) -> None:
    address = purse_address(purse)
    assert await source.utxos(address) == ()
    coin = purse.fill(devnet, purse.taproot_script)
    devnet.mine(3)
    height = await source.tip_height()
    assert height == devnet.chain.height
    txid, number = str(b2lx(coin[0][0])), coin[0][1]
    assert await source.utxos(address) == (Unspent(txid, number, FUNDING, height - 3),)
    block_hash = await source.block_hash(height - 3)
    assert await source.status(txid) == Standing(height - 3, block_hash)
    parent = CTransaction.deserialize(await source.raw_transaction(txid))
    assert parent.vout[number].nValue == FUNDING

    devnet.automine = False
    spend = purse.spend([coin]).serialize()
    sent = await source.send(spend)
    assert await source.send(spend) == sent
    assert await source.raw_transaction(sent) == spend
    assert await source.status(sent) == Standing(None, None)
    assert await source.utxos(address) == ()
    devnet.mine(1)
    assert await source.status(sent) == Standing(height + 1, await source.block_hash(height + 1))
    assert await source.status(UNKNOWN) is None


async def test_a_coin_is_spent_by_a_block(
    source: BitcoinSource, devnet: BitcoinDevnet, purse: Purse
) -> None:
    coin = purse.fill(devnet, purse.taproot_script)
    txid, number = str(b2lx(coin[0][0])), coin[0][1]
    assert await source.spent(txid, number) is None
    assert await source.spent(UNKNOWN, 0) is None
    devnet.automine = False
    spender = await source.send(purse.spend([coin]).serialize())
    # A rival that waits only may be dropped.
    assert await source.spent(txid, number) is None
    devnet.mine(1)
    told = Spent(devnet.chain.height, spender) if isinstance(source, Esplora) else Spent(None)
    assert await source.spent(txid, number) == told


async def test_an_address_was_used_where_an_index_says_so(
    source: BitcoinSource, devnet: BitcoinDevnet, purse: Purse
) -> None:
    address = purse_address(purse)
    assert not await source.was_used(address)
    await source.send(purse.spend([purse.fill(devnet, purse.taproot_script)]).serialize())
    assert await source.was_used(address) is isinstance(source, Esplora)


async def test_a_refusal_is_in_the_nodes_words(
    source: BitcoinSource, devnet: BitcoinDevnet, purse: Purse
) -> None:
    with pytest.raises(BroadcastRefused, match=r"^bad-txns-inputs-missingorspent$"):
        await source.send(SPEND)
    coin = purse.fill(devnet, purse.key_hash_script)
    with pytest.raises(BroadcastRefused, match=r"^min relay fee not met, 0 < "):
        await source.send(purse.spend([coin], fee=0).serialize())


async def test_a_reorganisation_is_seen(
    source: BitcoinSource, devnet: BitcoinDevnet, purse: Purse
) -> None:
    txid = await source.send(purse.spend([purse.fill(devnet, purse.taproot_script)]).serialize())
    standing = await source.status(txid)
    assert standing is not None
    assert standing.height is not None
    devnet.reorg(1)
    assert await source.status(txid) == Standing(None, None)
    assert await source.block_hash(standing.height) != standing.block_hash


async def test_what_is_no_id_or_address_is_not_asked(
    deceived: BitcoinSource, node: HttpNode
) -> None:
    for text in ("", "ab" * 31, "AB" * 32, "../" + "a" * 61, "é" * 64):
        with pytest.raises(UnknownTransaction):
            await deceived.status(text)
        with pytest.raises(UnknownTransaction):
            await deceived.raw_transaction(text)
    for raw in (b"", SPEND[:-1], SPEND + b"\x00", b"\xff" * 60, bytes(400_001)):
        with pytest.raises(UnknownTransaction):
            await deceived.send(raw)
    for address in ("", "../../devnet", "bc1q?a=b", "x" * 91, "bcrt1qé" + "q" * 30):
        with pytest.raises(InvalidAddress):
            await deceived.utxos(address)
    assert node.asked == []


async def test_an_address_of_another_network_is_refused_by_core(core: CoreRpc) -> None:
    with pytest.raises(InvalidAddress):
        await core.utxos("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")


async def test_a_height_that_is_not_there_is_unavailability(source: BitcoinSource) -> None:
    with pytest.raises(ChainUnavailable):
        await source.block_hash(999_999)


async def test_an_unknown_transaction_has_no_bytes(source: BitcoinSource) -> None:
    with pytest.raises(ChainUnavailable):
        await source.raw_transaction(UNKNOWN)


async def test_history_tells_what_came_and_went(
    esplora: Esplora, core: CoreRpc, devnet: BitcoinDevnet, purse: Purse
) -> None:
    coin = purse.fill(devnet, purse.taproot_script)
    devnet.automine = False
    sent = await esplora.send(purse.spend([coin]).serialize())
    gone, came = await esplora.transactions(purse_address(purse))
    assert (gone.txid, gone.change, gone.height, gone.time_s) == (sent, -FUNDING, None, None)
    assert (came.change, came.height) == (FUNDING, devnet.chain.height)
    assert came.time_s == devnet.chain.blocks[-1].nTime
    assert await core.transactions(purse_address(purse)) == ()


async def test_fees_are_whole_numbers_for_each_target(esplora: Esplora) -> None:
    assert await esplora.fee_estimates() == {2: 5000, 6: 2000, 144: 1000}


@pytest.mark.parametrize(
    ("told", "fees"),
    [
        (b'{"2":87.882,"6":1.0271,"144":1}', {2: 87_882, 6: 1028, 144: 1000}),
        (b'{"1":9,"3":5,"25":1.5}', {2: 9000, 6: 5000, 144: 1500}),
        (b'{"504":2.0}', {2: 2000, 6: 2000, 144: 2000}),
    ],
)
async def test_what_estimates_mean(
    node: HttpNode, deceived: BitcoinSource, told: bytes, fees: dict[int, int]
) -> None:
    if isinstance(deceived, Esplora):
        node.says(told)
        assert await deceived.fee_estimates() == fees


async def test_core_estimates_or_names_the_least(core: CoreRpc, core_double: CoreDouble) -> None:
    assert await core.fee_estimates() == dict.fromkeys(FEE_TARGETS, 1000)
    core_double.estimates = {2: "0.00012345", 144: "0.00000100"}
    assert await core.fee_estimates() == {2: 12_345, 6: 1000, 144: 1000}


async def test_what_is_sent_is_what_was_signed(
    esplora: Esplora, devnet: BitcoinDevnet, purse: Purse
) -> None:
    spend = purse.spend([purse.fill(devnet, purse.key_hash_script)])
    txid = await esplora.send(spend.serialize())
    placed = devnet.chain.placed[bytes.fromhex(txid)[::-1]]
    assert placed.transaction.serialize() == spend.serialize()
    assert sum(coin.output.nValue for coin in placed.spent) - spend.vout[0].nValue == FEE


async def test_the_devnets_faucet_gives_or_says_why_not(
    esplora: Esplora, devnet: BitcoinDevnet
) -> None:
    await esplora.fund(ADDRESS, FUNDING)
    (coin,) = await esplora.utxos(ADDRESS)
    assert (coin.value, coin.height) == (FUNDING, devnet.chain.height)
    with pytest.raises(EsploraRefused, match="does not give that much"):
        await esplora.fund(ADDRESS, 0)
    with pytest.raises(InvalidAddress):
        await esplora.fund("not an address", FUNDING)


async def test_core_answers_what_was_asked(
    core: CoreRpc, core_double: CoreDouble, purse: Purse, devnet: BitcoinDevnet
) -> None:
    coin = purse.fill(devnet, purse.taproot_script)
    txid = str(b2lx(coin[0][0]))
    core_double.changes["getblockheader"] = {"hash": UNKNOWN}
    with pytest.raises(ChainUnavailable, match="another block"):
        await core.status(txid)
    # The block left the chain between the two questions.
    core_double.changes["getblockheader"] = {"confirmations": -1}
    assert await core.status(txid) == Standing(None, None)
    core_double.changes["scantxoutset"] = {"success": False}
    with pytest.raises(ChainUnavailable, match="all coins"):
        await core.utxos(ADDRESS)


@pytest.mark.parametrize("method", ["scantxoutset", "getrawtransaction", "getmempoolinfo"])
async def test_a_question_that_core_refuses_is_unavailability(
    core: CoreRpc, core_double: CoreDouble, method: str
) -> None:
    core_double.refused.add(method)
    asked = {
        "scantxoutset": core.utxos(ADDRESS),
        "getrawtransaction": core.status(UNKNOWN),
        "getmempoolinfo": core.fee_estimates(),
    }
    for name, question in asked.items():
        if name == method:
            with pytest.raises(ChainUnavailable, match="warming up"):
                await question
        else:
            await question
