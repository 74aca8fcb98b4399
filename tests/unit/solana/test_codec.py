"""Solana messages are described as they are, or refused."""

import hashlib
import random
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageHeader
from solders.pubkey import Pubkey
from solders.system_program import (
    CreateAccountParams,
    TransferParams,
    create_account,
    decode_transfer,
    transfer,
)
from solders.transaction import Transaction

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.message import MAX_MESSAGE_BYTES
from console.application.errors import (
    ChainUnavailable,
    InvalidAddress,
    TransactionError,
    UnknownTransaction,
)
from console.domain.values import Network
from tests.fakes import solana_messages as codec

SAMPLES = 5_000
PAYER, OTHER, THIRD = (Keypair.from_seed(bytes([n]) * 32) for n in (1, 2, 3))
RECENT = Hash(bytes(range(32)))
PAYER_KEY, OTHER_KEY = PAYER.pubkey(), OTHER.pubkey()


def _transfer(source: Pubkey = PAYER_KEY, to: Pubkey = OTHER_KEY, lamports: int = 5) -> Instruction:
    return transfer(TransferParams(from_pubkey=source, to_pubkey=to, lamports=lamports))


def _memo(data: bytes) -> Instruction:
    return Instruction(programs.MEMO, data, [AccountMeta(PAYER.pubkey(), True, False)])


def _message(*instructions: Instruction, payer: Pubkey = PAYER_KEY) -> bytes:
    return bytes(Message.new_with_blockhash(list(instructions), payer, RECENT))


def _flags(data: bytes) -> tuple[str, ...]:
    return codec.describe_message(data, Network.DEVNET).red_flags


def _raw(
    *,
    header: tuple[int, int, int] = (1, 0, 1),
    keys: tuple[Pubkey, ...] = (PAYER_KEY, OTHER_KEY, programs.SYSTEM),
    program: int = 2,
    accounts: bytes = b"\x00\x01",
    lamports: int = 5,
    count: bytes | None = None,
) -> bytes:
    """Write a one-transfer message by hand, right or wrong."""
    data = struct.pack("<IQ", 2, lamports)
    return b"".join(
        (
            bytes(header),
            count or bytes([len(keys)]),
            *(bytes(key) for key in keys),
            bytes(RECENT),
            b"\x01",
            bytes([program, len(accounts)]),
            accounts,
            bytes([len(data)]),
            data,
        )
    )


def _built(memo: str = "", lamports: int = 5) -> bytes:
    return codec.build_transfer(
        bytes(PAYER.pubkey()), str(OTHER.pubkey()), lamports, memo, str(RECENT)
    )


def _decoded_by_the_library(data: bytes) -> tuple[str, str, int, list[str], str]:
    message = Message.from_bytes(data)
    keys = message.account_keys
    sent, memos = None, []
    for compiled in message.instructions:
        program = keys[compiled.program_id_index]
        accounts = [AccountMeta(keys[i], message.is_signer(i), True) for i in compiled.accounts]
        instruction = Instruction(program, bytes(compiled.data), accounts)
        if program == programs.MEMO:
            memos.append(instruction.data.decode())
        else:
            sent = decode_transfer(instruction)
    assert sent is not None
    return (
        str(sent["from_pubkey"]),
        str(sent["to_pubkey"]),
        sent["lamports"],
        memos,
        str(message.recent_blockhash),
    )


def test_descriptions_agree_with_an_independent_decoding() -> None:
    seed = 20_240_611
    chance = random.Random(seed)  # noqa: S311  reproducible on purpose
    people = [Keypair.from_seed(chance.randbytes(32)).pubkey() for _ in range(64)]
    for number in range(SAMPLES):
        payer, to = chance.sample(people, 2)
        lamports = chance.randrange(1, 1 << chance.choice((8, 32, 64)))
        letters = "abc XYZ 0189 äöü €漢字🙂"
        memo = "".join(chance.choices(letters, k=chance.randrange(0, 40))).strip()
        data = codec.build_transfer(
            bytes(payer), str(to), lamports, memo, str(Hash(chance.randbytes(32)))
        )
        source, destination, amount, memos, recent = _decoded_by_the_library(data)
        told = codec.describe_message(data, Network.DEVNET)
        where = f"seed {seed}, number {number}"
        assert (told.from_address, told.to_address) == (source, destination), where
        assert told.amount.base_units == amount == lamports, where
        assert [v for k, v in told.fields if k == "Memo"] == memos == [memo] * bool(memo), where
        assert dict(told.fields)["Recent blockhash"] == recent, where
        assert told.fee.base_units == codec.LAMPORTS_PER_SIGNATURE, where
        assert told.digest == hashlib.sha256(data).digest(), where
        assert told.red_flags == (), where


