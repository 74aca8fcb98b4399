"""Each fault switch, seen by a plain HTTP client that believes nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout
from bitcoin.core import CTransaction, b2lx
from eth_account import Account
from solders.keypair import Keypair

from console.devnet.bitcoin.addresses import address_of
from console.devnet.bitcoin.index import Coin
from console.devnet.bitcoin.node import BitcoinDevnet
from console.devnet.ethereum.node import EthereumDevnet
from console.devnet.faults import CHAINS, FLOOD_BYTES, FaultKind
from console.devnet.lies import FACTOR, MAINNET
from console.devnet.server import build_app
from console.devnet.solana.node import SolanaDevnet
from tests.contract.chains import served
from tests.unit.bitcoin_clients.spending import FUNDING, Purse

KEY = Account.from_key(b"\x07" * 32)
SOLANA_KEY = Keypair.from_seed(bytes([7]) * 32)
PURSE = Purse()
BITCOIN_ADDRESS = str(address_of(PURSE.taproot_script))
PATIENCE_S = 20
KINDS = [kind for kind in FaultKind if kind is not FaultKind.NONE]

MONEY = {
    "ethereum": ("eth_getBalance", [KEY.address, "latest"]),
    "solana": ("getBalance", [str(SOLANA_KEY.pubkey())]),
    "bitcoin": ("", f"/address/{BITCOIN_ADDRESS}/utxo"),
}
PLACE = {
    "ethereum": ("eth_chainId", []),
    "solana": ("getGenesisHash", []),
    "bitcoin": ("", "/block-height/0"),
}


class Devnet:
    """A devnet with a funded account on each chain, and the bodies it answers."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self.session, self.url = session, url

    async def ask(self, chain: str, question: tuple[str, Any]) -> tuple[int, bytes]:
        method, params = question
        if chain == "bitcoin":
            return await self.request("GET", f"/bitcoin{params}")
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return await self.request("POST", f"/{chain}", json.dumps(body).encode())

    async def request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        async with self.session.request(
            method, self.url + path, data=body, allow_redirects=False
        ) as answer:
            return answer.status, await answer.read()

    async def fault(self, chain: str, kind: str, **more: object) -> dict[str, Any]:
        order = {"chain": chain, "kind": kind, **more}
        status, body = await self.request("POST", "/devnet/faults", json.dumps(order).encode())
        assert status == 200
        told: dict[str, Any] = json.loads(body)
        return told

    async def state(self) -> dict[str, Any]:
        _, body = await self.request("GET", "/devnet/faults")
        state: dict[str, Any] = json.loads(body)
        return state


@asynccontextmanager
async def funded() -> AsyncIterator[Devnet]:
    app = build_app(SolanaDevnet(), EthereumDevnet(), BitcoinDevnet())
    async with served(app) as url, ClientSession(timeout=ClientTimeout(PATIENCE_S)) as session:
        made = Devnet(session, url)
        await made.ask("ethereum", ("devnet_fund", [KEY.address, hex(10**18)]))
        await made.ask("solana", ("requestAirdrop", [str(SOLANA_KEY.pubkey()), 10**9]))
        order = {"address": BITCOIN_ADDRESS, "sats": FUNDING}
        await made.request("POST", "/bitcoin/devnet/fund", json.dumps(order).encode())
        yield made


@pytest.fixture
async def devnet() -> AsyncIterator[Devnet]:
    async with funded() as made:
        yield made


def amount_in(chain: str, body: bytes) -> int:
    answer = json.loads(body)
    match chain:
        case "ethereum":
            return int(answer["result"], 16)
        case "solana":
            return int(answer["result"]["value"])
    return int(answer[0]["value"])


@pytest.mark.parametrize("chain", CHAINS)
async def test_a_balance_can_lie_and_be_honest_again(devnet: Devnet, chain: str) -> None:
    honest = amount_in(chain, (await devnet.ask(chain, MONEY[chain]))[1])
    assert honest > 0
    await devnet.fault(chain, "lying-balance")
    assert amount_in(chain, (await devnet.ask(chain, MONEY[chain]))[1]) == FACTOR * honest
    await devnet.fault(chain, "none")
    assert amount_in(chain, (await devnet.ask(chain, MONEY[chain]))[1]) == honest


async def test_a_tokens_balance_can_lie_too(devnet: Devnet) -> None:
    token = EthereumDevnet().token
    await devnet.ask("ethereum", ("devnet_fundToken", [token, KEY.address, hex(70)]))
    owner = KEY.address.removeprefix("0x").rjust(64, "0")
    call = {"from": KEY.address, "to": token, "data": f"0x70a08231{owner}"}
    await devnet.fault("ethereum", "lying-balance")
    _, body = await devnet.ask("ethereum", ("eth_call", [call, "latest"]))
    assert json.loads(body)["result"] == f"0x{70 * FACTOR:064x}"
    decimals = call | {"data": "0x313ce567"}
    _, body = await devnet.ask("ethereum", ("eth_call", [decimals, "latest"]))
    assert int(json.loads(body)["result"], 16) == 6


