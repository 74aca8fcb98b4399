"""A Solana node that lies, floods, stalls or talks nonsense is unavailable, and nothing worse."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest
from aiohttp import web
from solders.keypair import Keypair

from console.adapters.chains.solana.adapter import ACCOUNT, SolanaAdapter
from console.adapters.chains.solana.node import MAINNET_GENESIS
from console.application.errors import (
    AdapterError,
    ChainUnavailable,
    InsufficientFunds,
    TransactionRejected,
)
from console.application.ports.chain import (
    Asset,
    DurableIntent,
    Inclusion,
    InclusionState,
    SignedTransaction,
    TransferIntent,
)
from console.domain.values import Amount, Network
from tests.contract.chains import served
from tests.contract.keys import SigningKey
from tests.fakes.false_node import FalseNode
from tests.fakes.solana_messages import build_transfer

KEY = Keypair.from_seed(bytes([7]) * 32)
ADDRESS = str(KEY.pubkey())
SHORT_S = 0.4
PATIENCE_S = 10
DEEP = b'{"result":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
Call = Callable[[SolanaAdapter], Awaitable[object]]

KEYS = SigningKey(KEY)
TOKEN = Asset(str(Keypair.from_seed(bytes([8]) * 32).pubkey()), "USDQ", 6)
MESSAGE = build_transfer(bytes(KEY.pubkey()), ADDRESS, 5, "", "1" * 32)


def _balance(adapter: SolanaAdapter) -> Awaitable[Amount]:
    return adapter.balance(ACCOUNT, KEYS)


def _transfer(asset: str = "", *, durable: bool = False) -> TransferIntent:
    return TransferIntent(
        account=ACCOUNT, to_address=ADDRESS, amount=5, asset=asset, durable=durable
    )


CALLS: dict[str, Call] = {
    "balance": _balance,
    "token balance": lambda a: a.balance(ACCOUNT, KEYS, TOKEN.address),
    "build": lambda a: a.build_transaction(_transfer(), KEYS),
    "build of tokens": lambda a: a.build_transaction(_transfer(TOKEN.address), KEYS),
    "durable build": lambda a: a.build_transaction(_transfer(durable=True), KEYS),
    "nonce": lambda a: a.build_transaction(DurableIntent(ACCOUNT), KEYS),
    "simulate": lambda a: a.simulate(MESSAGE, KEYS),
    "history": lambda a: a.history(ACCOUNT, KEYS),
    "broadcast": lambda a: a.broadcast(SignedTransaction(b"\x01", "id")),
    "status": lambda a: a.status("id"),
    "faucet": lambda a: a.request_faucet(ADDRESS, 5),
    "token faucet": lambda a: a.request_faucet(ADDRESS, 5, TOKEN.address),
}


UNKNOWN = {"value": [None]}
"""What a node answers about a signature that it has never seen."""


class SolanaNode(FalseNode):
    """Answers the cluster check honestly and everything else as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.genesis: object = "11111111111111111111111111111111"
        self.statuses: object = None

    def results(self, result: object) -> None:
        self.says(json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode())

    def refuses(self, message: str, data: object = None) -> None:
        error = {"code": -32002, "message": message, "data": data}
        self.says(json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode())

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method = json.loads(await request.read())["method"]
        self.asked.append(method)
        if method == "getGenesisHash" and self.genesis is not None:
            return web.json_response({"result": self.genesis})
        if method == "getSignatureStatuses" and self.statuses is not None:
            return web.json_response({"result": self.statuses})
        return await self.answer(request)


@pytest.fixture
async def node() -> SolanaNode:
    return SolanaNode()


@pytest.fixture
async def adapter(node: SolanaNode) -> AsyncIterator[SolanaAdapter]:
    app = web.Application()
    app.router.add_post("/", node.handle)
    app.router.add_get("/elsewhere", node.handle)
    async with served(app) as url:
        made = SolanaAdapter(Network.DEVNET, (url,), (TOKEN,), timeout_s=SHORT_S)
        try:
            yield made
        finally:
            await made.close()


NONSENSE = {
    "html": b"<html>502 Bad Gateway</html>",
    "empty": b"",
    "null": b"null",
    "list": b"[]",
    "text": b'"ok"',
    "bad utf-8": b'{"result":"\xff\xfe"}',
    "bad utf-8 key": b'{"\xff":1,"result":null}',
    "deep": DEEP,
    "cut": b'{"result":{"value":',
    "nan": b'{"result":{"value":NaN}}',
    "error of the wrong shape": b'{"error":"no"}',
    "error code of the wrong type": b'{"error":{"code":"x","message":5}}',
    "no result": b'{"jsonrpc":"2.0","id":1}',
    "null result": b'{"jsonrpc":"2.0","id":1,"result":null}',
    "result of the wrong type": b'{"result":[1,2,3]}',
    "value of the wrong type": b'{"result":{"value":"5"}}',
    "negative": b'{"result":{"value":-5}}',
    "float": b'{"result":{"value":1.5}}',
    "huge": b'{"result":{"value":' + b"9" * 40 + b"}}",
    "true": b'{"result":{"value":true}}',
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", NONSENSE)
async def test_nonsense_is_unavailability(
    node: SolanaNode, adapter: SolanaAdapter, kind: str, call: str
) -> None:
    node.says(NONSENSE[kind])
    with pytest.raises(ChainUnavailable):
        await CALLS[call](adapter)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [204, 301, 404, 429, 500, 503])