def test_a_signed_message_is_what_the_library_would_have_signed() -> None:
    data = _built("Invoice 4711")
    signature = PAYER.sign_message(data)
    signed = codec.attach_signature(data, (bytes(signature),))
    theirs = Transaction([PAYER], Message.from_bytes(data), RECENT)
    assert signed.transaction == bytes(theirs)
    assert signed.transaction_id == str(theirs.signatures[0])


@pytest.mark.parametrize("count", [0, 1, 63, 180])
def test_memos_up_to_the_limit_are_built(count: int) -> None:
    told = codec.describe_message(_built("m" * count), Network.DEVNET)
    assert dict(told.fields).get("Memo", "") == "m" * count


@pytest.mark.parametrize(
    "memo",
    ["m" * 181, "€" * 61, "\ud800", "two\nlines", "a\u202eb", "\x00", "a\u200b", " 4711", "4711 "],
)
def test_a_memo_that_is_too_long_or_hides_something_is_not_built(memo: str) -> None:
    with pytest.raises(TransactionError, match="memo"):
        _built(memo)


@pytest.mark.parametrize("lamports", [0, -1, 1 << 64])
def test_an_impossible_amount_is_not_built(lamports: int) -> None:
    with pytest.raises(TransactionError, match="amount"):
        _built(lamports=lamports)


@pytest.mark.parametrize("blockhash", ["", "x", "z" * 44, "1" * 1000, "é" * 32])
def test_a_false_blockhash_is_the_nodes_fault(blockhash: str) -> None:
    with pytest.raises(ChainUnavailable):
        codec.build_transfer(bytes(PAYER.pubkey()), str(OTHER.pubkey()), 5, "", blockhash)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_the_wrong_size_has_no_address(size: int) -> None:
    with pytest.raises(InvalidAddress):
        codec.address_of(bytes(size))


@pytest.mark.parametrize(
    "text",
    ["", " ", "1" * 31, "1" * 45, "0" * 44, "z" * 44, "é" * 40, str(programs.TOKEN), "I" * 43],
)
def test_what_nobody_can_pay_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress):
        codec.parse_address(text)


@given(st.text(max_size=60))
def test_any_text_is_an_address_in_its_only_form_or_refused(text: str) -> None:
    try:
        parsed = codec.parse_address(text)
    except InvalidAddress:
        return
    assert str(parsed) == text


def test_a_handwritten_transfer_is_the_built_one() -> None:
    assert _raw() == _built()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no Solana message"),
        (_built() + b"\x00", "canonical"),
        (_built()[:-1], "no Solana message"),
        (_raw(count=b"\x83\x00"), "no Solana message|canonical"),
        (bytes(MAX_MESSAGE_BYTES + 1), "no Solana message"),
        (_raw(header=(0, 0, 1)), "points|contradicts"),
        (_raw(header=(4, 0, 0)), "points|contradicts"),
        (_raw(header=(1, 1, 1)), "contradicts"),
        (_raw(header=(1, 0, 3)), "contradicts"),
        (_raw(program=3), "points"),
        (_raw(accounts=b"\x00\x09"), "points"),
        (_raw(keys=(PAYER.pubkey(), PAYER.pubkey(), programs.SYSTEM)), "twice"),
    ],
)
def test_bytes_that_are_no_strict_message_are_refused(data: bytes, why: str) -> None:
    for judge in (codec.parse_message, lambda d: codec.describe_message(d, Network.DEVNET)):
        with pytest.raises(UnknownTransaction, match=why):
            judge(data)
    with pytest.raises(UnknownTransaction):
        codec.attach_signature(data, (bytes(64),))


def _two_signers() -> bytes:
    return _message(_transfer(), _transfer(source=OTHER.pubkey(), to=THIRD.pubkey()))


