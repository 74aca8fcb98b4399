"""The Ethereum devnet's waiting transactions, reorganisations, tokens and fee history."""

from typing import Any

import pytest
from eth_abi import decode, encode
from eth_account import Account
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from console.devnet.ethereum.erc20 import WHOLE_SUPPLY, TokenContract
from console.devnet.ethereum.fees import next_base_fee
from console.devnet.ethereum.node import FIRST_TOKEN, EthereumDevnet
from console.devnet.failure import RpcFailure

KEY, OTHER = Account.from_key(b"\x07" * 32), Account.from_key(b"\x08" * 32)
FRIEND = "0x" + "22" * 20
GWEI, ETHER = 10**9, 10**18


class Bench:
    """A devnet on which our account has an ether."""

    def __init__(self) -> None:
        self.devnet = EthereumDevnet()
        self.chain_id = int(self.ask("eth_chainId"), 16)
        self.ask("devnet_fund", KEY.address, hex(ETHER))

    def ask(self, method: str, *params: Any) -> Any:
        return self.devnet.answer(method, list(params))

    def number(self, method: str, *params: Any) -> int:
        return int(self.ask(method, *params), 16)

    def refusal(self, method: str, *params: Any) -> str:
        with pytest.raises(RpcFailure) as refused:
            self.ask(method, *params)
        return str(refused.value)

    def signed(self, nonce: int, **changes: Any) -> str:
        transaction = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": nonce,
            "to": FRIEND,
            "value": 5,
            "gas": 21_000,
            "maxFeePerGas": 100 * GWEI,
            "maxPriorityFeePerGas": GWEI,
        }
        signed = KEY.sign_transaction(transaction | changes)
        return f"0x{signed.raw_transaction.hex()}"

    def send(self, nonce: int, **changes: Any) -> str:
        return str(self.ask("eth_sendRawTransaction", self.signed(nonce, **changes)))

    def call(self, token: str, signature: str, *values: object) -> bytes:
        # This runtime lets nobody call who could not pay for the gas.
        call = {"from": KEY.address, "to": token, "data": encoded(signature, *values)}
        answer = self.ask("eth_call", call, "latest")
        return bytes.fromhex(answer[2:])

    def token_balance(self, owner: str) -> int:
        answer = self.call(self.devnet.token, "balanceOf(address)", owner)
        return int.from_bytes(answer, "big")


def encoded(signature: str, *values: object) -> str:
    kinds = [kind for kind in signature.partition("(")[2][:-1].split(",") if kind]
    return f"0x{(keccak(text=signature)[:4] + encode(kinds, values)).hex()}"


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_without_automine_transactions_wait(bench: Bench) -> None:
    bench.ask("devnet_automine", False)
    first, second = bench.send(0), bench.send(1)
    assert bench.ask("eth_getTransactionReceipt", first) is None
    waiting = bench.ask("eth_getTransactionByHash", second)
    assert (waiting["hash"], waiting["nonce"], waiting["blockNumber"]) == (second, "0x1", None)
    assert bench.number("eth_getTransactionCount", KEY.address, "latest") == 0
    assert bench.number("eth_getTransactionCount", KEY.address, "pending") == 2
    height = bench.number("eth_blockNumber")
    assert bench.ask("devnet_mine", 1) == hex(height + 1)
    blocks = [
        bench.ask("eth_getTransactionReceipt", each)["blockNumber"] for each in (first, second)
    ]
    assert blocks == [hex(height + 1)] * 2
    assert bench.ask("eth_getTransactionByHash", second)["blockNumber"] == hex(height + 1)
    assert bench.number("eth_getBalance", FRIEND, "latest") == 10


def test_what_follows_a_gap_waits_for_it(bench: Bench) -> None:
    bench.ask("devnet_automine", False)
    later = bench.send(1)
    assert bench.number("eth_getTransactionCount", KEY.address, "pending") == 0
    bench.ask("devnet_mine")
    assert bench.ask("eth_getTransactionReceipt", later) is None
    bench.send(0)
    bench.ask("devnet_automine", True)
    assert bench.ask("eth_getTransactionReceipt", later)["status"] == "0x1"


def test_what_pays_too_little_for_now_waits(bench: Bench) -> None:
    bench.ask("devnet_automine", False)
    cheap = bench.send(0, maxFeePerGas=1, maxPriorityFeePerGas=1)
    bench.ask("devnet_mine")
    assert bench.ask("eth_getTransactionReceipt", cheap) is None
    assert bench.ask("eth_getTransactionByHash", cheap)["hash"] == cheap


