"""The Solana devnet beyond transfers: its own methods, and what no wallet should send."""

import asyncio
import base64
from typing import Any

import pytest
from aiohttp import ClientSession, web
from solders.keypair import Keypair
from solders.message import Message
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from console.devnet.failure import RpcFailure
from console.devnet.solana.node import SolanaDevnet
from console.devnet.solana.refusals import error_json
from console.devnet.solana.runtime import BLOCKHASHES
from console.devnet.solana.subscription import MAX_WAITING, solana_websocket
from console.devnet.solana.tokens import TOKEN_PROGRAMS, associated, fixed_key
from tests.contract.chains import served

KEY, OTHER = (Keypair.from_seed(bytes([n]) * 32) for n in (9, 10))
ME, FRIEND = str(KEY.pubkey()), str(OTHER.pubkey())
PARAMS = -32602


@pytest.fixture
def chain() -> SolanaDevnet:
    return SolanaDevnet()


def _value(answer: object) -> Any:
    assert isinstance(answer, dict)
    return answer["value"]


def _paid(chain: SolanaDevnet, lamports: int = 10**6) -> VersionedTransaction:
    params = TransferParams(from_pubkey=KEY.pubkey(), to_pubkey=OTHER.pubkey(), lamports=lamports)
    message = Message.new_with_blockhash(
        [transfer(params)], KEY.pubkey(), chain.runtime.blockhash()
    )
    return VersionedTransaction(message, [KEY])


def _encoded(transaction: VersionedTransaction) -> str:
    return base64.b64encode(bytes(transaction)).decode()


@pytest.mark.parametrize("program", TOKEN_PROGRAMS)
def test_tokens_are_where_they_always_are(chain: SolanaDevnet, program: str) -> None:
    mint = chain.answer("devnet_createMint", ["USDQ", 6, program])
    assert mint == str(fixed_key(f"mint {program} USDQ").pubkey())
    slot = chain.answer("getSlot", [])
    assert chain.answer("devnet_createMint", ["USDQ", 6, program]) == mint
    assert chain.answer("getSlot", []) == slot
    assert SolanaDevnet().answer("devnet_createMint", ["USDQ", 6, program]) == mint
    for _ in range(2):
        chain.answer("devnet_fundToken", [mint, ME, 5])
    account = associated(
        KEY.pubkey(), fixed_key(f"mint {program} USDQ").pubkey(), TOKEN_PROGRAMS[program]
    )
    balance = _value(chain.answer("getTokenAccountBalance", [str(account)]))
    assert balance == {"amount": "10", "decimals": 6}
    info = _value(chain.answer("getAccountInfo", [str(account)]))
    assert info["owner"] == str(TOKEN_PROGRAMS[program])
    assert info["lamports"] == chain.answer("getMinimumBalanceForRentExemption", [info["space"]])


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("devnet_createMint", []),
        ("devnet_createMint", ["USDQ"]),
        ("devnet_createMint", ["USDQ", 19]),
        ("devnet_createMint", ["USDQ", True]),
        ("devnet_createMint", ["USDQ", 6, "other"]),
        ("devnet_createMint", ["KNOWN", 9]),
        ("devnet_fundToken", []),
        ("devnet_fundToken", [ME, ME, 5]),
        ("devnet_fundToken", [ME]),
        ("devnet_setPrioritizationFees", [-1]),
        ("devnet_setPrioritizationFees", ["5"]),
        ("getTokenAccountBalance", [ME]),
        ("getAccountInfo", []),
        ("getMinimumBalanceForRentExemption", []),
        ("getMinimumBalanceForRentExemption", [-1]),
        ("getMinimumBalanceForRentExemption", [1 << 40]),
        ("getMultipleAccounts", [[5]]),
        ("getSignaturesForAddress", []),
        ("getSignaturesForAddress", [ME, {"limit": 0}]),
        ("getSignaturesForAddress", [ME, {"limit": "5"}]),
        ("isBlockhashValid", ["x"]),
        ("simulateTransaction", []),
        ("simulateTransaction", ["AAAA"]),
    ],
)
def test_odd_calls_are_refused(chain: SolanaDevnet, method: str, params: list[object]) -> None:
    chain.answer("devnet_createMint", ["KNOWN", 6])
    with pytest.raises(RpcFailure) as refused:
        chain.answer(method, params)
    assert refused.value.code == PARAMS


