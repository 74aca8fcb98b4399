"""A Solana node that lies about one thing, alone or beside an honest one."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from solders.account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from console.adapters.chains.solana.adapter import ACCOUNT, SolanaAdapter
from console.adapters.chains.solana.nonce import nonce_address
from console.application.errors import (
    BlockhashExpired,
    ChainUnavailable,
    SourcesDisagree,
    TransactionRejected,
)
from console.application.ports.chain import (
    Asset,
    DurableIntent,
    InclusionState,
    SignedTransaction,
    TransferIntent,
)
from console.devnet.failure import RpcFailure
from console.devnet.solana.node import SolanaDevnet
from console.devnet.solana.tokens import TOKEN_PROGRAMS, associated
from console.domain.errors import NotYetPossible
from console.domain.values import Network
from tests.contract.chains import served
from tests.contract.keys import SigningKey
from tests.fakes.solana_messages import build_transfer

KEYS = SigningKey(Keypair.from_seed(bytes([7]) * 32))
ADDRESS = str(KEYS.keypair.pubkey())
FRIEND = str(Keypair.from_seed(bytes([8]) * 32).pubkey())
MESSAGE = build_transfer(bytes(KEYS.keypair.pubkey()), FRIEND, 5, "", "1" * 32)
SIGNED = SignedTransaction(b"\1" + bytes(64) + MESSAGE, "1" * 64)
PLAIN = TransferIntent(account=ACCOUNT, to_address=FRIEND, amount=10**7)
DURABLE = TransferIntent(account=ACCOUNT, to_address=FRIEND, amount=10**7, durable=True)
ANOTHER_HASH = "4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi"


class Node:
    """A devnet behind HTTP; `lies` are the answers to some methods."""

    def __init__(self, chain: SolanaDevnet) -> None:
        self.chain = chain
        self.lies: dict[str, Any] = {}

    async def handle(self, request: web.Request) -> web.Response:
        call = json.loads(await request.read())
        method = call["method"]
        try:
            found = self.chain.answer(method, call["params"])
        except RpcFailure as failure:
            error = {"code": failure.code, "message": str(failure), "data": failure.data}
            found, told = None, {"error": error}
        else:
            told = {"result": found}
        if method in self.lies:
            lie = self.lies[method]
            told = {"error": lie} if isinstance(lie, dict) and "code" in lie else {"result": lie}
        return web.json_response({"jsonrpc": "2.0", "id": call["id"], **told})


@pytest.fixture
async def chain() -> SolanaDevnet:
    return SolanaDevnet()


@pytest.fixture
async def nodes(chain: SolanaDevnet) -> tuple[Node, Node]:
    return Node(chain), Node(chain)


@pytest.fixture
async def urls(nodes: tuple[Node, Node]) -> AsyncIterator[tuple[str, str]]:
    app = web.Application()
    for number, node in enumerate(nodes):
        app.router.add_post(f"/{number}", node.handle)
    async with served(app) as url:
        yield f"{url}/0", f"{url}/1"


@pytest.fixture
async def dollars(chain: SolanaDevnet) -> Asset:
    return Asset(str(chain.answer("devnet_createMint", ["USDQ", 6])), "USDQ", 6)


@pytest.fixture
async def alone(urls: tuple[str, str], dollars: Asset) -> AsyncIterator[SolanaAdapter]:
    adapter = SolanaAdapter(Network.DEVNET, urls[:1], (dollars,))
    await adapter.request_faucet(ADDRESS, 10**9)
    yield adapter
    await adapter.close()


@pytest.fixture
async def both(urls: tuple[str, str], dollars: Asset) -> AsyncIterator[SolanaAdapter]:
    adapter = SolanaAdapter(Network.DEVNET, urls, (dollars,))
    await adapter.request_faucet(ADDRESS, 10**9)
    yield adapter
    await adapter.close()


def _account(data: bytes, owner: str = "1" * 32, lamports: int = 5) -> object:
    told = [base64.b64encode(data).decode(), "base64"]
    return {"value": {"lamports": lamports, "owner": owner, "data": told}}


ODD_ACCOUNTS: dict[str, object] = {
    "no value": {},
    "text": {"value": "x"},
    "no owner": {"value": {"lamports": 5, "data": ["", "base64"]}},
    "owner that is none": _account(b"", owner="0" * 32),
    "short owner": _account(b"", owner="1"),
    "long owner": _account(b"", owner="1" * 60),
    "lamports below zero": _account(b"", lamports=-1),
    "another encoding": {"value": {"lamports": 5, "owner": "1" * 32, "data": ["", "base58"]}},
    "parsed": {"value": {"lamports": 5, "owner": "1" * 32, "data": {"parsed": {}}}},
    "bad base64": {"value": {"lamports": 5, "owner": "1" * 32, "data": ["A", "base64"]}},
    "not base64": {"value": {"lamports": 5, "owner": "1" * 32, "data": ["%%%%", "base64"]}},
    "much": _account(bytes(50_000)),
}


@pytest.mark.parametrize("case", ODD_ACCOUNTS)
async def test_an_odd_account_is_unavailability(
    nodes: tuple[Node, Node], alone: SolanaAdapter, dollars: Asset, case: str
) -> None:
    nodes[0].lies["getAccountInfo"] = ODD_ACCOUNTS[case]
    with pytest.raises((ChainUnavailable, NotYetPossible)) as durable:
        await alone.build_transaction(DURABLE, KEYS)
    # An account that can be read and is no nonce account is passed over.
    assert isinstance(durable.value, ChainUnavailable) or case == "much"
    with pytest.raises(ChainUnavailable):
        await alone.balance(ACCOUNT, KEYS, dollars.address)


async def test_a_nonce_of_another_is_not_used(
    nodes: tuple[Node, Node], alone: SolanaAdapter
) -> None:
    state = (1).to_bytes(4, "little") * 2 + bytes([9]) * 32 + bytes([5]) * 32 + bytes(8)
    nodes[0].lies["getAccountInfo"] = _account(state)
    with pytest.raises(NotYetPossible):
        await alone.build_transaction(DURABLE, KEYS)


async def test_a_token_account_of_another_holds_nothing(
    nodes: tuple[Node, Node], alone: SolanaAdapter, chain: SolanaDevnet, dollars: Asset
) -> None:
    chain.answer("devnet_fundToken", [dollars.address, FRIEND, 5])
    assert (await alone.balance(ACCOUNT, KEYS, dollars.address)).base_units == 0
    chain.answer("devnet_fundToken", [dollars.address, ADDRESS, 7])
    assert (await alone.balance(ACCOUNT, KEYS, dollars.address)).base_units == 7
    mint = Pubkey.from_string(dollars.address)
    place = associated(KEYS.keypair.pubkey(), mint, TOKEN_PROGRAMS["token"])
    account = chain.runtime.account(place)
    assert account is not None
    # The wallet's account was given away: what it holds is another's.
    given = account.data[:32] + bytes([9]) * 32 + account.data[64:]
    chain.runtime.put(place, Account(account.lamports, given, account.owner))
    assert (await alone.balance(ACCOUNT, KEYS, dollars.address)).base_units == 0


@pytest.mark.parametrize(
    "fees", [5, {}, [5], [{}], [{"prioritizationFee": -1}], [{"prioritizationFee": 1 << 80}]]
)
async def test_odd_fees_are_unavailability(
    nodes: tuple[Node, Node], alone: SolanaAdapter, fees: object
) -> None:
    nodes[0].lies["getRecentPrioritizationFees"] = fees
    with pytest.raises(ChainUnavailable):
        await alone.build_transaction(PLAIN, KEYS)


@pytest.mark.parametrize("deposit", [-1, "5", None, 1 << 70, [], {"value": 5}])
async def test_an_odd_deposit_is_unavailability(
    nodes: tuple[Node, Node], alone: SolanaAdapter, deposit: object
) -> None:
    nodes[0].lies["getMinimumBalanceForRentExemption"] = deposit
    with pytest.raises(ChainUnavailable):
        await alone.build_transaction(DurableIntent(ACCOUNT), KEYS)


@pytest.mark.parametrize(
    "value",
    [
        {"err": None, "accounts": []},
        {"err": None, "accounts": [None] * 3},
        {"err": None, "accounts": [{}, {}]},
        {"err": None, "accounts": 5},
        {"err": None, "logs": [5]},
        "x",
    ],
)
async def test_an_odd_simulation_is_unavailability(
    nodes: tuple[Node, Node], alone: SolanaAdapter, value: object
) -> None:
    nodes[0].lies["simulateTransaction"] = {"value": value}
    with pytest.raises(ChainUnavailable):
        await alone.simulate(MESSAGE, KEYS)


@pytest.mark.parametrize(
    "err", ["SomethingNew", {"SomethingNew": [1, {"x": [None]}]}, [[[]]], 5, "\u202eevil\n" * 500]
)
async def test_an_unknown_failure_is_a_sentence(
    nodes: tuple[Node, Node], alone: SolanaAdapter, err: object
) -> None:
    nodes[0].lies["simulateTransaction"] = {"value": {"err": err, "logs": ["a"] * 1000}}
    simulation = await alone.simulate(MESSAGE, KEYS)
    assert simulation is not None
    assert simulation.failure.isprintable()
    assert 0 < len(simulation.failure) < 300
    nodes[0].lies["sendTransaction"] = {"code": 5, "message": "no", "data": {"err": err}}
    with pytest.raises(TransactionRejected):
        await alone.broadcast(SIGNED)


@pytest.mark.parametrize(
    "lie",
    [
        {},
        [5],
        [{"signature": "x", "slot": 5}],
        [{"signature": "1" * 64, "slot": -5}],
        [{"signature": "1" * 64, "slot": 5, "blockTime": 1 << 60}],
    ],
)
async def test_an_odd_history_is_unavailability(
    nodes: tuple[Node, Node], alone: SolanaAdapter, lie: object
) -> None:
    nodes[0].lies["getSignaturesForAddress"] = lie
    with pytest.raises(ChainUnavailable):
        await alone.history(ACCOUNT, KEYS)


@pytest.mark.parametrize(
    ("lie", "lines"),
    [
        (None, 0),
        ({"transaction": {"message": {"accountKeys": [ADDRESS]}}, "meta": None}, 0),
        (
            {
                "transaction": {"message": {"accountKeys": [ADDRESS, ADDRESS]}},
                "meta": {"preBalances": [5], "postBalances": [7, 9, 11]},
            },
            1,
        ),
    ],
)
async def test_a_history_with_gaps_is_shorter(
    nodes: tuple[Node, Node], alone: SolanaAdapter, lie: object, lines: int
) -> None:
    nodes[0].lies["getTransaction"] = lie
    assert len(await alone.history(ACCOUNT, KEYS)) == lines
    nodes[0].lies["getTransaction"] = {"transaction": 5}
    with pytest.raises(ChainUnavailable):
        await alone.history(ACCOUNT, KEYS)


async def test_a_history_is_never_longer_than_asked(
    nodes: tuple[Node, Node], alone: SolanaAdapter
) -> None:
    entry = {"signature": "1" * 64, "slot": 5, "blockTime": 5}
    nodes[0].lies["getSignaturesForAddress"] = [entry] * 500
    nodes[0].lies["getTransaction"] = {
        "transaction": {"message": {"accountKeys": [ADDRESS]}},
        "meta": {"preBalances": [5], "postBalances": [7]},
    }
    assert len(await alone.history(ACCOUNT, KEYS)) == 10


LIES: dict[str, object] = {
    "getBalance": {"value": 5 * 10**9},
    "getGenesisHash": ANOTHER_HASH,
}


@pytest.mark.parametrize("method", LIES)
@pytest.mark.parametrize("liar", [0, 1])
async def test_one_node_that_lies_is_found_out(
    nodes: tuple[Node, Node],
    urls: tuple[str, str],
    method: str,
    liar: int,
) -> None:
    nodes[liar].lies[method] = LIES[method]
    adapter = SolanaAdapter(Network.DEVNET, urls)
    try:
        with pytest.raises(SourcesDisagree):
            await adapter.balance(ACCOUNT, KEYS)
    finally:
        await adapter.close()


async def test_slots_may_differ(nodes: tuple[Node, Node], both: SolanaAdapter) -> None:
    nodes[1].lies["getBalance"] = {"context": {"slot": 99_999}, "value": 10**9}
    assert (await both.balance(ACCOUNT, KEYS)).base_units == 10**9


async def test_a_nonce_that_one_node_makes_up_is_not_used(
    nodes: tuple[Node, Node], both: SolanaAdapter
) -> None:
    made = await both.build_transaction(DurableIntent(ACCOUNT), KEYS)
    payload = both.payloads(made.transaction, KEYS)[0]
    await both.broadcast(both.attach(made.transaction, (KEYS.sign(payload),), KEYS))
    assert (await both.build_transaction(DURABLE, KEYS)).valid_for_s is None
    key = KEYS.keypair.pubkey()
    account = nodes[0].chain.runtime.account(nonce_address(key, 0))
    assert account is not None
    state = bytearray(account.data)
    state[45] ^= 1
    nodes[1].lies["getAccountInfo"] = _account(bytes(state), lamports=account.lamports)
    with pytest.raises(SourcesDisagree):
        await both.build_transaction(DURABLE, KEYS)


async def test_a_blockhash_of_another_cluster_is_not_used(
    nodes: tuple[Node, Node], both: SolanaAdapter
) -> None:
    value = {"blockhash": ANOTHER_HASH, "lastValidBlockHeight": 5}
    nodes[0].lies["getLatestBlockhash"] = {"value": value}
    nodes[0].lies["isBlockhashValid"] = {"value": True}
    with pytest.raises(SourcesDisagree):
        await both.build_transaction(PLAIN, KEYS)
    nodes[0].lies["isBlockhashValid"] = {"value": False}
    with pytest.raises(SourcesDisagree):
        await both.build_transaction(PLAIN, KEYS)


async def test_a_node_that_lies_about_fees_cannot_make_them_dear(
    nodes: tuple[Node, Node], both: SolanaAdapter
) -> None:
    nodes[0].lies["getRecentPrioritizationFees"] = [{"slot": 1, "prioritizationFee": 10**9}] * 5
    built = await both.build_transaction(PLAIN, KEYS)
    assert built.fee_ceiling == 5_000


def _status(kind: str | None, slot: int = 5, err: object = None) -> object:
    if kind is None:
        return {"value": [None]}
    return {"value": [{"slot": slot, "confirmationStatus": kind, "err": err}]}


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        (_status(None), _status(None), InclusionState.UNKNOWN),
        (_status("confirmed"), _status(None), InclusionState.PENDING),
        (_status(None), _status("finalized"), InclusionState.PENDING),
        (_status("processed"), _status("finalized"), InclusionState.PENDING),
        (_status("confirmed"), _status("finalized"), InclusionState.CONFIRMED),
        (_status("confirmed", err="X"), _status("finalized", err="Y"), InclusionState.PENDING),
        (_status("finalized", err="X"), _status("finalized", err="Y"), InclusionState.FAILED),
        (_status("confirmed", err="X"), _status(None), InclusionState.PENDING),
    ],
)
async def test_a_status_is_what_all_nodes_have_seen(
    nodes: tuple[Node, Node],
    both: SolanaAdapter,
    first: object,
    second: object,
    state: InclusionState,
) -> None:
    for node, told in zip(nodes, (first, second), strict=True):
        node.lies["getSignatureStatuses"] = told
    assert (await both.status("id")).state is state


async def test_nodes_that_disagree_on_a_failure_are_not_believed(
    nodes: tuple[Node, Node], both: SolanaAdapter
) -> None:
    nodes[0].lies["getSignatureStatuses"] = _status("finalized")
    nodes[1].lies["getSignatureStatuses"] = _status("finalized", err="X")
    with pytest.raises(SourcesDisagree):
        await both.status("id")


async def test_one_node_that_takes_a_transaction_is_enough(
    nodes: tuple[Node, Node], both: SolanaAdapter
) -> None:
    data = (await both.build_transaction(PLAIN, KEYS)).transaction
    signed = both.attach(data, (KEYS.sign(both.payloads(data, KEYS)[0]),), KEYS)
    nodes[0].lies["sendTransaction"] = {"code": -32005, "message": "Node is behind"}
    await both.broadcast(signed)
    assert (await both.status(signed.transaction_id)).state is InclusionState.CONFIRMED


async def test_a_refusal_of_what_is_in_a_block_is_no_refusal(
    nodes: tuple[Node, Node], alone: SolanaAdapter
) -> None:
    data = {"err": "BlockhashNotFound"}
    nodes[0].lies["sendTransaction"] = {"code": -32002, "message": "no", "data": data}
    with pytest.raises(BlockhashExpired):
        await alone.broadcast(SIGNED)
    nodes[0].lies["getSignatureStatuses"] = _status("confirmed")
    await alone.broadcast(SIGNED)
