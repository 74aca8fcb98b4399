"""PSBTs of public reports about other wallets (tests/vectors/bitcoin-reports), and their import."""

import base64
from pathlib import Path

from console.adapters.chains.bitcoin import signable
from console.adapters.chains.bitcoin.adapter import BitcoinAdapter
from console.adapters.chains.bitcoin.transaction import Transaction, parse_transaction
from console.application.ports.chain import Account, ImportIntent
from console.domain.transaction import TransactionDescription
from console.domain.values import Chain, Network
from tests.unit.bitcoin.wallets import KEYS, SingleKeys

_FOLDER = Path(__file__).parents[2] / "vectors" / "bitcoin-reports"
NETWORK = Network.MAINNET


def report(name: str) -> bytes:
    """Return the PSBT of a report."""
    return base64.b64decode((_FOLDER / f"{name}.psbt.b64").read_bytes(), validate=True)


async def imported(data: bytes, account: Account | None = None) -> bytes:
    """Return the bytes that are signed when this is imported; there is no node to ask."""
    adapter = BitcoinAdapter(NETWORK, ("http://127.0.0.1:1",))
    try:
        text = base64.b64encode(data).decode()
        intent = ImportIntent(account or adapter.accounts[0], text)
        return (await adapter.build_transaction(intent, KEYS)).transaction
    finally:
        await adapter.close()


def told(data: bytes) -> TransactionDescription:
    return signable.describe(data, KEYS, Chain.BITCOIN, NETWORK)


def signed_on_mainnet(data: bytes, keys: SingleKeys = KEYS) -> Transaction:
    signatures = tuple(keys.sign(each) for each in signable.payloads(data, keys, NETWORK))
    return parse_transaction(signable.attach(data, signatures, keys, NETWORK).transaction)
