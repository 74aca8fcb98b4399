"""Unsigned transactions: what no node takes, and what could be read twice, is not read at all."""

import pytest
from coincurve import PrivateKey

from console.adapters.chains.ethereum import strict_rlp
from console.adapters.chains.ethereum.authorization import (
    Authorization,
    SignedAuthorization,
    parse_authorization,
)
from console.adapters.chains.ethereum.build import call_data
from console.adapters.chains.ethereum.fields import AccessEntry
from console.adapters.chains.ethereum.signable import attach, parse
from console.adapters.chains.ethereum.signature import ORDER, Signature, parse_signature
from console.adapters.chains.ethereum.signed import parse_signed
from console.adapters.chains.ethereum.strict_rlp import Item
from console.adapters.chains.ethereum.transaction import (
    MAX_CHAIN_ID,
    MAX_TRANSACTION_BYTES,
    TransactionKind,
    parse_transaction,
)
from console.application.errors import TransactionError, UnknownTransaction
from tests.unit.ethereum.drafts import Draft, build_authorization
from tests.unit.ethereum.places import CHAIN_ID, FRIEND, GWEI, KEY, ME, ROUTER, draft

ENTRY = AccessEntry(ROUTER, (b"\1" * 32, b"\2" * 32))
BLOB = b"\x01" + b"\x33" * 31


def authorized(key: PrivateKey = KEY, chain_id: int = CHAIN_ID) -> SignedAuthorization:
    content = Authorization(chain_id, ROUTER, 8)
    made = key.sign_recoverable(content.signing_hash(), hasher=None)
    return SignedAuthorization(content, parse_signature(made))


def drafts() -> dict[TransactionKind, Draft]:
    base = draft().pay(FRIEND, 5)
    return {
        TransactionKind.LEGACY: base.price(9 * GWEI, legacy=True),
        TransactionKind.ACCESS_LIST: base.price(9 * GWEI).access(ENTRY),
        TransactionKind.DYNAMIC_FEE: base.access(ENTRY),
        TransactionKind.BLOB: base.blobs(3, BLOB, BLOB),
        TransactionKind.SET_CODE: base.authorize(authorized()),
    }


@pytest.mark.parametrize("kind", TransactionKind)
def test_every_type_is_built_read_and_signed(kind: TransactionKind) -> None:
    data = drafts()[kind].build()
    transaction = parse_transaction(data)
    assert transaction.kind is kind
    assert transaction.encode() == data
    made = parse_signature(KEY.sign_recoverable(transaction.signing_hash(), hasher=None))
    signed = attach(data, made, CHAIN_ID)
    assert signed.sender == ME
    assert parse_signed(signed.content) == (transaction, made, signed)


@pytest.mark.parametrize("kind", TransactionKind)
def test_a_transaction_that_is_signed_already_is_refused(kind: TransactionKind) -> None:
    data = drafts()[kind].build()
    made = parse_signature(
        KEY.sign_recoverable(parse_transaction(data).signing_hash(), hasher=None)
    )
    with pytest.raises(UnknownTransaction):
        parse_transaction(attach(data, made, CHAIN_ID).content)


@pytest.mark.parametrize("kind", TransactionKind)
def test_another_chain_is_refused(kind: TransactionKind) -> None:
    with pytest.raises(UnknownTransaction, match=f"for chain {CHAIN_ID}"):
        parse(drafts()[kind].build(), 1)


def test_the_fee_ceiling_counts_blobs() -> None:
    ceiling = 100_000 * 30 * GWEI + 2 * 131_072 * 3
    assert parse_transaction(drafts()[TransactionKind.BLOB].build()).fee_ceiling == ceiling


def _edited(kind: TransactionKind, place: int, item: Item | None) -> bytes:
    """Return the bytes with one item exchanged, or one more at the end for None."""
    data = drafts()[kind].build()
    head = b"" if kind is TransactionKind.LEGACY else data[:1]
    items = strict_rlp.decode(data[len(head) :])
    assert isinstance(items, list)
    if item is None:
        items.append(b"")
    else:
        items[place] = item
    return head + strict_rlp.encode(items)


