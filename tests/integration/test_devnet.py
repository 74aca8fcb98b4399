"""The devnet answers as a cluster's node would, also to what no wallet should send."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession
from solders.keypair import Keypair

from console.devnet.ethereum.node import EthereumDevnet
from console.devnet.server import MAX_BODY, build_app
from console.devnet.solana.node import MAX_TRANSACTION_BYTES, SolanaDevnet
from tests.contract.chains import served

ADDRESS = str(Keypair.from_seed(bytes([9]) * 32).pubkey())
PARSE, INVALID, METHOD, PARAMS = -32700, -32600, -32601, -32602


class Caller:
    """Posts bytes and reads JSON."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def post(self, body: bytes) -> tuple[int, Any]:
        async with self._session.post(self._url, data=body) as response:
            text = await response.text()
            return response.status, json.loads(text) if response.status == 200 else text

    async def call(self, method: object, params: object = None, call_id: object = 7) -> Any:
        body = {"jsonrpc": "2.0", "id": call_id, "method": method, "params": params}
        status, answer = await self.post(json.dumps(body).encode())
        assert status == 200
        assert answer["id"] == call_id
        return answer


@pytest.fixture
async def devnet() -> AsyncIterator[Caller]:
    app = build_app(SolanaDevnet(), EthereumDevnet())
    async with served(app) as url, ClientSession() as session:
        yield Caller(session, f"{url}/solana")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", PARSE),
        (b"{", PARSE),
        (b"\xff\xfe\x00", PARSE),
        (b"[" * 100_000, PARSE),
        (b"[]", INVALID),
        (b'[{"jsonrpc":"2.0","id":1,"method":"getHealth"}]', INVALID),
        (b'"getHealth"', INVALID),
        (b"5", INVALID),
        (b"null", INVALID),
        (b"{}", INVALID),
        (b'{"method":5}', INVALID),
        (b'{"method":null}', INVALID),
    ],
)
async def test_what_is_no_call_is_refused(devnet: Caller, body: bytes, code: int) -> None:
    status, answer = await devnet.post(body)
    assert status == 200
    assert answer["error"]["code"] == code
    assert (await devnet.call("getHealth"))["result"] == "ok"


async def test_an_unknown_method_is_named(devnet: Caller) -> None:
    answer = await devnet.call("mineBitcoin" + "x" * 500)
    assert answer["error"]["code"] == METHOD
    assert "mineBitcoin" in answer["error"]["message"]
    assert len(answer["error"]["message"]) < 100


@pytest.mark.parametrize("call_id", [0, "a", None, [1], 1.5])
async def test_an_answer_carries_the_callers_id(devnet: Caller, call_id: object) -> None:
    assert (await devnet.call("getSlot", call_id=call_id))["result"] == 1


@pytest.mark.parametrize("params", [{"address": ADDRESS}, "text", 5, True])
async def test_parameters_are_a_list(devnet: Caller, params: object) -> None:
    assert (await devnet.call("getBalance", params))["error"]["code"] == PARAMS


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("getBalance", []),
        ("getBalance", [None]),
        ("getBalance", ["not an address"]),
        ("getBalance", [{"a": 1}]),
        ("requestAirdrop", []),
        ("requestAirdrop", [ADDRESS]),
        ("requestAirdrop", [ADDRESS, 0]),
        ("requestAirdrop", [ADDRESS, True]),
        ("requestAirdrop", [ADDRESS, "5"]),
        ("requestAirdrop", [ADDRESS, 10**16]),
        ("sendTransaction", []),
        ("sendTransaction", [None]),
        ("sendTransaction", ["***"]),
        ("sendTransaction", [5]),
        ("sendTransaction", [base64.b64encode(bytes(100)).decode()]),
        ("sendTransaction", [base64.b64encode(bytes(MAX_TRANSACTION_BYTES + 1)).decode()]),
    ],
)
async def test_wrong_parameters_are_refused(
    devnet: Caller, method: str, params: list[object]
) -> None:
    assert (await devnet.call(method, params))["error"]["code"] == PARAMS


@pytest.mark.parametrize("params", [[], [5], [None], [[None, 5, "x"]], [{}]])
async def test_unknown_signatures_have_no_status(devnet: Caller, params: list[Any]) -> None:
    asked = params[0] if params and isinstance(params[0], list) else []
    answer = await devnet.call("getSignatureStatuses", params)
    assert answer["result"]["value"] == [None] * len(asked)


async def test_a_flood_is_refused_and_the_next_call_answered(devnet: Caller) -> None:
    status, _ = await devnet.post(b" " * (MAX_BODY + 1))
    assert status == 413
    assert (await devnet.call("getHealth"))["result"] == "ok"


async def test_each_gift_arrives_in_a_slot_of_its_own(devnet: Caller) -> None:
    signatures = [
        (await devnet.call("requestAirdrop", [ADDRESS, 10**9]))["result"] for _ in range(3)
    ]
    statuses = (await devnet.call("getSignatureStatuses", [signatures]))["result"]["value"]
    assert [status["slot"] for status in statuses] == [2, 3, 4]
    assert (await devnet.call("getBalance", [ADDRESS]))["result"]["value"] == 3 * 10**9


async def test_two_devnets_are_two_chains() -> None:
    assert SolanaDevnet().answer("getGenesisHash", []) is not None
    for method in ("getSlot", "getHealth"):
        assert SolanaDevnet().answer(method, []) == SolanaDevnet().answer(method, [])