def test_nothing_is_there_at_first(chain: SolanaDevnet) -> None:
    assert _value(chain.answer("getAccountInfo", [ME])) is None
    assert _value(chain.answer("getMultipleAccounts", [[ME, FRIEND]])) == [None, None]
    assert _value(chain.answer("getMultipleAccounts", [5])) == []
    assert chain.answer("getSignaturesForAddress", [ME]) == []
    assert chain.answer("getTransaction", ["x"]) is None
    assert chain.answer("getTransaction", []) is None
    assert chain.answer("getRecentPrioritizationFees", []) == []


def test_a_blockhash_is_valid_for_150_slots(chain: SolanaDevnet) -> None:
    first = _value(chain.answer("getLatestBlockhash", []))["blockhash"]
    for _ in range(BLOCKHASHES - 1):
        chain.answer("requestAirdrop", [ME, 10**9])
        assert _value(chain.answer("isBlockhashValid", [first])) is True
    chain.answer("requestAirdrop", [ME, 10**9])
    assert _value(chain.answer("isBlockhashValid", [first])) is False


def test_a_simulation_changes_nothing(chain: SolanaDevnet) -> None:
    chain.answer("requestAirdrop", [ME, 10**9])
    slot = chain.answer("getSlot", [])
    blank = VersionedTransaction.populate(_paid(chain).message, [Signature.default()])
    options: dict[str, object] = {"accounts": {"addresses": [FRIEND, ME]}}
    told = _value(chain.answer("simulateTransaction", [_encoded(blank), options]))
    assert told["err"] is None
    assert [account["lamports"] for account in told["accounts"]] == [10**6, 10**9 - 10**6 - 5000]
    assert chain.answer("getSlot", []) == slot
    assert _value(chain.answer("getBalance", [FRIEND])) == 0
    strict = {"sigVerify": True}
    told = _value(chain.answer("simulateTransaction", [_encoded(blank), strict]))
    assert (told["err"], told["accounts"]) == ("SignatureFailure", None)
    chain.expire_blockhash()
    told = _value(chain.answer("simulateTransaction", [_encoded(blank), options]))
    assert (told["err"], told["accounts"]) == ("BlockhashNotFound", None)
    # What was switched off for the simulation is on again.
    with pytest.raises(RpcFailure, match="SignatureFailure"):
        chain.answer("sendTransaction", [_encoded(blank)])


def test_errors_are_written_as_a_node_writes_them(chain: SolanaDevnet) -> None:
    chain.answer("requestAirdrop", [ME, 10**9])
    dust = [_encoded(_paid(chain, lamports=1))]
    with pytest.raises(RpcFailure) as refused:
        chain.answer("sendTransaction", dust)
    assert refused.value.data["err"] == {"InsufficientFundsForRent": {"account_index": 1}}
    much = [_encoded(_paid(chain, lamports=10**12))]
    with pytest.raises(RpcFailure) as refused:
        chain.answer("sendTransaction", much)
    overdrawn = {"InstructionError": [0, {"Custom": 1}]}
    assert refused.value.data["err"] == overdrawn
    before = _value(chain.answer("getBalance", [ME]))
    signature = chain.answer("sendTransaction", [*much, {"skipPreflight": True}])
    [status] = _value(chain.answer("getSignatureStatuses", [[signature]]))
    assert (status["err"], status["status"]) == (overdrawn, {"Err": overdrawn})
    assert before - _value(chain.answer("getBalance", [ME])) == 5_000
    blank = VersionedTransaction.populate(_paid(chain).message, [Signature.default()])
    with pytest.raises(RpcFailure, match="SignatureFailure"):
        chain.answer("sendTransaction", [_encoded(blank), {"skipPreflight": True}])
    assert error_json("TransactionErrorFieldless.SomethingNew") == "SomethingNew"
    inner = "TransactionErrorInstructionError((3, Fieldless(InvalidAccountData)))"
    assert error_json(inner) == {"InstructionError": [3, "InvalidAccountData"]}


async def test_a_reader_that_is_behind_is_let_go(chain: SolanaDevnet) -> None:
    app = web.Application()
    app.router.add_get("/", solana_websocket(chain))
    async with served(app) as url, ClientSession() as session, session.ws_connect(url) as socket:
        await socket.send_json({"id": 1, "method": "slotSubscribe"})
        assert (await socket.receive_json())["result"] == 1
        # The chain goes on without a pause in which anything could be sent.
        for _ in range(MAX_WAITING + 1):
            chain.answer("requestAirdrop", [ME, 10**6])
        async with asyncio.timeout(60):
            told = [message async for message in socket]
        assert len(told) < MAX_WAITING
    assert not chain.runtime.listeners