@pytest.mark.parametrize("chain", CHAINS)
async def test_a_lie_about_money_leaves_the_rest_alone(devnet: Devnet, chain: str) -> None:
    honest = await devnet.ask(chain, PLACE[chain])
    await devnet.fault(chain, "lying-balance")
    assert await devnet.ask(chain, PLACE[chain]) == honest


@pytest.mark.parametrize("chain", CHAINS)
async def test_a_chain_can_claim_to_be_the_public_one(devnet: Devnet, chain: str) -> None:
    honest = await devnet.ask(chain, MONEY[chain])
    await devnet.fault(chain, "wrong-chain")
    status, body = await devnet.ask(chain, PLACE[chain])
    told = body.decode() if chain == "bitcoin" else json.loads(body)["result"]
    assert (status, told) == (200, MAINNET[chain])
    assert await devnet.ask(chain, MONEY[chain]) == honest


@pytest.mark.parametrize("chain", CHAINS)
async def test_other_chains_go_on_being_honest(devnet: Devnet, chain: str) -> None:
    others = [other for other in CHAINS if other != chain]
    honest = [await devnet.ask(other, MONEY[other]) for other in others]
    told = await devnet.fault(chain, "error-500")
    assert told["faults"] == dict.fromkeys(CHAINS, "none") | {chain: "error-500"}
    assert [await devnet.ask(other, MONEY[other]) for other in others] == honest
    assert (await devnet.ask(chain, MONEY[chain]))[0] == 500


@pytest.mark.parametrize("chain", CHAINS)
async def test_garbage_and_html_are_no_json(devnet: Devnet, chain: str) -> None:
    for kind in ("garbage", "html"):
        await devnet.fault(chain, kind)
        status, body = await devnet.ask(chain, MONEY[chain])
        assert status == 200
        with pytest.raises(ValueError):
            json.loads(body)
    assert b"<html>" in body


@pytest.mark.parametrize("chain", CHAINS)
async def test_nan_stands_where_a_number_was(devnet: Devnet, chain: str) -> None:
    await devnet.fault(chain, "nan")
    status, body = await devnet.ask(chain, MONEY[chain])
    assert status == 200
    assert b"NaN" in body

    def refuse(_text: str) -> None:
        raise ValueError("no JSON")

    with pytest.raises(ValueError, match="no JSON"):
        json.loads(body, parse_constant=refuse)


@pytest.mark.parametrize("chain", CHAINS)
async def test_keys_are_named_twice_with_another_amount(devnet: Devnet, chain: str) -> None:
    honest = amount_in(chain, (await devnet.ask(chain, MONEY[chain]))[1])
    await devnet.fault(chain, "duplicate-keys")
    _, body = await devnet.ask(chain, MONEY[chain])
    seen: list[list[str]] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen.append([name for name, _ in pairs])
        return dict(pairs)

    # A reader that takes the last of each is lied to, one that takes the first is not.
    assert json.loads(body, object_pairs_hook=keep)
    assert any(len(set(names)) < len(names) for names in seen)
    assert amount_in(chain, body) == FACTOR * honest


@pytest.mark.parametrize("chain", CHAINS)
async def test_a_redirect_leads_into_a_trap(devnet: Devnet, chain: str) -> None:
    await devnet.fault(chain, "redirect")
    assert (await devnet.ask(chain, MONEY[chain]))[0] == 307
    assert (await devnet.state())["trapped"] == 0
    path = f"/bitcoin{MONEY[chain][1]}" if chain == "bitcoin" else f"/{chain}"
    async with devnet.session.post(devnet.url + path, data=b"{}") as answer:
        assert answer.status == 200
    assert (await devnet.state())["trapped"] == 1


@pytest.mark.parametrize("chain", CHAINS)
async def test_a_flood_is_as_long_as_it_says_and_can_be_left(devnet: Devnet, chain: str) -> None:
    await devnet.fault(chain, "huge")
    path = f"/bitcoin{MONEY[chain][1]}" if chain == "bitcoin" else f"/{chain}"
    method = "GET" if chain == "bitcoin" else "POST"
    async with devnet.session.request(method, devnet.url + path, data=b"{}") as answer:
        got = 0
        async for piece in answer.content.iter_any():
            got += len(piece)
            if got > 4 << 20:
                break
        answer.close()
    assert got < FLOOD_BYTES
    await devnet.fault(chain, "none")
    assert (await devnet.ask(chain, MONEY[chain]))[0] == 200


async def test_a_whole_flood_is_a_hundred_megabytes(devnet: Devnet) -> None:
    await devnet.fault("solana", "huge")
    async with devnet.session.post(f"{devnet.url}/solana", data=b"{}") as answer:
        got = 0
        async for piece in answer.content.iter_any():
            got += len(piece)
    assert got >= FLOOD_BYTES


@pytest.mark.parametrize("chain", CHAINS)
async def test_a_hanging_node_says_nothing_and_lets_go(devnet: Devnet, chain: str) -> None:
    await devnet.fault(chain, "hang")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await devnet.ask(chain, MONEY[chain])
    await devnet.fault(chain, "none")
    assert (await devnet.ask(chain, MONEY[chain]))[0] == 200