async def test_another_status_is_unavailability(
    node: SolanaNode, adapter: SolanaAdapter, status: int, call: str
) -> None:
    node.says(b"" if status == 204 else b'{"result":{"value":5}}', status, Location="/elsewhere")
    with pytest.raises(ChainUnavailable, match=str(status)):
        await CALLS[call](adapter)


async def test_a_redirect_is_not_followed(node: SolanaNode, adapter: SolanaAdapter) -> None:
    node.says(b"", 307, Location="/elsewhere")
    with pytest.raises(ChainUnavailable):
        await _balance(adapter)
    assert node.asked == ["getGenesisHash", "getBalance"]


async def test_a_flood_is_cut_off(node: SolanaNode, adapter: SolanaAdapter) -> None:
    node.says(b'{"result":{"value":5},"more":"' + b"x" * (2 << 20) + b'"}')
    with pytest.raises(ChainUnavailable, match="too large"):
        await _balance(adapter)


async def test_a_flood_without_end_is_left(node: SolanaNode, adapter: SolanaAdapter) -> None:
    sent = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            while sent < 100 << 20:
                await response.write(b" " * 65_536)
                sent += 65_536
        return response

    node.answer = answer
    with pytest.raises(ChainUnavailable, match="too large"):
        await _balance(adapter)
    assert sent < 20 << 20


async def test_an_answer_in_many_pieces_is_read_whole(
    node: SolanaNode, adapter: SolanaAdapter
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b'{"result":', b'{"value"', b":5,", b'"more":"' + b"x" * 300_000, b'"}}'):
            await response.write(piece)
            await asyncio.sleep(0)
        await response.write_eof()
        return response

    node.answer = answer
    assert (await _balance(adapter)).base_units == 5


async def test_compressed_answers_are_not_unpacked(
    node: SolanaNode, adapter: SolanaAdapter
) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        response = web.json_response({"result": {"value": 5}})
        response.enable_compression(web.ContentCoding.gzip)
        return response

    node.answer = answer
    with pytest.raises(ChainUnavailable):
        await _balance(adapter)


@pytest.mark.parametrize("call", CALLS)
async def test_a_silent_node_is_given_up(
    node: SolanaNode, adapter: SolanaAdapter, call: str
) -> None:
    async with node.silent(), asyncio.timeout(PATIENCE_S):
        with pytest.raises(ChainUnavailable):
            await CALLS[call](adapter)


async def test_a_node_that_drips_is_given_up(node: SolanaNode, adapter: SolanaAdapter) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b" ")
            await asyncio.sleep(SHORT_S / 10)
        return response

    node.answer = answer
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(ChainUnavailable):
            await _balance(adapter)


@pytest.mark.parametrize("call", CALLS)
async def test_where_nobody_listens_is_unavailability(call: str) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        adapter = SolanaAdapter(Network.DEVNET, (url,), (TOKEN,))
        try:
            async with asyncio.timeout(PATIENCE_S):
                with pytest.raises(ChainUnavailable):
                    await CALLS[call](adapter)
        finally:
            await adapter.close()


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\n", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\na: b\x00\r\n\r\n"]
)
async def test_what_is_no_http_is_unavailability(said: bytes) -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        adapter = SolanaAdapter(Network.DEVNET, (f"http://127.0.0.1:{port}",), timeout_s=SHORT_S)
        try:
            with pytest.raises(ChainUnavailable):
                await _balance(adapter)
        finally:
            await adapter.close()


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1/", "http://", "http://[::1"])
async def test_a_url_that_is_none_is_unavailability(url: str) -> None:
    adapter = SolanaAdapter(Network.DEVNET, (url,), (TOKEN,), timeout_s=SHORT_S)
    try:
        with pytest.raises(ChainUnavailable):
            await _balance(adapter)
    finally:
        await adapter.close()


async def test_a_node_that_names_another_transaction_is_not_believed(
    node: SolanaNode, adapter: SolanaAdapter
) -> None:
    node.results("another id")
    with pytest.raises(ChainUnavailable, match="another transaction"):
        await adapter.broadcast(SignedTransaction(b"\x01", "id"))