L, A, D = TransactionKind.LEGACY, TransactionKind.ACCESS_LIST, TransactionKind.DYNAMIC_FEE
B, S = TransactionKind.BLOB, TransactionKind.SET_CODE
FULL = b"\xff" * 32
EDITS: list[tuple[TransactionKind, int, Item | None, str]] = [
    (L, 0, b"\xff" * 8, "nonce is the last"),
    (L, 0, b"\1" + bytes(8), "nonce is larger"),
    (L, 0, b"\0\1", "begins with zeros"),
    (L, 0, [], "list instead of a number"),
    (L, 1, b"\1" + bytes(32), "gas price is larger"),
    (L, 1, FULL, "more than any account"),
    (L, 2, b"\1" + bytes(8), "gas limit is larger"),
    (L, 3, FRIEND[1:], "19 bytes instead of 20"),
    (L, 3, [], "list instead of bytes"),
    (L, 4, FULL, "more than any account"),
    (L, 5, [], "list instead of bytes"),
    (L, 6, b"", "chain id is 0"),
    (L, 6, (MAX_CHAIN_ID + 1).to_bytes(8, "big"), "too large"),
    (L, 7, b"\1", "signature already"),
    (L, 8, b"\1", "signature already"),
    (L, 0, None, "10 items instead of 9"),
    (A, 0, b"", "chain id is 0"),
    (A, 7, b"", "access list is no list"),
    (A, 7, [[ROUTER]], "1 items instead of 2"),
    (A, 7, [[ROUTER, [b"\1"]]], "1 bytes instead of 32"),
    (A, 7, [[ROUTER[1:], []]], "19 bytes"),
    (A, 7, [[ROUTER, [[]]]], "list instead of bytes"),
    (D, 3, b"\1", "tip is higher"),
    (D, 0, None, "10 items instead of 9"),
    (B, 5, b"", "cannot create a contract"),
    (B, 10, [], "from 1 to 16 blobs"),
    (B, 10, [BLOB] * 17, "from 1 to 16 blobs"),
    (B, 10, [b"\2" + BLOB[1:]], "version that is known"),
    (B, 10, [BLOB[1:]], "31 bytes instead of 32"),
    (S, 5, b"", "cannot create a contract"),
    (S, 9, [], "without authorisations"),
    (S, 9, [[]], "0 items instead of 6"),
    (S, 9, [[b"\1", ROUTER, b"", b"\2", b"\1", b"\1"]], "recovery id"),
    (S, 9, [[b"\1", ROUTER, b"", b"", b"", b"\1"]], "out of range"),
    (S, 9, [[b"\1", ROUTER, b"", b"", b"\1", (ORDER - 1).to_bytes(32, "big")]], "malleable"),
]


@pytest.mark.parametrize(("kind", "place", "item", "reason"), EDITS)
def test_what_no_node_takes_is_refused(
    kind: TransactionKind, place: int, item: Item | None, reason: str
) -> None:
    with pytest.raises(UnknownTransaction, match=reason):
        parse_transaction(_edited(kind, place, item))


def test_a_transaction_before_eip_155_is_refused() -> None:
    items = strict_rlp.decode(drafts()[L].build())
    assert isinstance(items, list)
    with pytest.raises(UnknownTransaction, match="replayed"):
        parse_transaction(strict_rlp.encode(items[:6]))


@pytest.mark.parametrize("data", [b"", b"\0", b"\x05\xc0", b"\x7f\xc0", b"\x02\x80", b"\x02"])
def test_what_is_no_transaction_is_refused(data: bytes) -> None:
    with pytest.raises(UnknownTransaction):
        parse_transaction(data)


def test_large_transactions_are_refused() -> None:
    with pytest.raises(UnknownTransaction, match="128 KiB"):
        parse_transaction(b"\x02" + bytes(MAX_TRANSACTION_BYTES))