@pytest.mark.parametrize("chain", CHAINS)
async def test_a_slow_node_answers_in_the_end(devnet: Devnet, chain: str) -> None:
    honest = await devnet.ask(chain, MONEY[chain])
    await devnet.fault(chain, "slow", seconds=0.3)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await devnet.ask(chain, MONEY[chain]) == honest
    assert loop.time() - began >= 0.3


async def test_a_broadcast_on_bitcoin_is_given_another_name(devnet: Devnet) -> None:
    _, (coin,) = await _json(devnet, f"/address/{BITCOIN_ADDRESS}/utxo")
    _, raw = await devnet.request("GET", f"/bitcoin/tx/{coin['txid']}/hex")
    gift = CTransaction.deserialize(bytes.fromhex(raw.decode()))
    outpoint = (bytes.fromhex(coin["txid"])[::-1], coin["vout"])
    spend = PURSE.spend([(outpoint, Coin(gift.vout[coin["vout"]], None))])
    await devnet.fault("bitcoin", "wrong-txid")
    _, told = await devnet.request("POST", "/bitcoin/tx", spend.serialize().hex().encode())
    txid = b2lx(spend.GetTxid())
    assert len(told) == len(txid)
    assert told.decode() != txid
    # It was taken all the same.
    assert (await _json(devnet, f"/tx/{txid}/status"))[1]["confirmed"]


async def test_a_broadcast_on_ethereum_is_given_another_name(devnet: Devnet) -> None:
    chain_id = int(json.loads((await devnet.ask("ethereum", PLACE["ethereum"]))[1])["result"], 16)
    signed = KEY.sign_transaction(
        {
            "type": 2,
            "chainId": chain_id,
            "nonce": 0,
            "to": KEY.address,
            "value": 1,
            "gas": 21_000,
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 1,
        }
    )
    await devnet.fault("ethereum", "wrong-txid")
    raw = f"0x{signed.raw_transaction.hex()}"
    _, body = await devnet.ask("ethereum", ("eth_sendRawTransaction", [raw]))
    told, txid = json.loads(body)["result"], f"0x{signed.hash.hex()}"
    assert len(told) == len(txid)
    assert told != txid
    _, receipt = await devnet.ask("ethereum", ("eth_getTransactionReceipt", [txid]))
    assert json.loads(receipt)["result"]["transactionHash"] == txid


async def test_a_refused_broadcast_stays_refused(devnet: Devnet) -> None:
    for chain in CHAINS:
        await devnet.fault(chain, "wrong-txid")
    assert (await devnet.request("POST", "/bitcoin/tx", b"00"))[0] == 400
    for chain, method in (("ethereum", "eth_sendRawTransaction"), ("solana", "sendTransaction")):
        _, body = await devnet.ask(chain, (method, ["0x00"]))
        assert "error" in json.loads(body)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_devnets_own_orders_are_never_wrong(devnet: Devnet, kind: str) -> None:
    for chain in CHAINS:
        await devnet.fault(chain, kind)
    status, body = await devnet.request("POST", "/bitcoin/devnet/mine", b'{"blocks":1}')
    assert (status, list(json.loads(body))) == (200, ["height"])
    _, body = await devnet.ask("ethereum", ("devnet_fund", [KEY.address, "0x1"]))
    assert json.loads(body)["result"].startswith("0x")
    assert (await devnet.request("POST", "/solana/expire-blockhash"))[0] == 200


@pytest.mark.parametrize(
    "order",
    [
        b"",
        b"{}",
        b"[]",
        b"[" * 50_000,
        b'{"chain":"solana"}',
        b'{"chain":"dogecoin","kind":"none"}',
        b'{"chain":"solana","kind":"odd"}',
        b'{"chain":["solana"],"kind":"none"}',
        b'{"chain":"solana","kind":["slow"]}',
        b'{"chain":"solana","kind":"slow","seconds":-1}',
        b'{"chain":"solana","kind":"slow","seconds":601}',
        b'{"chain":"solana","kind":"slow","seconds":true}',
        b'{"chain":"solana","kind":"slow","seconds":NaN}',
        b'{"chain":"solana","kind":"slow","seconds":"1"}',
        b'{"chain":"solana","kind":"none","more":1}',
    ],
)
async def test_what_is_no_order_changes_nothing(devnet: Devnet, order: bytes) -> None:
    assert (await devnet.request("POST", "/devnet/faults", order))[0] == 400
    assert (await devnet.state())["faults"] == dict.fromkeys(CHAINS, "none")


async def test_two_devnets_have_faults_of_their_own() -> None:
    async with funded() as one, funded() as two:
        await one.fault("ethereum", "lying-balance")
        bodies = [await devnet.ask("ethereum", MONEY["ethereum"]) for devnet in (one, two)]
        first, second = (amount_in("ethereum", body) for _, body in bodies)
        assert first == FACTOR * second


async def _json(devnet: Devnet, path: str) -> tuple[int, Any]:
    status, body = await devnet.request("GET", f"/bitcoin{path}")
    return status, json.loads(body)
