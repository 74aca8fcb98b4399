"""The node's questions through web3: what goes out, what comes back, what never happens."""

import asyncio
import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web3 import AsyncWeb3
from web3.exceptions import (
    BadFunctionCallOutput,
    ContractLogicError,
    MethodUnavailable,
    OffchainLookup,
    Web3RPCError,
    Web3ValueError,
)
from web3.providers.async_base import AsyncBaseProvider

from console.adapters.chains.ethereum.address import checksummed
from console.adapters.chains.ethereum.node import EthereumNode
from console.adapters.chains.ethereum.sources import RULES
from console.adapters.chains.ethereum.trials import Moved, Tried
from console.adapters.chains.ethereum.web3_client import Web3Client
from console.adapters.rpc.json_rpc import RpcRefused
from console.adapters.rpc.web3_provider import SourcesProvider
from console.application.errors import (
    AdapterError,
    ChainUnavailable,
    SourcesDisagree,
    TransactionRejected,
)
from tests.unit.ethereum.nodes import (
    HASH,
    HONEST,
    ME,
    QUESTIONS,
    TOKEN,
    TRANSFER,
    TRIAL,
    Refusal,
    SaidNode,
    over,
    sources_over,
    word,
)

ANSWERS = {
    "eth_chainId": 31_337,
    "eth_getTransactionCount": 7,
    "eth_getBalance": 10**18,
    "eth_getCode": True,
    "eth_call": 41,
    "eth_getTransactionByHash": True,
    "eth_feeHistory": 0x70,
    "eth_maxPriorityFeePerGas": 3,
    "eth_blockNumber": 32,
    "eth_getBlockByNumber": 24,
    "eth_estimateGas": 21_000,
    "eth_simulateV1": (Tried(fails=False, moved=(Moved(TOKEN, ME, bytes(19) + b"\x07", 9),)),),
    "eth_sendRawTransaction": HASH,
    "devnet_fund": None,
    "devnet_fundToken": None,
}


def test_every_method_has_a_rule_and_a_question() -> None:
    assert set(RULES) == set(QUESTIONS) == set(HONEST)


@pytest.mark.parametrize("method", ANSWERS)
async def test_an_honest_answer_is_understood_and_asked_for_once(method: str) -> None:
    said = SaidNode()
    assert await QUESTIONS[method](over(said)) == ANSWERS[method]
    assert said.methods == [method]


async def test_a_receipt_is_what_the_node_told() -> None:
    receipt = await over(SaidNode()).receipt(HASH)
    assert receipt is not None
    assert (receipt.transaction_hash, receipt.block_number, receipt.status) == (HASH, "0x10", "0x1")
    assert await over(SaidNode(eth_getTransactionReceipt=None)).receipt(HASH) is None
    assert not await over(SaidNode(eth_getTransactionByHash=None)).knows(HASH)
    with pytest.raises(ChainUnavailable, match="another transaction"):
        await over(SaidNode()).receipt(f"0x{'cd' * 32}")


async def test_what_goes_out_is_hexadecimal() -> None:
    said, account, token = SaidNode(), f"0x{ME.hex()}", f"0x{TOKEN.hex()}"
    node = over(said)
    for method in ("eth_estimateGas", "eth_simulateV1", "eth_sendRawTransaction", "eth_call"):
        await QUESTIONS[method](node)
    call = {"from": account, "to": token, "value": "0x5", "data": "0x1234"}
    simulated = {"blockStateCalls": [{"calls": [call]}], "traceTransfers": True}
    assert said.asked == [
        ("eth_estimateGas", [call, "latest"]),
        ("eth_simulateV1", [simulated, "latest"]),
        ("eth_sendRawTransaction", ["0x0201"]),
        ("eth_call", [{"to": token, "data": f"0x70a08231{'00' * 12}{ME.hex()}"}, "latest"]),
    ]