@pytest.mark.parametrize("value", [[], [None, None], [{"slot": -1}], [{"slot": "5"}], [5]])
async def test_a_status_of_the_wrong_shape_is_unavailability(
    node: SolanaNode, adapter: SolanaAdapter, value: list[object]
) -> None:
    node.results({"value": value})
    with pytest.raises(ChainUnavailable):
        await adapter.status("id")


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (None, InclusionState.UNKNOWN),
        ({"slot": 5, "confirmationStatus": None, "err": None}, InclusionState.PENDING),
        ({"slot": 5, "confirmationStatus": "processed", "err": None}, InclusionState.PENDING),
        ({"slot": 5, "confirmationStatus": "odd", "err": None}, InclusionState.PENDING),
        ({"slot": 5, "confirmationStatus": "confirmed", "err": None}, InclusionState.CONFIRMED),
        ({"slot": 5, "confirmationStatus": "finalized", "err": None}, InclusionState.CONFIRMED),
        (
            {"slot": 5, "confirmationStatus": "finalized", "err": {"NewKind": [1, {"x": 2}]}},
            InclusionState.FAILED,
        ),
        # The block may be taken back, and the same bytes move the funds in another.
        (
            {"slot": 5, "confirmationStatus": "confirmed", "err": {"NewKind": [1, {"x": 2}]}},
            InclusionState.PENDING,
        ),
    ],
)
async def test_what_a_status_means(
    node: SolanaNode, adapter: SolanaAdapter, value: object, state: InclusionState
) -> None:
    node.results({"value": [value]})
    inclusion = await adapter.status("id")
    assert inclusion.state is state
    young = isinstance(value, dict) and value["confirmationStatus"] == "confirmed"
    settled = not (young and state is InclusionState.CONFIRMED)
    assert inclusion == Inclusion(state, 5 if value else 0, inclusion.reason, settled=settled)


@pytest.mark.parametrize("value", ["", "not a hash", "é" * 30, "z" * 44])
async def test_a_false_blockhash_is_unavailability(
    node: SolanaNode, adapter: SolanaAdapter, value: str
) -> None:
    node.results({"value": {"blockhash": value, "lastValidBlockHeight": 5}})
    with pytest.raises(ChainUnavailable, match="no valid blockhash"):
        await CALLS["build"](adapter)


@pytest.mark.parametrize(
    ("message", "data", "family"),
    [
        ("insufficient funds for instruction", None, InsufficientFunds),
        ("x", {"err": {"InsufficientFundsForRent": {"account_index": 1}}}, TransactionRejected),
        ("x", {"err": "SomethingNew", "logs": 5}, TransactionRejected),
        ("x", "a string", TransactionRejected),
        ("x", {"err": {"Deep": [[[1]]]}, "logs": ["a", "b"]}, TransactionRejected),
    ],
)
async def test_what_a_refusal_means(
    node: SolanaNode, adapter: SolanaAdapter, message: str, data: object, family: type[AdapterError]
) -> None:
    node.refuses(message, data)
    node.statuses = UNKNOWN
    with pytest.raises(family) as refusal:
        await adapter.broadcast(SignedTransaction(b"\x01", "id"))
    assert type(refusal.value) is family


async def test_a_refusal_cannot_write_on_the_screen(
    node: SolanaNode, adapter: SolanaAdapter
) -> None:
    node.refuses("no\u202e\n\x1b[31m" + "x" * 5000)
    node.statuses = UNKNOWN
    with pytest.raises(TransactionRejected) as refusal:
        await adapter.broadcast(SignedTransaction(b"\x01", "id"))
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("message", ["Blockhash not found", "insufficient funds", "x"])
async def test_what_may_have_been_executed_is_not_said_to_be_refused(
    node: SolanaNode, adapter: SolanaAdapter, message: str
) -> None:
    node.refuses(message)
    with pytest.raises(ChainUnavailable):
        await adapter.broadcast(SignedTransaction(b"\x01", "id"))
    node.statuses = {"value": [{"slot": 5, "confirmationStatus": "finalized", "err": None}]}
    await adapter.broadcast(SignedTransaction(b"\x01", "id"))


async def test_a_refused_question_is_unavailability(
    node: SolanaNode, adapter: SolanaAdapter
) -> None:
    node.refuses("Node is behind by 150 slots")
    with pytest.raises(ChainUnavailable, match="behind"):
        await _balance(adapter)


@pytest.mark.parametrize("genesis", [MAINNET_GENESIS, 5, [], {}])
async def test_another_cluster_is_asked_nothing(
    node: SolanaNode, adapter: SolanaAdapter, genesis: object
) -> None:
    node.genesis = genesis
    node.results({"value": 5})
    with pytest.raises(ChainUnavailable):
        await _balance(adapter)
    assert node.asked == ["getGenesisHash"]


async def test_a_node_that_recovers_is_used_again(node: SolanaNode, adapter: SolanaAdapter) -> None:
    node.says(b"<html>")
    with pytest.raises(ChainUnavailable):
        await _balance(adapter)
    node.results({"value": 5})
    assert (await _balance(adapter)).base_units == 5
    assert node.asked.count("getGenesisHash") == 1