@pytest.mark.parametrize(
    ("data", "flag"),
    [
        (_two_signers(), "2 signatures are asked for"),
        (_two_signers(), "Coins leave another account"),
        (_two_signers(), "2 transfers instead of one"),
        (_message(_memo(b"alone")), "0 transfers instead of one"),
        (_message(), "0 transfers instead of one"),
        (_message(_transfer(lamports=0)), "The transfer moves nothing"),
        (_message(_transfer(to=programs.CLOCK)), "a program or a part of the cluster"),
        (_message(_transfer(), _memo(b"\xff\xfe")), "The memo is not text"),
        (_message(_transfer(), _memo(b"a\nb")), "cannot be seen"),
        (_message(_transfer(), _memo("safe\u202eevil".encode())), "cannot be seen"),
        (
            _message(_transfer(), Instruction(THIRD.pubkey(), b"\x01", [])),
            "which is not understood",
        ),
        (
            _message(
                create_account(
                    CreateAccountParams(
                        from_pubkey=PAYER.pubkey(),
                        to_pubkey=OTHER.pubkey(),
                        lamports=5,
                        space=0,
                        owner=THIRD.pubkey(),
                    )
                )
            ),
            "an account with a key of its own",
        ),
    ],
)
def test_what_is_odd_becomes_a_red_flag(data: bytes, flag: str) -> None:
    assert any(flag in told for told in _flags(data))


def test_a_longer_transfer_instruction_is_not_read_as_a_transfer() -> None:
    plain = _transfer()
    for odd in (
        Instruction(plain.program_id, bytes(plain.data) + b"\x00", plain.accounts),
        Instruction(plain.program_id, bytes(plain.data)[:-1], plain.accounts),
        Instruction(plain.program_id, b"\x03" + bytes(plain.data)[1:], plain.accounts),
        Instruction(plain.program_id, bytes(plain.data), [*plain.accounts, plain.accounts[0]]),
    ):
        told = codec.describe_message(_message(odd), Network.DEVNET)
        assert told.amount.base_units == 0
        assert any("not understood" in flag for flag in told.red_flags)


def test_every_destination_and_every_memo_is_shown() -> None:
    data = _message(
        _transfer(), _memo(b"one"), _transfer(to=THIRD.pubkey(), lamports=7), _memo(b"two")
    )
    told = codec.describe_message(data, Network.DEVNET)
    assert told.amount.base_units == 12
    assert [value for label, value in told.fields if label == "Memo"] == ["one", "two"]
    assert ("Transfer 2 to", str(THIRD.pubkey())) in told.fields


def test_a_hidden_character_is_written_out() -> None:
    told = codec.describe_message(
        _message(_transfer(), _memo("a\u202eb\n".encode())), Network.DEVNET
    )
    assert dict(told.fields)["Memo"] == "a\\u202eb\\n"


@pytest.mark.parametrize(
    "signatures", [(), (bytes(63),), (bytes(65),), (b"",), (bytes(64), bytes(64))]
)
def test_one_signature_of_64_bytes_is_needed(signatures: tuple[bytes, ...]) -> None:
    with pytest.raises(TransactionError, match="exactly one signature"):
        codec.attach_signature(_built(), signatures)


@pytest.mark.parametrize("count", [1, 2])
def test_a_message_for_two_signers_is_never_attached(count: int) -> None:
    with pytest.raises(TransactionError, match="exactly one signature"):
        codec.attach_signature(_two_signers(), (bytes(64),) * count)


def _flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_no_single_bit_is_without_meaning() -> None:
    data = _built("Invoice 4711")
    honest = codec.describe_message(data, Network.DEVNET)
    for bit in range(len(data) * 8):
        try:
            told = codec.describe_message(_flip(data, bit), Network.DEVNET)
        except UnknownTransaction:
            continue
        assert told.digest != honest.digest
        said = (told.from_address, told.to_address, told.amount, told.fields, told.red_flags)
        same = said == (
            honest.from_address,
            honest.to_address,
            honest.amount,
            honest.fields,
            honest.red_flags,
        )
        # Only the header's count of read-only accounts says nothing about what moves.
        assert not same or bit // 8 in {1, 2}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_no_bytes_make_the_parser_fall_over(data: bytes, with_header: bool) -> None:
    parse: Callable[[bytes], object] = codec.parse_message
    try:
        parse(bytes([1, 0, 1]) + data if with_header else data)
    except UnknownTransaction:
        return


def test_the_header_type_is_the_librarys() -> None:
    assert Message.from_bytes(_built()).header == MessageHeader(1, 0, 1)
