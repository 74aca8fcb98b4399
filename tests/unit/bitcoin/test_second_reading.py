"""The second parser must read what was decoded, or nothing is signed."""

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bitcoin.core import CMutableTransaction, CTransaction
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.chains.bitcoin import second_reading, signable
from console.adapters.chains.bitcoin.accounts import (
    ACCOUNTS,
    RECEIVE,
    SEGWIT,
    KeyPosition,
    script_at,
)
from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.limits import MAX_MONEY
from console.adapters.chains.bitcoin.message import build_message
from console.adapters.chains.bitcoin.psbt import parse_psbt
from console.adapters.chains.bitcoin.script import p2wpkh
from console.adapters.chains.bitcoin.second_reading import (
    ReadingsDiffer,
    confirm_digests,
    confirm_reading,
)
from console.adapters.chains.bitcoin.sighash import segwit_digest
from console.adapters.chains.bitcoin.spending import parse_spending
from console.adapters.chains.bitcoin.transaction import (
    OutPoint,
    Transaction,
    TxIn,
    TxOut,
    parse_stripped,
    parse_transaction,
)
from console.application.errors import UnknownTransaction
from console.application.ports.chain import Account
from tests.unit.bitcoin.wallets import (
    KEYS,
    NETWORK,
    described,
    signatures,
    transfer,
)