SIGNATURES = {
    "short": bytes(64),
    "zeros": bytes(65),
    "r too large": ORDER.to_bytes(32, "big") + b"\1" * 33,
    "high s": b"\1" * 32 + (ORDER // 2 + 1).to_bytes(32, "big") + b"\0",
    "recovery id 2": b"\1" * 64 + b"\2",
    "recovery id 27": b"\1" * 64 + b"\x1b",
    "no point": b"\0" * 31 + b"\5" + b"\1" * 32 + b"\0",
}


@pytest.mark.parametrize("made", SIGNATURES.values(), ids=SIGNATURES)
def test_what_is_no_signature_is_refused(made: bytes) -> None:
    with pytest.raises(TransactionError):
        attach(drafts()[D].build(), parse_signature(made), CHAIN_ID)


def test_a_flipped_bit_in_the_signature_is_another_sender() -> None:
    data = drafts()[D].build()
    made = KEY.sign_recoverable(parse_transaction(data).signing_hash(), hasher=None)
    other = made[:64] + bytes([made[64] ^ 1])
    assert attach(data, parse_signature(other), CHAIN_ID).sender != ME


def test_an_authorisation_is_signed_and_carried() -> None:
    data = build_authorization(CHAIN_ID, ROUTER, 8)
    assert parse_authorization(data) == Authorization(CHAIN_ID, ROUTER, 8)
    made = parse_signature(
        KEY.sign_recoverable(Authorization(CHAIN_ID, ROUTER, 8).signing_hash(), hasher=None)
    )
    signed = attach(data, made, CHAIN_ID)
    assert signed.sender == ME
    assert signed.content == strict_rlp.encode(authorized().item())


@pytest.mark.parametrize("data", [b"\x05", b"\x05\xc0", b"\x05" + bytes(200), b"\x05\x80"])
def test_what_is_no_authorisation_is_refused(data: bytes) -> None:
    with pytest.raises(UnknownTransaction):
        parse_authorization(data)


@pytest.mark.parametrize(
    "wrong",
    [
        Draft(CHAIN_ID, 1).pay(FRIEND, 1),
        draft(-1).pay(FRIEND, 1),
        draft(1 << 64).pay(FRIEND, 1),
        draft().pay(FRIEND, -1),
        draft().pay(FRIEND, 1 << 256),
        draft().pay(b"", 1),
        draft().pay(FRIEND[:19], 1),
        draft().pay(FRIEND, 1).fees(1, 2),
        draft().pay(FRIEND, 1).price(1, legacy=True).access(ENTRY),
        draft().create(b"\0").blobs(1, BLOB),
        draft().pay(FRIEND, 1).blobs(1, BLOB).authorize(authorized()),
        draft().call(FRIEND, bytes(MAX_TRANSACTION_BYTES)),
        Draft(0, 1).pay(FRIEND, 1).gas(1).price(1),
    ],
)
def test_a_draft_that_is_no_transaction_is_refused(wrong: Draft) -> None:
    with pytest.raises(TransactionError):
        wrong.build()


@pytest.mark.parametrize(
    ("signature", "values"),
    [
        ("mint(address)", (ME,)),
        ("transfer(address,uint256)", (ME,)),
        ("transfer(address,uint256)", (ME, -1)),
        ("transfer(address,uint256)", (ME, 1 << 256)),
        ("transfer(address,uint256)", (b"\1", 1)),
        ("multiSend(bytes)", (bytes(MAX_TRANSACTION_BYTES),)),
    ],
)
def test_values_that_do_not_fit_are_refused(signature: str, values: tuple[object, ...]) -> None:
    with pytest.raises(TransactionError):
        call_data(signature, *values)


@pytest.mark.parametrize("values", [(0, ROUTER, 1), (1, ROUTER[1:], 1), (1, ROUTER, -1)])
def test_an_authorisation_names_chain_code_and_nonce(values: tuple[int, bytes, int]) -> None:
    with pytest.raises(TransactionError):
        build_authorization(*values)


def test_cancel_and_create() -> None:
    cancelled = parse_transaction(draft(3).cancel(ME).build())
    assert (cancelled.to, cancelled.value, cancelled.nonce) == (ME, 0, 3)
    created = parse_transaction(draft().create(b"\x60\0", 9).build())
    assert (created.to, created.value, created.data) == (None, 9, b"\x60\0")


def test_a_signature_is_written_as_it_is_read() -> None:
    assert parse_signature(Signature(1, 2, 1).encode()) == Signature(1, 2, 1)