async def test_web3_has_no_middleware_no_names_no_lookups_and_no_cache() -> None:
    client = Web3Client(sources_over(SaidNode()))
    assert client.web3.middleware_onion.as_tuple_of_middleware() == ()
    assert client.web3.ens is None
    assert client.web3.provider.global_ccip_read_enabled is False
    assert client.web3.provider.cache_allowed_requests is False
    assert not hasattr(client.web3.provider, "exception_retry_configuration")
    assert not hasattr(client.web3, "net")
    assert not hasattr(client.web3, "geth")


# OffchainLookup(address,string[],bytes,bytes4,bytes), as a contract reverts with it (EIP-3668).
LOOKUP = "0x556f1830" + "".join(
    (
        f"{'00' * 12}{TOKEN.hex()}",
        word(0xA0),
        word(0x120),
        f"{'aabbccdd'}{'00' * 28}",
        word(0x140),
        word(1),
        word(0x20),
        word(21),
        b"http://127.0.0.1:1/{}".hex().ljust(64, "0"),
        word(0),
        word(0),
    )
)
REFUSALS = {
    "lookup": Refusal("execution reverted", 3, LOOKUP),
    "half a lookup": Refusal("execution reverted", 3, LOOKUP[:60]),
    "panic": Refusal("execution reverted", 3, f"0x4e487b71{word(0x11)}"),
    "unknown panic": Refusal("execution reverted", 3, f"0x4e487b71{word(0x99)}"),
    "reverted": Refusal("execution reverted", 3, f"Reverted 0x08c379a0{word(0x20)}zz"),
    "not text": Refusal("execution reverted", 3, "Reverted 0xff"),
    "custom": Refusal("execution reverted", 3, "0xdeadbeef"),
    "dictionary": Refusal("execution reverted", 3, {"a": 1}),
    "number": Refusal("execution reverted", 3, 7),
    "no method": Refusal("no such method", -32601),
    "time": Refusal("request timed out"),
    "transaction": Refusal("transaction not found"),
    "indexing": Refusal("transaction indexing is in progress"),
    "block": Refusal("block not found"),
    "empty": Refusal(""),
}


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("method", QUESTIONS)
async def test_a_refusal_is_never_decoded_looked_up_or_asked_again(
    method: str, refusal: str
) -> None:
    said = SaidNode(**{method: REFUSALS[refusal]})
    if method == "eth_simulateV1":
        assert await QUESTIONS[method](over(said)) is None
    elif method == "eth_getBlockByNumber":
        # Such a node tells no final block: its height is asked for instead.
        assert await QUESTIONS[method](over(said)) == 0x20 - 96
        assert said.methods == [method, "eth_blockNumber"]
        return
    else:
        refused = (ChainUnavailable, TransactionRejected, RpcRefused)
        message = re.escape(REFUSALS[refusal].error["message"]) or None
        with pytest.raises(refused, match=message):
            await QUESTIONS[method](over(said))
    assert said.methods == [method]


class Trusting(AsyncBaseProvider):
    """web3's own settings, and a node that answers a lookup to everything."""

    async def make_request(self, method: str, params: object) -> Any:
        return {"jsonrpc": "2.0", "id": 1, "error": REFUSALS["lookup"].error}


async def test_an_address_that_a_contract_names_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up: list[Any] = []

    async def look_up(payload: dict[str, Any], *_arguments: Any, **_more: Any) -> bytes:
        looked_up.append(payload["urls"])
        raise ValueError("looked up")

    monkeypatch.setattr("web3.eth.async_eth.async_handle_offchain_lookup", look_up)
    said = SaidNode(eth_call=REFUSALS["lookup"])
    with pytest.raises(TransactionRejected, match="execution reverted"):
        await over(said).call(TRIAL)
    with pytest.raises(ChainUnavailable):
        await over(said).token_balance(TOKEN, ME)
    assert (said.methods, looked_up) == (["eth_call"] * 2, [])
    # With its own settings web3 does ask.
    web3 = AsyncWeb3(Trusting(), middleware=())
    with pytest.raises(ValueError, match="looked up"):
        await web3.eth.call({"to": checksummed(TOKEN), "data": "0x"}, "latest")
    assert looked_up == [("http://127.0.0.1:1/{}",)]


