"""The Bitcoin devnet over HTTP is shaped as an Esplora, in its refusals too."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import ClientSession, web
from bitcoin.core import COutPoint, CTransaction, CTxIn, b2lx

from console.devnet.bitcoin.addresses import address_of
from console.devnet.bitcoin.index import Coin
from console.devnet.bitcoin.node import FIRST_BLOCKS, BitcoinDevnet
from console.devnet.bitcoin.routes import add_bitcoin_routes
from tests.contract.chains import served
from tests.unit.bitcoin_clients.spending import ADDRESS, FEE, FUNDING, Purse, pay

GENESIS = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"


@pytest.fixture
def devnet() -> Iterator[BitcoinDevnet]:
    made = BitcoinDevnet()
    yield made
    made.close()


@pytest.fixture
def purse() -> Purse:
    return Purse()


class Caller:
    """Asks the devnet over HTTP."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self.session, self.url = session, url

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.session.get(self.url + path) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            return answer.status, json.loads(text) if is_json else text

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.post(self.url + path, data=data) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            return answer.status, json.loads(text) if is_json else text


@pytest.fixture
async def caller(devnet: BitcoinDevnet) -> AsyncIterator[Caller]:
    app = web.Application()
    add_bitcoin_routes(app.router, devnet, "/bitcoin")
    async with served(app) as url, ClientSession() as session:
        yield Caller(session, f"{url}/bitcoin")


async def test_a_spend_seen_from_outside(caller: Caller, purse: Purse) -> None:
    address = address_of(purse.taproot_script)
    status, gift = await caller.post("/devnet/fund", {"address": address, "sats": FUNDING})
    assert status == 200
    _, (coin,) = await caller.get(f"/address/{address}/utxo")
    assert (coin["txid"], coin["value"]) == (gift["txid"], FUNDING)
    _, height = await caller.get("/blocks/tip/height")
    _, tip = await caller.get("/blocks/tip/hash")
    assert coin["status"]["block_height"] == int(height)
    assert coin["status"]["block_hash"] == tip
    assert (await caller.get(f"/block-height/{height}"))[1] == tip
    assert (await caller.get("/block-height/0"))[1] == GENESIS

    assert (await caller.post("/devnet/automine", {"on": False}))[1] == {"on": False}
    raw = (await caller.get(f"/tx/{gift['txid']}/hex"))[1]
    output = CTransaction.deserialize(bytes.fromhex(raw)).vout[coin["vout"]]
    outpoint = (bytes.fromhex(coin["txid"])[::-1], coin["vout"])
    funded = (outpoint, Coin(output, None))
    transaction = purse.spend([funded])
    _, txid = await caller.post("/tx", transaction.serialize().hex().encode())
    assert txid == b2lx(transaction.GetTxid())
    assert (await caller.get(f"/tx/{txid}/status"))[1] == {"confirmed": False}
    assert (await caller.get(f"/address/{address}/utxo"))[1] == []
    stats = (await caller.get(f"/address/{address}"))[1]
    assert stats["chain_stats"]["funded_txo_sum"] == FUNDING
    assert stats["mempool_stats"]["spent_txo_sum"] == FUNDING
    _, spending = await caller.get(f"/tx/{gift['txid']}/outspend/{coin['vout']}")
    assert (spending["spent"], spending["txid"], spending["vin"]) == (True, txid, 0)
    assert (await caller.get(f"/tx/{txid}/outspend/0"))[1] == {"spent": False}

    assert (await caller.post("/devnet/mine", {"blocks": 2}))[0] == 200
    _, seen = await caller.get(f"/tx/{txid}")
    assert (seen["fee"], seen["status"]["confirmed"]) == (FEE, True)
    assert seen["vin"][0]["prevout"]["scriptpubkey_address"] == address
    assert seen["vin"][0]["witness"] == [transaction.wit.vtxinwit[0].scriptWitness.stack[0].hex()]
    history = (await caller.get(f"/address/{address}/txs"))[1]
    assert [each["txid"] for each in history] == [txid, gift["txid"]]
    assert (await caller.post("/devnet/reorg", {"depth": 2}))[0] == 200
    assert (await caller.get(f"/tx/{txid}/status"))[1] == {"confirmed": False}
    rates = (await caller.get("/fee-estimates"))[1]
    assert all(rate >= 1 for rate in rates.values())


async def test_refusals_are_worded_as_esplora_passes_them_on(caller: Caller) -> None:
    assert await caller.post("/tx", b"zz") == (
        400,
        'sendrawtransaction RPC error: {"code":-22,"message":"TX decode failed"}',
    )
    spend = CTransaction([CTxIn(COutPoint(b"\x01" * 32, 0))], [pay(1000)]).serialize()
    status, text = await caller.post("/tx", spend.hex().encode())
    assert status == 400
    assert '"code":-25,"message":"bad-txns-inputs-missingorspent"' in text


@pytest.mark.parametrize("data", [b"", b"00", b"\xff", b"01" * 60, b"02000000000100"])
async def test_what_is_no_transaction_is_refused(caller: Caller, data: bytes) -> None:
    status, text = await caller.post("/tx", data)
    assert status == 400
    assert "TX decode failed" in text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (f"/tx/{'0' * 64}", 404, "Transaction not found"),
        (f"/tx/{'0' * 64}/hex", 404, "Transaction not found"),
        (f"/tx/{'0' * 64}/outspend/0", 404, "Transaction not found"),
        ("/tx/xyz", 400, "Invalid hex string"),
        (f"/tx/{'0' * 62}", 400, "Invalid hex string"),
        ("/block-height/999999", 404, "Block not found"),
        ("/address/nonsense/utxo", 400, "Invalid Bitcoin address"),
        (f"/address/{ADDRESS[:-1]}x", 400, "Invalid Bitcoin address"),
    ],
)
async def test_wrong_questions(caller: Caller, path: str, status: int, words: str) -> None:
    assert await caller.get(path) == (status, words)


async def test_an_unknown_id_is_not_confirmed(caller: Caller) -> None:
    assert await caller.get(f"/tx/{'0' * 64}/status") == (200, {"confirmed": False})


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("/devnet/fund", {}),
        ("/devnet/fund", {"address": ADDRESS}),
        ("/devnet/fund", {"address": ADDRESS, "sats": 0}),
        ("/devnet/fund", {"address": ADDRESS, "sats": True}),
        ("/devnet/fund", {"address": ADDRESS, "sats": "5"}),
        ("/devnet/fund", {"address": ADDRESS, "sats": 293}),
        ("/devnet/fund", {"address": ADDRESS, "sats": 501 * 10**8}),
        ("/devnet/fund", {"address": "nonsense", "sats": 10**8}),
        ("/devnet/mine", {"blocks": 0}),
        ("/devnet/mine", {"blocks": 1.0}),
        ("/devnet/mine", [1]),
        ("/devnet/reorg", {"depth": 51}),
        ("/devnet/automine", {"on": 1}),
        ("/devnet/automine", b"["),
    ],
)
async def test_wrong_orders_change_nothing(caller: Caller, path: str, order: object) -> None:
    assert (await caller.post(path, order))[0] == 400
    assert (await caller.get("/blocks/tip/height"))[1] == str(FIRST_BLOCKS)