@pytest.mark.parametrize(
    ("fee", "tip", "taken"),
    [
        (110 * GWEI, 11 * GWEI // 10, True),
        (200 * GWEI, 2 * GWEI, True),
        (110 * GWEI - 1, 11 * GWEI // 10, False),
        (110 * GWEI, 11 * GWEI // 10 - 1, False),
        (100 * GWEI, 2 * GWEI, False),
        (200 * GWEI, GWEI, False),
    ],
)
def test_a_replacement_raises_both_fees_by_a_tenth(
    bench: Bench, fee: int, tip: int, taken: bool
) -> None:
    bench.ask("devnet_automine", False)
    old = bench.send(0)
    raw = bench.signed(0, value=7, maxFeePerGas=fee, maxPriorityFeePerGas=tip)
    if taken:
        new = bench.ask("eth_sendRawTransaction", raw)
        assert bench.ask("eth_getTransactionByHash", old) is None
        bench.ask("devnet_mine")
        assert bench.ask("eth_getTransactionReceipt", new)["status"] == "0x1"
    else:
        words = bench.refusal("eth_sendRawTransaction", raw)
        assert words == "replacement transaction underpriced"
        bench.ask("devnet_mine")
        assert bench.ask("eth_getTransactionReceipt", old)["status"] == "0x1"
    assert bench.number("eth_getBalance", FRIEND, "latest") == (7 if taken else 5)


@pytest.mark.parametrize(
    ("nonce", "changes", "words"),
    [
        (0, {"value": ETHER}, "insufficient funds for gas * price + value"),
        (0, {"gas": 20_999}, "intrinsic gas too low"),
        (0, {"maxFeePerGas": 1}, "max priority fee per gas higher than max fee per gas"),
        (0, {"chainId": 1}, "invalid chain id"),
    ],
)
def test_what_may_not_wait(bench: Bench, nonce: int, changes: dict[str, Any], words: str) -> None:
    bench.ask("devnet_automine", False)
    raw = bench.signed(nonce, **changes)
    assert bench.refusal("eth_sendRawTransaction", raw).startswith(words)


def test_a_used_nonce_is_too_low_and_the_same_is_known(bench: Bench) -> None:
    bench.send(0)
    bench.ask("devnet_automine", False)
    assert bench.refusal("eth_sendRawTransaction", bench.signed(0)).startswith("nonce too low")
    bench.send(1)
    assert bench.refusal("eth_sendRawTransaction", bench.signed(1)) == "already known"


def test_a_reorganisation_lets_transactions_wait_again(bench: Bench) -> None:
    height = bench.number("eth_blockNumber")
    sent = bench.send(0)
    old = bench.ask("eth_getBlockByNumber", "latest", False)["hash"]
    assert bench.ask("devnet_reorg", 1) == hex(height + 2)
    assert bench.ask("eth_getBlockByNumber", hex(height + 1), False)["hash"] != old
    assert bench.ask("eth_getTransactionReceipt", sent) is None
    assert bench.number("eth_getBalance", FRIEND, "latest") == 0
    assert bench.ask("eth_getTransactionByHash", sent)["blockNumber"] is None
    bench.ask("devnet_mine")
    assert bench.ask("eth_getTransactionReceipt", sent)["blockNumber"] == hex(height + 3)


def test_after_a_reorganisation_a_gift_is_still_there(bench: Bench) -> None:
    bench.ask("devnet_fundToken", bench.devnet.token, OTHER.address, hex(70))
    bench.ask("devnet_reorg", 2)
    assert bench.number("eth_getBalance", KEY.address, "latest") == ETHER
    assert bench.token_balance(OTHER.address) == 70


def test_after_a_reorganisation_another_may_win(bench: Bench) -> None:
    lost = bench.send(0)
    bench.ask("devnet_reorg", 1)
    won = bench.send(0, value=9, maxFeePerGas=200 * GWEI, maxPriorityFeePerGas=2 * GWEI)
    assert bench.ask("eth_getTransactionReceipt", won)["status"] == "0x1"
    assert bench.ask("eth_getTransactionByHash", lost) is None
    assert bench.number("eth_getBalance", FRIEND, "latest") == 9


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("devnet_reorg", [0]),
        ("devnet_reorg", [5]),
        ("devnet_reorg", [True]),
        ("devnet_reorg", ["1"]),
        ("devnet_reorg", []),
        ("devnet_mine", [0]),
        ("devnet_mine", [101]),
        ("devnet_automine", ["yes"]),
        ("devnet_automine", [1]),
        ("devnet_deployToken", ["", "X", 6]),
        ("devnet_deployToken", ["x" * 32, "X", 6]),
        ("devnet_deployToken", ["X", "X", 37]),
        ("devnet_deployToken", ["X", "X"]),
        ("devnet_fundToken", [FRIEND, FRIEND, "0x1"]),
        ("devnet_fundToken", ["nonsense", FRIEND, "0x1"]),
        ("eth_getLogs", [{"fromBlock": {}}]),
        ("eth_getLogs", [{"odd": 1}]),
        ("eth_getLogs", []),
        ("eth_feeHistory", [0, "latest", []]),
        ("eth_feeHistory", ["0x1", "latest", [50, 10]]),
        ("eth_feeHistory", ["0x1", "latest", [101]]),
        ("eth_sendRawTransaction", [5]),
        ("eth_sendRawTransaction", ["0x"]),
    ],
)
def test_wrong_orders_change_nothing(bench: Bench, method: str, params: list[Any]) -> None:
    before = bench.ask("eth_getBlockByNumber", "latest", False)["hash"]
    bench.refusal(method, *params)
    assert bench.ask("eth_getBlockByNumber", "latest", False)["hash"] == before


SHARED = Bench()


@pytest.mark.parametrize("automine", [True, False])
@settings(max_examples=60, deadline=None)
@given(raw=st.binary(max_size=200) | st.binary(max_size=120).map(lambda tail: b"\x02" + tail))
def test_random_bytes_are_refused_and_nothing_worse(automine: bool, raw: bytes) -> None:
    SHARED.ask("devnet_automine", automine)
    SHARED.refusal("eth_sendRawTransaction", f"0x{raw.hex()}")


def test_the_first_token_is_where_it_always_is(bench: Bench) -> None:
    token = bench.devnet.token
    assert token == EthereumDevnet().token
    read = {
        name: decode([kind], bench.call(token, f"{name}()"))[0]
        for name, kind in (
            ("name", "string"),
            ("symbol", "string"),
            ("decimals", "uint8"),
            ("totalSupply", "uint256"),
        )
    }
    assert TokenContract(read["name"], read["symbol"], read["decimals"]) == FIRST_TOKEN
    assert read["totalSupply"] == FIRST_TOKEN.supply == WHOLE_SUPPLY * 10**6


def test_another_token_has_an_address_of_its_own(bench: Bench) -> None:
    made = bench.ask("devnet_deployToken", "Ünïcode", "Ü", 18)
    assert made != bench.devnet.token
    name = decode(["string"], bench.call(made, "name()"))[0]
    assert name == "Ünïcode"
    bench.ask("devnet_fundToken", made, FRIEND, hex(10**18))
    answer = bench.call(made, "balanceOf(address)", FRIEND)
    assert int.from_bytes(answer, "big") == 10**18


def test_a_token_is_paid_and_says_so(bench: Bench) -> None:
    token = bench.devnet.token
    bench.ask("devnet_fundToken", token, KEY.address, hex(100))
    data = encoded("transfer(address,uint256)", FRIEND, 30)
    sent = bench.send(0, to=token, value=0, data=data, gas=100_000)
    assert (bench.token_balance(KEY.address), bench.token_balance(FRIEND)) == (70, 30)
    (log,) = bench.ask("eth_getLogs", {"fromBlock": "latest", "address": token})
    transfer = keccak(text="Transfer(address,address,uint256)")
    parties = [bytes.fromhex(each[2:]).rjust(32, b"\x00") for each in (KEY.address, FRIEND)]
    assert log["topics"] == [f"0x{topic.hex()}" for topic in (transfer, *parties)]
    assert (int(log["data"], 16), log["transactionHash"]) == (30, sent)


def test_an_allowance_is_used_up_unless_it_is_endless(bench: Bench) -> None:
    token, me, other = bench.devnet.token, KEY.address, OTHER.address
    bench.ask("devnet_fundToken", token, me, hex(100))
    bench.ask("devnet_fund", other, hex(ETHER))
    endless = (1 << 256) - 1
    for nonce, (allowed, left) in enumerate([(50, 20), (endless, endless)]):
        data = encoded("approve(address,uint256)", other, allowed)
        bench.send(nonce, to=token, value=0, data=data, gas=100_000)
        (log,) = bench.ask("eth_getLogs", {"fromBlock": "latest", "address": token})
        assert int(log["data"], 16) == allowed
        assert log["topics"][0][2:] == keccak(text="Approval(address,address,uint256)").hex()
        transaction = {
            "type": 2,
            "chainId": bench.chain_id,
            "nonce": nonce,
            "to": token,
            "value": 0,
            "data": encoded("transferFrom(address,address,uint256)", me, FRIEND, 30),
            "gas": 200_000,
            "maxFeePerGas": 100 * GWEI,
            "maxPriorityFeePerGas": GWEI,
        }
        raw = f"0x{OTHER.sign_transaction(transaction).raw_transaction.hex()}"
        sent = bench.ask("eth_sendRawTransaction", raw)
        assert bench.ask("eth_getTransactionReceipt", sent)["status"] == "0x1"
        answer = bench.call(token, "allowance(address,address)", me, other)
        assert int.from_bytes(answer, "big") == left
    assert (bench.token_balance(me), bench.token_balance(FRIEND)) == (40, 60)


def test_what_a_token_refuses(bench: Bench) -> None:
    token, me = bench.devnet.token, KEY.address
    bench.ask("devnet_fundToken", token, me, hex(100))
    zero = "0x" + "00" * 20
    for signature, values, words in [
        ("transfer(address,uint256)", (FRIEND, 101), "transfer exceeds balance"),
        ("transferFrom(address,address,uint256)", (me, FRIEND, 1), "transfer exceeds allowance"),
        ("transfer(address,uint256)", (zero, 1), "revert"),
        ("mint(address,uint256)", (me, 1), "revert"),
    ]:
        call = {"from": me, "to": token, "data": encoded(signature, *values)}
        assert words in bench.refusal("eth_call", call, "latest")
    dirty = encoded("transfer(address,uint256)", FRIEND, 1)
    for data in (dirty[:-2], "0x", "0xa9", f"{dirty[:10]}ff{dirty[12:]}"):
        assert "revert" in bench.refusal(
            "eth_call", {"from": me, "to": token, "data": data}, "latest"
        )
    paid = {"from": me, "to": token, "data": dirty, "value": "0x1"}
    assert "revert" in bench.refusal("eth_call", paid, "latest")
    assert bench.token_balance(me) == 100


@settings(max_examples=40, deadline=None)
@given(amounts=st.lists(st.integers(0, 150), max_size=4))
def test_no_transfer_makes_or_loses_tokens(amounts: list[int]) -> None:
    token = SHARED.devnet.token
    SHARED.ask("devnet_automine", True)
    SHARED.ask("devnet_fundToken", token, KEY.address, hex(100))
    for amount in amounts:
        held = SHARED.token_balance(KEY.address), SHARED.token_balance(FRIEND)
        nonce = SHARED.number("eth_getTransactionCount", KEY.address, "latest")
        data = encoded("transfer(address,uint256)", FRIEND, amount)
        sent = SHARED.send(nonce, to=token, value=0, data=data, gas=100_000)
        status = SHARED.ask("eth_getTransactionReceipt", sent)["status"]
        moved = amount if amount <= held[0] else 0
        assert status == ("0x1" if amount <= held[0] else "0x0")
        now = SHARED.token_balance(KEY.address), SHARED.token_balance(FRIEND)
        assert now == (held[0] - moved, held[1] + moved)


def test_fee_history_is_that_of_the_blocks(bench: Bench) -> None:
    bench.send(0)
    height = bench.number("eth_blockNumber")
    history = bench.ask("eth_feeHistory", "0x3", "latest", [10, 90])
    blocks = [bench.ask("eth_getBlockByNumber", hex(height - 2 + step), False) for step in range(3)]
    assert history["oldestBlock"] == hex(height - 2)
    assert history["baseFeePerGas"][:3] == [block["baseFeePerGas"] for block in blocks]
    assert history["reward"][2] == [hex(GWEI)] * 2
    bench.ask("devnet_mine", 1)
    following = bench.ask("eth_getBlockByNumber", "latest", False)
    assert history["baseFeePerGas"][3] == following["baseFeePerGas"]


@pytest.mark.parametrize(
    ("used", "fee"), [(0, 875), (15_000_000, 1000), (30_000_000, 1125), (15_000_001, 1001)]
)
def test_base_fees_follow_eip_1559(used: int, fee: int) -> None:
    block = {"base_fee_per_gas": 1000, "gas_used": used, "gas_limit": 30_000_000}
    assert next_base_fee(block) == fee