async def test_a_revert_says_what_the_node_says() -> None:
    said = SaidNode(eth_estimateGas=Refusal("execution reverted: too little", 3, "0x08c379a0"))
    with pytest.raises(TransactionRejected) as raised:
        await QUESTIONS["eth_estimateGas"](over(said))
    assert str(raised.value) == "the chain refused it: execution reverted: too little"


async def test_a_tip_that_is_refused_is_not_worked_out_in_another_way() -> None:
    said = SaidNode(eth_maxPriorityFeePerGas=Refusal("not offered", -32601))
    with pytest.raises(ChainUnavailable, match="refuses eth_maxPriorityFeePerGas: not offered"):
        await over(said).tip()
    assert said.methods == ["eth_maxPriorityFeePerGas"]


ODD = [
    None, True, 0, -5, 1.5, 1 << 300, "", "0x", "0x0", "0x00", "0x1g", "0xAB", "latest", "\ufffd",
    [], [[]], {}, {"a": 1}, ["0x1"], "0x" + "f" * 65, "0x" + "00" * 33, {"hash": "0x"},
    [{"calls": []}], [{"calls": [{"status": "0x0", "error": None}]}],
    {"transactionHash": HASH, "blockNumber": "0x1", "status": "0x2"},
    {"transactionHash": HASH, "blockNumber": None, "status": "0x1"},
    {"baseFeePerGas": []}, {"baseFeePerGas": [None]}, {"baseFeePerGas": ["0x1"] * 2000},
    b"[" * 100_000, b'{"result":' + b"[" * 50_000, b'{"result":"0x1","result":"0x2"}', b"",
    b'{"result":NaN}', b'{"result":' + b"9" * 5000 + b"}", b"\xff\xfe", b'{"jsonrpc":"2.0"}',
]  # fmt: skip


