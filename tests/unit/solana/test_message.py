"""Messages of both versions are read in their only form, or refused."""

import pytest
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import AccountMeta, Instruction
from solders.message import Message, MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from console.adapters.chains.solana.message import (
    MAX_MESSAGE_BYTES,
    attach_signature,
    join,
    parse_message,
)
from console.application.errors import TransactionError, UnknownTransaction
from tests.unit.solana.messages import (
    FRIEND,
    ME,
    OTHER,
    PAYER,
    RECENT,
    STRANGER,
    called,
    described,
    message,
    noted,
    paid,
)

TABLE = Pubkey.find_program_address([b"table"], STRANGER)[0]


def _v0(*, lookup: bool = False) -> bytes:
    tables = [AddressLookupTableAccount(TABLE, [STRANGER, FRIEND])] if lookup else []
    return to_bytes_versioned(MessageV0.try_compile(ME, [paid()], tables, RECENT))


def test_the_same_transfer_says_the_same_in_both_versions() -> None:
    old, new = described(message(paid())), described(_v0())
    assert (old.to_address, old.amount, old.fee, old.fields) == (
        new.to_address,
        new.amount,
        new.fee,
        new.fields,
    )
    assert old.red_flags == new.red_flags == ()
    assert old.digest != new.digest


@pytest.mark.parametrize("data", [message(paid()), _v0()], ids=["legacy", "v0"])
def test_a_signed_message_is_what_the_library_would_have_signed(data: bytes) -> None:
    signed = attach_signature(data, (bytes(PAYER.sign_message(data)),))
    theirs = VersionedTransaction(parse_message(data).library, [PAYER])
    assert signed.transaction == bytes(theirs) == join(parse_message(data), (bytes(theirs)[1:65],))
    assert signed.transaction_id == str(theirs.signatures[0])


@pytest.mark.parametrize("signature", [bytes(64), bytes(OTHER.sign_message(message(paid())))])
def test_anothers_signature_is_refused(signature: bytes) -> None:
    with pytest.raises(TransactionError, match="not of the account"):
        attach_signature(message(paid()), (signature,))


def test_accounts_from_a_table_are_not_understood() -> None:
    told = described(_v0(lookup=True))
    assert any(f"from the table {TABLE}" in flag for flag in told.red_flags)
    assert any("System (Transfer), which is not understood" in flag for flag in told.red_flags)
    assert dict(told.fields)["Accounts from table"] == f"{TABLE} 01 "
    assert told.to_address == ""


def test_an_account_from_a_table_is_not_left_out() -> None:
    """Two listed accounts and one of a table are no transfer between the two."""
    plain = paid()
    longer = Instruction(
        plain.program_id, bytes(plain.data), [*plain.accounts, AccountMeta(STRANGER, False, True)]
    )
    tables = [AddressLookupTableAccount(TABLE, [STRANGER])]
    data = to_bytes_versioned(MessageV0.try_compile(ME, [longer], tables, RECENT))
    call = parse_message(data).calls[0]
    assert (call.accounts, call.complete) == ((ME, FRIEND), False)
    assert described(data).to_address == ""


def _with_lookup(writable: bytes, readonly: bytes, index: int) -> bytes:
    plain = _v0()
    # The instruction's second account is the third byte from its data of 12 bytes and a length.
    place = len(plain) - 1 - 12 - 1 - 1
    data = bytearray(plain[:-1])
    data[place] = index
    return bytes(data) + b"\1" + bytes(TABLE) + _list(writable) + _list(readonly)


def _list(entries: bytes) -> bytes:
    length = len(entries)
    head = bytes([length]) if length < 128 else bytes([length & 0x7F | 0x80, length >> 7])
    return head + entries


def test_lookups_may_load_what_a_message_may_point_to_and_no_more() -> None:
    assert parse_message(_with_lookup(b"\0", b"\1", 4)).tables
    for wrong in (
        _with_lookup(b"", b"", 1),
        _with_lookup(b"\0", b"\1", 5),
        _with_lookup(bytes(254), b"", 1),
    ):
        with pytest.raises(UnknownTransaction, match=r"lookups|points"):
            parse_message(wrong)


@pytest.mark.parametrize("first", [0x81, 0x82, 0xFF])
def test_a_version_that_is_not_known_is_refused(first: int) -> None:
    for data in (bytes([first]) + _v0()[1:], bytes([first]) + message(paid())):
        with pytest.raises(UnknownTransaction):
            parse_message(data)


def test_the_account_that_pays_is_no_program() -> None:
    data = bytearray(message(paid()))
    # Behind the header, 3 accounts and the blockhash: one instruction, and its program.
    place = 4 + 3 * 32 + 32 + 1
    assert data[place] == 2
    data[place] = 0
    with pytest.raises(UnknownTransaction, match="points"):
        parse_message(bytes(data))


def test_a_whole_packet_is_read_and_no_more() -> None:
    room = MAX_MESSAGE_BYTES - len(message(noted(b"")))
    # A memo of this length has its own length in two bytes.
    longest = message(noted(b"m" * (room - 1)))
    assert len(longest) == MAX_MESSAGE_BYTES
    assert dict(described(longest).fields)["Memo"] == "m" * (room - 1)
    with pytest.raises(UnknownTransaction, match="one packet"):
        parse_message(message(noted(b"m" * room)))


def test_what_cannot_be_shown_is_refused() -> None:
    many = message(*(called(STRANGER, b"") for _ in range(340)))
    assert len(many) <= MAX_MESSAGE_BYTES
    with pytest.raises(UnknownTransaction, match="more than can be shown"):
        described(many)


def test_another_payer_is_flagged() -> None:
    told = described(message(paid(source=FRIEND, to=ME), payer=FRIEND))
    assert told.from_address == str(FRIEND)
    assert any("Another account than this wallet's pays" in flag for flag in told.red_flags)


def test_all_signers_are_told() -> None:
    told = described(message(paid(), paid(source=FRIEND, to=STRANGER)))
    assert ("Also signs", str(FRIEND)) in told.fields
    assert told.fee.base_units == 10_000


def test_the_types_are_the_librarys() -> None:
    assert isinstance(parse_message(message(paid())).library, Message)
    assert isinstance(parse_message(_v0()).library, MessageV0)
