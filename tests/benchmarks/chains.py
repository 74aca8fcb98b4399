"""What adapters compute for one transfer: build, describe, payloads, attach; no network.

For Ethereum also what importing web3 costs, and what it adds to a question.
"""

import asyncio
import hashlib
import json
import subprocess
import sys
import time

from solders.hash import Hash

from console.adapters.chains.bitcoin import signable
from console.adapters.chains.bitcoin.accounts import (
    RECEIVE,
    SEGWIT,
    TAPROOT,
    KeyPosition,
    script_at,
)
from console.adapters.chains.bitcoin.build import OwnCoin, Wallet
from console.adapters.chains.bitcoin.build import SpendingDraft as BitcoinDraft
from console.adapters.chains.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from console.adapters.chains.ethereum.adapter import EthereumAdapter
from console.adapters.chains.ethereum.address import parse_address
from console.adapters.chains.solana.adapter import SolanaAdapter
from console.adapters.chains.solana.address import account_of
from console.adapters.chains.solana.build import MessageTerms, build_transfer
from console.application.ports.chain import Account
from console.domain.values import Chain, Network
from tests.benchmarks.figures import Figure, figure, p95
from tests.benchmarks.protocols import timed
from tests.contract.keys import SigningKey
from tests.unit.ethereum.drafts import Draft as EthereumDraft
from tests.unit.ethereum.nodes import QUESTIONS, SaidNode, over

NOWHERE = ("http://127.0.0.1:1",)
ETHER_TO = "0x52908400098527886E0F7030069857D2E4169EE7"
REGTEST_TO = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
_COUNT = 300
_PROCESSES = 7


def adapter_overhead_solana() -> list[Figure]:
    """A transfer of SOL with a memo."""
    adapter, keys = SolanaAdapter(Network.DEVNET, NOWHERE), SigningKey()
    wallet, to = (account_of(bytes(each.keypair.pubkey())) for each in (keys, SigningKey()))
    terms = MessageTerms(Hash(bytes(range(32))), unit_price=1_000)

    def transfer() -> None:
        data = build_transfer(wallet, to, 5, "Invoice 4711", terms)
        adapter.describe(data, keys)
        (payload,) = adapter.payloads(data, keys)
        adapter.attach(data, (keys.sign(payload),), keys)

    return [figure("adapter_overhead_solana", timed(transfer, _COUNT), quote=p95)]


def adapter_overhead_ethereum() -> list[Figure]:
    """A transfer of ether."""
    adapter, keys = EthereumAdapter(Network.DEVNET, NOWHERE), SigningKey()
    to = parse_address(ETHER_TO)
    draft = EthereumDraft(31_337, 7).pay(to, 10**18).gas(21_000).fees(3 * 10**9, 10**9)

    def transfer() -> None:
        data = draft.build()
        adapter.describe(data, keys)
        (payload,) = adapter.payloads(data, keys)
        adapter.attach(data, (keys.sign(payload),), keys)

    return [figure("adapter_overhead_ethereum", timed(transfer, _COUNT), quote=p95)]


def ethereum_first_use() -> list[Figure]:
    """What a node's imports take without web3, and what the first use of Ethereum adds."""
    command = [sys.executable, "-m", "tests.benchmarks.first_use"]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        for _ in range(_PROCESSES)
    ]
    start_s, start_mb, use_s, late_s, use_mb = zip(*runs, strict=True)
    return [
        figure("node_import", start_s),
        figure("node_import_memory", start_mb, "MB", scale=1),
        figure("ethereum_first_use", use_s),
        figure("ethereum_first_use_stall", late_s),
        figure("ethereum_first_use_memory", use_mb, "MB", scale=1),
    ]


def ethereum_questions() -> list[Figure]:
    """The process CPU of one question through web3, with an answer that is there at once."""
    return [
        figure("ethereum_question_balance", asyncio.run(_asked("eth_getBalance")), quote=p95),
        figure("ethereum_question_token", asyncio.run(_asked("eth_call")), quote=p95),
    ]


async def _asked(method: str) -> list[float]:
    node, taken = over(SaidNode()), []
    await node.chain_id()
    for _ in range(_COUNT):
        started = time.process_time()
        await QUESTIONS[method](node)
        taken.append(time.process_time() - started)
    return taken


def adapter_overhead_bitcoin_segwit() -> list[Figure]:
    """Two inputs, a payment and change, with ECDSA."""
    return [figure("adapter_overhead_bitcoin_segwit", _bitcoin(SEGWIT), quote=p95)]


def adapter_overhead_bitcoin_taproot() -> list[Figure]:
    """The same with Schnorr."""
    return [figure("adapter_overhead_bitcoin_taproot", _bitcoin(TAPROOT), quote=p95)]


def _bitcoin(account: Account) -> list[float]:
    keys = Remembering()
    wallet = Wallet(account, keys, Network.DEVNET)
    script = script_at(account, keys, KeyPosition(RECEIVE, 0))
    made = [
        Transaction(
            2, (TxIn(OutPoint(hashlib.sha256(bytes([n])).digest(), 0)),), (TxOut(10**8, script),), 0
        )
        for n in range(2)
    ]
    coins = [OwnCoin(previous, 0, KeyPosition(RECEIVE, 0)) for previous in made]
    draft = BitcoinDraft(wallet).pay(REGTEST_TO, 15 * 10**7).rate(5_000).at(200).offer(*coins)

    def transfer() -> None:
        data = draft.build(KeyPosition(1, 0))
        signable.describe(data, keys, Chain.BITCOIN, Network.DEVNET)
        signatures = tuple(
            keys.sign(payload) for payload in signable.payloads(data, keys, Network.DEVNET)
        )
        signable.attach(data, signatures, keys, Network.DEVNET)

    return timed(transfer, _COUNT)


class Remembering(SigningKey):
    """Keeps what it derived, as the node's `WalletKeys` does."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, object] = {}

    def secret_at(self, path: str):
        if path not in self._known:
            self._known[path] = super().secret_at(path)
        return self._known[path]