@pytest.mark.parametrize("method", QUESTIONS)
async def test_no_answer_makes_another_exception(method: str) -> None:
    for odd in ODD:
        said = SaidNode(**{method: odd})
        with contextlib.suppress(AdapterError):
            await QUESTIONS[method](over(said))
        # An empty answer of a token is no balance, whether there is a contract or not.
        more = {"eth_call": "eth_getCode", "eth_getBlockByNumber": "eth_blockNumber"}.get(method)
        assert said.methods in ([method], [method, more])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.text(max_size=8)
    | st.sampled_from(["0x", "0x0", "0x1", HASH, TRANSFER, f"0x{TOKEN.hex()}", f"0x{word(3)}"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


@st.composite
def altered(draw: st.DrawFn, honest: Any) -> Any:
    """An honest answer, some of whose parts are something else or missing."""
    if draw(st.integers(0, 5)) == 0:
        return draw(JSON)
    if isinstance(honest, dict):
        kept = {name: part for name, part in honest.items() if draw(st.integers(0, 9))}
        return {name: draw(altered(part)) for name, part in kept.items()}
    if isinstance(honest, list):
        return [draw(altered(part)) for part in honest] * draw(st.integers(0, 2))
    return honest


@given(data=st.data())
def test_no_altered_answer_makes_another_exception(data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(sorted(QUESTIONS)))
    told = data.draw(altered(HONEST[method]))

    async def ask() -> None:
        with contextlib.suppress(AdapterError):
            await QUESTIONS[method](over(SaidNode(**{method: told})))

    asyncio.run(ask())


@pytest.mark.parametrize(
    "trouble",
    [
        BadFunctionCallOutput("odd"),
        Web3RPCError("odd"),
        MethodUnavailable("odd"),
        ContractLogicError("odd"),
        OffchainLookup({"urls": ["http://127.0.0.1:1"]}),
        Web3ValueError("odd"),
        ValueError("odd"),
        KeyError("odd"),
        TypeError("odd"),
        OverflowError("odd"),
        RecursionError("odd"),
        AssertionError("odd"),
    ],
)
@pytest.mark.parametrize("method", QUESTIONS)
async def test_whatever_web3_raises_is_an_unavailable_chain(
    method: str, trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = over(SaidNode())

    async def raises(*_arguments: object) -> None:
        raise trouble

    monkeypatch.setattr(SourcesProvider, "make_request", raises)
    with pytest.raises(ChainUnavailable, match="something else than"):
        await QUESTIONS[method](node)


async def test_a_method_without_a_rule_is_not_asked() -> None:
    said = SaidNode()
    client = Web3Client(sources_over(said))
    with pytest.raises(ChainUnavailable, match="eth_gasPrice"):
        await client.ask(lambda node: node.eth.gas_price)
    assert said.methods == []


@pytest.mark.parametrize(
    "answer", ["0x", "0x05", f"0x{word(5)}00", f"0x{word(5)}{word(0)}", f"0x{'00' * 31}"]
)
async def test_a_balance_is_one_word_and_nothing_behind_it(answer: str) -> None:
    with pytest.raises(ChainUnavailable, match="something else than a balance"):
        await over(SaidNode(eth_call=answer)).token_balance(TOKEN, ME)


async def test_a_token_that_refuses_tells_no_balance() -> None:
    said = SaidNode(eth_call=Refusal("execution reverted"))
    with pytest.raises(ChainUnavailable, match="tells no balance: the chain refused it: execution"):
        await over(said).token_balance(TOKEN, ME)


def simulated(**parts: Any) -> list[Any]:
    """Return the honest simulation with one event changed."""
    (call,) = HONEST["eth_simulateV1"][0]["calls"]
    return [{"calls": [call | {"logs": [call["logs"][0] | parts]}]}]


@pytest.mark.parametrize(
    "parts",
    [
        {"topics": []},
        {"topics": [TRANSFER]},
        # ERC-721 has the same name, and the number of the token among the topics.
        {"topics": [TRANSFER, f"0x{word(1)}", f"0x{word(2)}", f"0x{word(3)}"], "data": "0x"},
        {"topics": [f"0x{'00' * 32}", f"0x{word(1)}", f"0x{word(2)}"]},
        {"topics": [TRANSFER, f"0x{'ff' * 32}", f"0x{word(2)}"]},
        {"data": "0x"},
        {"data": f"0x{word(9)}00"},
    ],
)
async def test_an_event_that_is_no_transfer_is_left_out(parts: dict[str, Any]) -> None:
    node = over(SaidNode(eth_simulateV1=simulated(**parts)))
    assert await QUESTIONS["eth_simulateV1"](node) == (Tried(fails=False),)


async def test_a_simulation_without_a_block_is_none() -> None:
    assert await QUESTIONS["eth_simulateV1"](over(SaidNode(eth_simulateV1=[]))) is None


async def test_a_simulated_failure_has_its_reason() -> None:
    for error, reason in (({"message": "out of gas", "code": 3}, "out of gas"), (None, "")):
        answer = [{"calls": [{"status": "0x0", "error": error}]}]
        told = await QUESTIONS["eth_simulateV1"](over(SaidNode(eth_simulateV1=answer)))
        assert told == (Tried(fails=True, reason=reason),)


AGREED = (
    "eth_chainId", "eth_getTransactionCount", "eth_getBalance", "eth_getCode", "eth_call",
    "eth_getTransactionReceipt", "eth_getTransactionByHash",
)  # fmt: skip
OTHER: dict[str, Any] = {
    "eth_chainId": "0x7a6a",
    "eth_getTransactionCount": "0x8",
    "eth_getBalance": "0x1",
    "eth_getCode": "0x",
    "eth_call": f"0x{word(42)}",
    "eth_getTransactionReceipt": {"transactionHash": HASH, "blockNumber": "0x10", "status": "0x0"},
    "eth_getTransactionByHash": None,
}


@pytest.mark.parametrize("lies_first", [False, True])
@pytest.mark.parametrize("method", AGREED)
async def test_nodes_that_differ_about_a_fact_decide_nothing(method: str, lies_first: bool) -> None:
    nodes = [SaidNode(), SaidNode(**{method: OTHER[method]})]
    with pytest.raises(SourcesDisagree, match=f"tell different facts \\({method}\\)"):
        await QUESTIONS[method](over(*(nodes[::-1] if lies_first else nodes)))
    assert [node.methods for node in nodes] == [[method], [method]]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("method", "lower", "higher", "counts"),
    [
        ("eth_feeHistory", {"baseFeePerGas": ["0xff", "0x5"]}, HONEST["eth_feeHistory"], 5),
        ("eth_maxPriorityFeePerGas", "0x2", "0xff", 2),
        ("eth_blockNumber", "0x9", "0x10", 9),
        ("eth_getBlockByNumber", {"number": "0x9"}, {"number": "0x10"}, 9),
        ("eth_estimateGas", "0x9", "0x10", 16),
    ],
)
async def test_of_figures_the_safe_one_counts(
    method: str, lower: Any, higher: Any, counts: int, order: int
) -> None:
    nodes = [SaidNode(**{method: each}) for each in (lower, higher)][::order]
    assert await QUESTIONS[method](over(*nodes)) == counts


@pytest.mark.parametrize(
    "method",
    [
        *AGREED,
        "eth_feeHistory",
        "eth_blockNumber",
        "eth_getBlockByNumber",
        "eth_estimateGas",
    ],
)
async def test_one_node_that_is_away_holds_everything_up(method: str) -> None:
    nodes = SaidNode(), SaidNode(**{method: ChainUnavailable("away")})
    with pytest.raises(ChainUnavailable, match="away"):
        await QUESTIONS[method](over(*nodes))


@pytest.mark.parametrize(
    "told", [None, Refusal("unknown block", -39001), Refusal("invalid block tag", -32602)]
)
@pytest.mark.parametrize("among", [0, 1])
async def test_where_a_node_tells_no_final_block_one_counts_as_final_after_three_epochs(
    told: Any, among: int
) -> None:
    nodes = (SaidNode(eth_getBlockByNumber=told, eth_blockNumber="0x100"),)
    nodes += (SaidNode(eth_blockNumber="0x101"),) * among
    assert await over(*nodes).final_height() == 0x100 - 96


async def test_a_nonce_is_used_for_good_in_a_final_block() -> None:
    said = SaidNode()
    assert await over(said).final_nonce(ME) == 7
    assert said.asked[-1] == ("eth_getTransactionCount", [f"0x{ME.hex()}", "0x18"])


async def test_a_transaction_is_handed_to_all_and_taken_by_one() -> None:
    nodes = [SaidNode(eth_sendRawTransaction=Refusal("busy")), SaidNode(), SaidNode()]
    assert await QUESTIONS["eth_sendRawTransaction"](over(*nodes)) == HASH
    assert [node.methods for node in nodes] == [["eth_sendRawTransaction"]] * 3


async def test_a_faucet_is_asked_once() -> None:
    nodes = [SaidNode(), SaidNode()]
    await QUESTIONS["devnet_fund"](over(*nodes))
    assert [node.methods for node in nodes] == [["devnet_fund"], []]


async def test_a_node_of_another_network_tells_nothing_that_counts() -> None:
    node: EthereumNode = over(SaidNode(eth_chainId="0x1"))
    with pytest.raises(ChainUnavailable, match="chain id 1 is not on devnet"):
        await node.chain_id()
