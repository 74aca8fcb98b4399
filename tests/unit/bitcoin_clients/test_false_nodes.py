"""A Bitcoin node that lies, floods, stalls or talks nonsense is unavailable, and nothing worse."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientSession, web
from bitcoin.core import CTransaction, b2lx

from console.adapters.chains.bitcoin.core_rpc import CoreRpc
from console.adapters.chains.bitcoin.esplora import TIMEOUT_S, Esplora, EsploraRefused
from console.adapters.chains.bitcoin.sources import BitcoinSource
from console.application.errors import ChainUnavailable
from console.devnet.bitcoin.node import BitcoinDevnet
from console.devnet.faults import FaultKind
from tests.unit.bitcoin_clients.conftest import SHORT_S
from tests.unit.bitcoin_clients.nodes import HttpNode
from tests.unit.bitcoin_clients.spending import ADDRESS, FUNDING, SPEND, UNKNOWN, Purse

PATIENCE_S = 20
Call = Callable[[BitcoinSource], Awaitable[object]]

CALLS: dict[str, Call] = {
    "tip": lambda s: s.tip_height(),
    "block": lambda s: s.block_hash(5),
    "utxos": lambda s: s.utxos(ADDRESS),
    "raw": lambda s: s.raw_transaction(UNKNOWN),
    "status": lambda s: s.status(UNKNOWN),
    "fees": lambda s: s.fee_estimates(),
    "send": lambda s: s.send(SPEND),
}


NONSENSE = {
    "html": b"<html>502 Bad Gateway</html>",
    "empty": b"",
    "null": b"null",
    "true": b"true",
    "text": b'"ok"',
    "bad utf-8": b'{"result":"\xff\xfe"}',
    "deep": b'{"result":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "cut": b'{"result":{"value":',
    "nan": b'{"result":NaN,"2":NaN}',
    "negative": b'{"result":-5,"2":-5}',
    "float": b'{"result":1.5}',
    "long number": b'{"result":' + b"9" * 5000 + b',"2":' + b"9" * 5000 + b"}",
    "error of the wrong shape": b'{"error":"no"}',
    "no result": b'{"jsonrpc":"2.0","id":1}',
    "list of the wrong type": b'[{"txid":5}]',
    "upper case": b"A" * 64,
    "a key twice": b'{"result":5,"result":6,"2":1,"2":2}',
    "no fees": b"{}",
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", NONSENSE)
async def test_nonsense_is_unavailability(
    node: HttpNode, deceived: BitcoinSource, kind: str, call: str
) -> None:
    node.says(NONSENSE[kind])
    with pytest.raises(ChainUnavailable):
        await CALLS[call](deceived)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [204, 301, 307, 404, 429, 500, 503])
async def test_another_status_is_unavailability(
    node: HttpNode, deceived: BitcoinSource, status: int, call: str
) -> None:
    node.says(b"" if status == 204 else b"5", status, Location="/elsewhere")
    with pytest.raises(ChainUnavailable, match=str(status)):
        await CALLS[call](deceived)
    assert "/elsewhere" not in node.asked


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", [kind for kind in FaultKind if kind not in {"none", "slow"}])
async def test_each_fault_of_the_devnet_is_survived(
    devnet_url: str, esplora: Esplora, devnet: BitcoinDevnet, purse: Purse, kind: str, call: str
) -> None:
    devnet.fund(ADDRESS, FUNDING)
    coin = purse.fill(devnet, purse.taproot_script)
    txid = str(b2lx(coin[0][0]))
    spend = purse.spend([coin]).serialize()
    questions: dict[str, Call] = CALLS | {
        "raw": lambda s: s.raw_transaction(txid),
        "status": lambda s: s.status(txid),
        "send": lambda s: s.send(spend),
    }
    honest = b2lx(CTransaction.deserialize(spend).GetTxid())
    if call != "send":
        honest = await questions[call](esplora)
    async with ClientSession() as session:
        order = {"chain": "bitcoin", "kind": kind}
        async with session.post(f"{devnet_url}/devnet/faults", json=order) as switched:
            assert switched.status == 200
        asked = Esplora(f"{devnet_url}/bitcoin", SHORT_S if kind == "hang" else TIMEOUT_S)
        try:
            async with asyncio.timeout(PATIENCE_S):
                if (kind, call) in TAKEN:
                    told = await questions[call](asked)
                    assert (told == honest) == ((kind, call) not in DECEIVED)
                else:
                    with pytest.raises(ChainUnavailable):
                        await questions[call](asked)
        finally:
            await asked.close()
        async with session.get(f"{devnet_url}/devnet/faults") as state:
            assert (await state.json())["trapped"] == 0


DECEIVED = {("lying-balance", "utxos")}
"""What is well formed and false is for several sources to find; a single one can lie so."""
TAKEN = {
    *DECEIVED,
    *((kind, call) for kind in ("wrong-chain", "lying-balance") for call in CALLS),
    *(("wrong-txid", call) for call in CALLS if call != "send"),
    # These answers are plain texts, without a number or a key that the fault could change.
    *((kind, call) for kind in ("nan", "duplicate-keys") for call in ("block", "raw", "send")),
    ("duplicate-keys", "tip"),
}


async def test_a_flood_is_cut_off(node: HttpNode, deceived: BitcoinSource) -> None:
    node.says(b'{"result":"' + b"0" * (2 << 20) + b'"}')
    with pytest.raises(ChainUnavailable, match="too large"):
        await deceived.tip_height()


async def test_compressed_answers_are_not_unpacked(node: HttpNode, deceived: BitcoinSource) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        response = web.Response(body=b'{"result":5}')
        response.enable_compression(web.ContentCoding.gzip)
        return response

    node.answer = answer
    with pytest.raises(ChainUnavailable):
        await deceived.tip_height()


@pytest.mark.parametrize("call", CALLS)
async def test_a_silent_node_is_given_up(node: HttpNode, hasty: BitcoinSource, call: str) -> None:
    async with node.silent(), asyncio.timeout(PATIENCE_S):
        with pytest.raises(ChainUnavailable):
            await CALLS[call](hasty)


@pytest.mark.parametrize("make", [Esplora, CoreRpc])
async def test_where_nobody_listens_is_unavailability(
    make: Callable[[str], BitcoinSource],
) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        for url in (f"http://127.0.0.1:{held.getsockname()[1]}", "", "nonsense", "http://[::1"):
            client = make(url)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    with pytest.raises(ChainUnavailable):
                        await client.tip_height()
            finally:
                await client.close()


@pytest.mark.parametrize(
    "told",
    [
        {"raw": SPEND.hex()},
        {"raw": SPEND.hex().upper()},
        {"raw": "00"},
        {"raw": "zz"},
        {"raw": ""},
        {"raw": "0" * 900_002},
    ],
)
async def test_bytes_of_another_id_are_not_believed(
    node: HttpNode, deceived: BitcoinSource, told: dict[str, str]
) -> None:
    raw = told["raw"]
    node.says((raw if isinstance(deceived, Esplora) else f'{{"result":"{raw}"}}').encode())
    with pytest.raises(ChainUnavailable):
        await deceived.raw_transaction(UNKNOWN)


async def test_a_node_that_names_another_transaction_is_not_believed(
    node: HttpNode, deceived: BitcoinSource
) -> None:
    node.says((UNKNOWN if isinstance(deceived, Esplora) else f'{{"result":"{UNKNOWN}"}}').encode())
    with pytest.raises(ChainUnavailable, match="another transaction"):
        await deceived.send(SPEND)
    status = f'{{"txid":"{"cd" * 32}","status":{{"confirmed":false}}}}'
    node.says((status if isinstance(deceived, Esplora) else f'{{"result":{status}}}').encode())
    with pytest.raises(ChainUnavailable, match="another transaction"):
        await deceived.status(UNKNOWN)


@pytest.mark.parametrize(
    "status",
    [
        '{"confirmed":true}',
        '{"confirmed":true,"block_height":5}',
        '{"confirmed":true,"block_height":-1,"block_hash":"%s"}',
        '{"confirmed":"yes"}',
        '{"confirmed":true,"block_height":5,"block_hash":"x"}',
    ],
)
async def test_a_confirmation_names_a_block(
    node: HttpNode, deceived: BitcoinSource, status: str
) -> None:
    if isinstance(deceived, Esplora):
        told = status.replace("%s", "ab" * 32)
        node.says(f'{{"txid":"{UNKNOWN}","status":{told}}}'.encode())
        with pytest.raises(ChainUnavailable):
            await deceived.status(UNKNOWN)


@pytest.mark.parametrize(
    "amount",
    [
        "-0.1",
        "2100000000000001",
        "1e400",
        "0.000000001",
        '"NaN"',
        '"Infinity"',
        "null",
        "true",
        "1e-999999",
    ],
)
async def test_an_amount_that_cannot_be_is_not_believed(
    node: HttpNode, deceived: BitcoinSource, amount: str
) -> None:
    coin = f'{{"txid":"{UNKNOWN}","vout":0,"amount":{amount},"value":{amount},"height":5,'
    coin += '"status":{"confirmed":false}}'
    wrapped = f'{{"result":{{"success":true,"unspents":[{coin}]}}}}'
    node.says((f"[{coin}]" if isinstance(deceived, Esplora) else wrapped).encode())
    with pytest.raises(ChainUnavailable):
        await deceived.utxos(ADDRESS)


async def test_a_coin_is_told_of_once(node: HttpNode, deceived: BitcoinSource) -> None:
    coin = f'{{"txid":"{UNKNOWN}","vout":0,"value":5,"status":{{"confirmed":false}}}}'
    if isinstance(deceived, Esplora):
        node.says(f"[{coin},{coin}]".encode())
        with pytest.raises(ChainUnavailable, match="twice"):
            await deceived.utxos(ADDRESS)


@pytest.mark.parametrize(
    "text",
    [
        "no\u202e\n\x1b[31m" + "x" * 5000,
        'sendrawtransaction RPC error: {"code":-26,"message":"no\\u202e\\n' + "x" * 5000 + '"}',
        "sendrawtransaction RPC error: {" + "[" * 50_000,
    ],
)
async def test_a_refusal_cannot_write_on_the_screen(
    node: HttpNode, deceived: BitcoinSource, text: str
) -> None:
    if isinstance(deceived, Esplora):
        node.says(text.encode(), 400)
        with pytest.raises(EsploraRefused) as refusal:
            await deceived.send(SPEND)
        assert str(refusal.value).isprintable()
        assert len(str(refusal.value)) <= 300