VECTORS = Path(__file__).parents[2] / "vectors"
FOLDERS = ("bip143", "bip174", "bip341", "bip370", "bip371")
UINT32 = st.integers(0, 0xFFFF_FFFF)
SCRIPTS = st.binary(max_size=300)
TRANSACTIONS = st.builds(
    Transaction,
    UINT32,
    st.lists(
        st.builds(
            TxIn,
            st.builds(OutPoint, st.binary(min_size=32, max_size=32), UINT32),
            SCRIPTS,
            UINT32,
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
    st.lists(st.builds(TxOut, st.integers(0, MAX_MONEY // 4), SCRIPTS), max_size=4).map(tuple),
    UINT32,
)
each_account = pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)


def texts(value: Any) -> Iterator[str]:
    """Yield every text in a document."""
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from texts(part)
        case list():
            for part in value:
                yield from texts(part)


def vectors() -> Iterator[tuple[bytes, Transaction]]:
    """Yield every transaction of the vectors, alone or in a PSBT, that has inputs."""
    for path in (path for folder in FOLDERS for path in (VECTORS / folder).glob("*.json")):
        for text in texts(json.loads(path.read_text())):
            with suppress(ValueError, UnknownTransaction):
                data = bytes.fromhex(text)
                yield data, parse_transaction(data)
            with suppress(ValueError, UnknownTransaction):
                unsigned = parse_psbt(base64.b64decode(text, validate=True)).transaction
                yield unsigned.encode_stripped(), unsigned


def test_both_read_the_same_of_every_vector() -> None:
    known = {data: transaction for data, transaction in vectors() if transaction.inputs}
    for data, transaction in known.items():
        confirm_reading(data, transaction)
    assert len(known) >= 20


def test_both_compute_the_digest_of_the_vector() -> None:
    case = json.loads((VECTORS / "bip143/native-p2wpkh.json").read_text())
    transaction = parse_transaction(bytes.fromhex(case["unsigned"]))
    spent = TxOut(case["amount"], bytes.fromhex(case["script"]))
    # The example's first input is of another kind; its digest is not asked for here.
    alone = replace(transaction, inputs=transaction.inputs[case["input"] :])
    confirm_digests(alone, (spent,), (segwit_digest(alone, 0, spent),))
    with pytest.raises(ReadingsDiffer, match="digest of input 1"):
        confirm_digests(alone, (spent,), (bytes.fromhex(case["sighash"]),))


@given(transaction=TRANSACTIONS, amount=st.integers(0, MAX_MONEY))
def test_both_read_the_same_of_any_transaction(transaction: Transaction, amount: int) -> None:
    data = transaction.encode_stripped()
    assert parse_stripped(data) == transaction
    confirm_reading(data, transaction)
    spent = (TxOut(amount, p2wpkh(b"\x02" * 33)),) * len(transaction.inputs)
    digests = tuple(segwit_digest(transaction, i, output) for i, output in enumerate(spent))
    confirm_digests(transaction, spent, digests)


# What the bytes alone can make them differ about

PLAIN = parse_psbt(transfer()).transaction
DATA = PLAIN.encode_stripped()
BARE = replace(PLAIN, inputs=(), outputs=PLAIN.outputs[:1])
"""Its counts look like the mark of a transaction with witnesses."""
ALIKE = Transaction(2, (TxIn(OutPoint(b"\x07" * 32, 5)),), (TxOut(5, b"\x51"),))


def _with_amount(amount: int) -> bytes:
    output = amount.to_bytes(8, "little", signed=True) + b"\1\x51"
    return ALIKE.encode_stripped().replace(ALIKE.outputs[0].encode(), output)


@pytest.mark.parametrize(
    ("data", "ours", "what"),
    [
        (b"", PLAIN, "does not read"),
        (DATA[:-1], PLAIN, "does not read"),
        (DATA + b"\0", PLAIN, "does not read"),
        (DATA[:4] + b"\xfd\2\0" + DATA[5:], PLAIN, "bytes"),
        (DATA[:4] + b"\0\1" + DATA[4:-4] + b"\0\0" + DATA[-4:], PLAIN, "bytes"),
        (BARE.encode_stripped(), BARE, "does not read"),
        (_with_amount(-1), ALIKE, "outputs"),
        (_with_amount(MAX_MONEY + 1), ALIKE, "outputs"),
        (replace(PLAIN, version=1).encode_stripped(), PLAIN, "version"),
        (replace(PLAIN, locktime=7).encode_stripped(), PLAIN, "lock time"),
        (replace(PLAIN, inputs=PLAIN.inputs[::-1]).encode_stripped(), PLAIN, "inputs"),
        (replace(PLAIN, outputs=PLAIN.outputs[::-1]).encode_stripped(), PLAIN, "outputs"),
    ],
    ids=[
        "empty",
        "cut",
        "trailing",
        "long count",
        "announced witnesses",
        "no inputs",
        "negative amount",
        "amount above all coins",
        "version",
        "lock time",
        "inputs",
        "outputs",
    ],
)
def test_bytes_that_are_not_what_was_decoded_are_refused(
    data: bytes, ours: Transaction, what: str
) -> None:
    with pytest.raises(ReadingsDiffer, match=rf"{what}.*nothing was signed"):
        confirm_reading(data, ours)


# Whatever the second parser reads differently, nothing is signed


class Answering:
    """A transaction of the library, of which some methods answer something else."""

    def __init__(self, transaction: CTransaction, **answers: bytes) -> None:
        self._transaction = transaction
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        if name in self._answers:
            return lambda: self._answers[name]
        return getattr(self._transaction, name)


def _altered(place: str, value: Any) -> Any:
    """Return what sets one part, such as `vout.0.nValue`, of a transaction."""

    def alter(transaction: Any) -> Any:
        changed = CMutableTransaction.from_tx(transaction)
        *path, last = place.split(".")
        part: Any = changed
        for step in path:
            part = part[int(step)] if step.isdigit() else getattr(part, step)
        setattr(part, last, value)
        return changed

    return alter


MISTAKES = {
    "version": _altered("nVersion", 1),
    "lock time": _altered("nLockTime", 0),
    "inputs, an id": _altered("vin.0.prevout.hash", bytes(32)),
    "inputs, an index": _altered("vin.0.prevout.n", 9),
    "inputs, a sequence": _altered("vin.1.nSequence", 0),
    "inputs, a script": _altered("vin.1.scriptSig", b"\x51"),
    "outputs, an amount": _altered("vout.0.nValue", 1),
    "outputs, a script": _altered("vout.1.scriptPubKey", b"\x51"),
    "id": lambda transaction: Answering(transaction, GetTxid=bytes(32)),
    "bytes": lambda transaction: Answering(transaction, serialize=b""),
}


def _mistake(monkeypatch: pytest.MonkeyPatch, alter: Any) -> None:
    read = CTransaction.deserialize
    library = SimpleNamespace(deserialize=lambda data: alter(read(data)))
    monkeypatch.setattr(second_reading, "CTransaction", library)


def _refused(data: bytes, made: tuple[bytes, ...], match: str) -> None:
    calls = (
        lambda: described(data),
        lambda: signable.payloads(data, KEYS, NETWORK),
        lambda: signable.attach(data, made, KEYS, NETWORK),
        lambda: parse_spending(data),
    )
    for call in calls:
        with pytest.raises(ReadingsDiffer, match=match):
            call()


@pytest.mark.parametrize("part", MISTAKES)
@each_account
def test_a_mistake_of_either_parser_stops_everything(
    account: Account, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = transfer(account)
    made = signatures(data)
    _mistake(monkeypatch, MISTAKES[part])
    _refused(data, made, rf"reads the {part.partition(',')[0]} differently; nothing was signed")


def test_a_parser_that_fails_stops_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    data = transfer()
    made = signatures(data)

    def fail(data: bytes) -> None:
        raise ValueError(data)

    monkeypatch.setattr(second_reading.CTransaction, "deserialize", fail)
    _refused(data, made, "does not read the transaction that was decoded; nothing was signed")


def test_another_digest_is_not_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = transfer(SEGWIT)
    made = signatures(data)
    monkeypatch.setattr(second_reading, "SignatureHash", lambda *_: bytes(32))
    for call in (
        lambda: signable.payloads(data, KEYS, NETWORK),
        lambda: signable.attach(data, made, KEYS, NETWORK),
    ):
        with pytest.raises(ReadingsDiffer, match="digest of input 1"):
            call()
    assert not described(data).red_flags


def test_a_digest_that_the_library_cannot_compute_is_ours_alone() -> None:
    transaction = replace(PLAIN, locktime=1 << 31)
    spent = (TxOut(1, p2wpkh(b"\x02" * 33)),) * 2
    confirm_digests(transaction, spent, (bytes(32),) * 2)


@each_account
def test_messages_are_read_twice_too(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    address = address_of(script_at(account, KEYS, KeyPosition(RECEIVE, 0)), NETWORK) or ""
    data = build_message(address, "hello", NETWORK)
    assert signable.payloads(data, KEYS, NETWORK)
    _mistake(monkeypatch, _altered("nVersion", 1))
    with pytest.raises(ReadingsDiffer, match="version"):
        signable.payloads(data, KEYS, NETWORK)
