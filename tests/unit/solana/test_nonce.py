"""Durable nonces: which account lasts a message, who controls it, and what is used up."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message, MessageHeader
from solders.pubkey import Pubkey
from solders.system_program import (
    AdvanceNonceAccountParams,
    AuthorizeNonceAccountParams,
    CreateAccountWithSeedParams,
    InitializeNonceAccountParams,
    WithdrawNonceAccountParams,
    advance_nonce_account,
    authorize_nonce_account,
    create_account_with_seed,
    initialize_nonce_account,
    withdraw_nonce_account,
)
from solders.transaction import Transaction

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.address import derived_account
from console.adapters.chains.solana.build import MessageTerms, build_nonce_account, build_transfer
from console.adapters.chains.solana.message import parse_message
from console.adapters.chains.solana.nonce import (
    NONCE_BYTES,
    DurableNonce,
    consumed,
    durable_nonce,
    nonce_address,
    parse_nonce_account,
)
from console.application.errors import UnknownTransaction
from tests.unit.solana.messages import FRIEND, ME, RECENT, STRANGER, described, message, noted, paid

ACCOUNT = nonce_address(ME, 0)
VALUE = Hash(bytes(range(1, 33)))
NONCE = DurableNonce(ACCOUNT, ME, VALUE)
DEPOSIT = 1_447_680


def _lasting(memo: str = "") -> bytes:
    return build_transfer(ME, FRIEND, 5, memo, MessageTerms(NONCE))


def _advanced(account: Pubkey = ACCOUNT, authority: Pubkey = ME) -> Instruction:
    return advance_nonce_account(
        AdvanceNonceAccountParams(nonce_pubkey=account, authorized_pubkey=authority)
    )


def _made(
    base: Pubkey = ME,
    account: Pubkey = ACCOUNT,
    owner: Pubkey = programs.SYSTEM,
    space: int = NONCE_BYTES,
    seed: str = "quorate-nonce-0",
) -> Instruction:
    return create_account_with_seed(
        CreateAccountWithSeedParams(
            from_pubkey=ME,
            to_pubkey=account,
            base=base,
            seed=seed,
            lamports=DEPOSIT,
            space=space,
            owner=owner,
        )
    )


def _without_base(made: Instruction) -> Instruction:
    """Leave the account of the base out, as only the payer's own base may be."""
    return Instruction(made.program_id, bytes(made.data), made.accounts[:2])


def _set_up(account: Pubkey = ACCOUNT, authority: Pubkey = ME) -> Instruction:
    return initialize_nonce_account(
        InitializeNonceAccountParams(nonce_pubkey=account, authority=authority)
    )


def test_a_lasting_transfer_says_by_which_nonce_it_lasts() -> None:
    told = described(_lasting("Invoice 4711"))
    assert told.action == "Transfer"
    assert told.red_flags == ()
    fields = dict(told.fields)
    assert fields["Durable nonce"] == str(ACCOUNT)
    assert fields["Nonce value"] == str(VALUE)
    assert "Recent blockhash" not in fields
    assert durable_nonce(parse_message(_lasting())) == NONCE


@given(
    st.binary(min_size=32, max_size=32),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
    st.sampled_from([ME, STRANGER]),
)
def test_derived_accounts_are_where_the_library_says(base: bytes, seed: str, owner: Pubkey) -> None:
    theirs = Pubkey.create_with_seed(Pubkey(base), seed, owner)
    assert derived_account(Pubkey(base), seed, owner) == theirs


def test_what_is_used_up_has_a_name() -> None:
    # The next value of the same account is another nonce.
    assert consumed(_lasting()) == consumed(_lasting("other")) == {f"nonce:{ACCOUNT}:{NONCE.value}"}
    plain = message(paid())
    assert consumed(plain) == {f"blockhash-message:{hashlib.sha256(plain).hexdigest()}"}
    making = build_nonce_account(ME, 2, DEPOSIT, MessageTerms(RECENT))
    assert consumed(making) == {
        f"nonce-account:{nonce_address(ME, 2)}",
        f"blockhash-message:{hashlib.sha256(making).hexdigest()}",
    }
    with pytest.raises(UnknownTransaction):
        consumed(b"\0")


def test_the_making_of_a_nonce_is_told_and_needs_one_signature() -> None:
    data = build_nonce_account(ME, 0, DEPOSIT, MessageTerms(RECENT))
    told = described(data)
    assert told.action == "Create durable nonce"
    assert told.to_address == str(ACCOUNT)
    assert told.amount.base_units == DEPOSIT
    assert told.red_flags == ()
    assert parse_message(data).signers == (ME,)
    assert data == message(_made(), _set_up())


def test_the_machine_makes_the_account_that_is_read() -> None:
    svm, payer = LiteSVM(), Keypair.from_seed(bytes([1]) * 32)
    svm.airdrop(ME, 10**10)
    data = build_nonce_account(ME, 0, DEPOSIT, MessageTerms(svm.latest_blockhash()))
    svm.send_transaction(Transaction([payer], Message.from_bytes(data), svm.latest_blockhash()))
    account = svm.get_account(ACCOUNT)
    assert account is not None
    read = parse_nonce_account(ACCOUNT, account.owner, account.data)
    assert read is not None
    assert (read.account, read.authority) == (ACCOUNT, ME)
    for owner, data in (
        (programs.STAKE, account.data),
        (programs.SYSTEM, account.data[:-1]),
        (programs.SYSTEM, account.data + b"\0"),
        (programs.SYSTEM, bytes(80)),
        (programs.SYSTEM, b""),
        (programs.SYSTEM, b"\0" + account.data[1:]),
    ):
        assert parse_nonce_account(ACCOUNT, owner, data) is None


ODD = {
    "not first": (paid(), _advanced()),
    "twice": (_advanced(), _advanced(), paid()),
    "another's": (_advanced(authority=STRANGER), paid()),
    "another's alone": (_advanced(authority=STRANGER),),
    "alone and noted": (_advanced(), noted(b"hello")),
    "made and left": (_made(),),
    "made for another program": (_made(owner=programs.STAKE), _set_up()),
    "made from another base": (_without_base(_made(base=FRIEND)), _set_up()),
    "made from another base that signs": (_made(base=FRIEND), _set_up()),
    "made elsewhere": (_made(account=STRANGER), _set_up(STRANGER)),
    "made too large": (_made(space=81), _set_up()),
    "made with another seed": (_made(seed="quorate-nonce-1"), _set_up()),
    "made for another": (_made(), _set_up(authority=STRANGER)),
    "not made": (_set_up(),),
    "two made": (
        _made(),
        _set_up(),
        _made(account=nonce_address(ME, 1), seed="quorate-nonce-1"),
        _set_up(nonce_address(ME, 1)),
    ),
    "given away": (
        authorize_nonce_account(
            AuthorizeNonceAccountParams(
                nonce_pubkey=ACCOUNT, authorized_pubkey=ME, new_authority=STRANGER
            )
        ),
    ),
    "taken by another": (
        withdraw_nonce_account(
            WithdrawNonceAccountParams(
                nonce_pubkey=ACCOUNT, authorized_pubkey=ME, to_pubkey=STRANGER, lamports=5
            )
        ),
    ),
}


ODD_FLAGS = {
    "not first": "used up that is not the one this message lasts by",
    "twice": "used up that is not the one this message lasts by",
    "another's": "is in the hands of another account",
    "another's alone": "is in the hands of another account",
    "alone and noted": "0 transfers instead of one",
    "made and left": "leaves it as it is",
    "made for another program": "makes an account for Stake",
    "made from another base": "made by another account than the one that pays",
    "made from another base that signs": "2 signatures are asked for",
    "made elsewhere": "does not follow from its seed",
    "made too large": "size is not what its use needs",
    "made with another seed": "does not follow from its seed",
    "made for another": "is in the hands of another key",
    "not made": "sets up an account that the same message does not make",
    "two made": "It does 2 things instead of one",
    "given away": "gives a durable nonce to another key",
    "taken by another": "to is another account than the one that pays",
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_odd_is_flagged(case: str) -> None:
    assert ODD_FLAGS[case] in " ".join(described(message(*ODD[case])).red_flags)


@pytest.mark.parametrize(
    ("case", "flag"),
    [
        ("not first", "not the one this message lasts by"),
        ("another's", "in the hands of another account"),
        ("made and left", "leaves it as it is"),
        ("made from another base", "made by another account"),
        ("made elsewhere", "does not follow from its seed"),
        ("made too large", "size is not what its use needs"),
        ("made for another", "in the hands of another key"),
        ("not made", "the same message does not make"),
    ],
)
def test_the_flag_says_what_is_odd(case: str, flag: str) -> None:
    told = described(message(*ODD[case]))
    assert any(flag in found for found in told.red_flags)


def test_coins_may_come_back_from_a_nonce() -> None:
    back = WithdrawNonceAccountParams(
        nonce_pubkey=ACCOUNT, authorized_pubkey=ME, to_pubkey=ME, lamports=DEPOSIT
    )
    told = described(message(withdraw_nonce_account(back)))
    assert (told.action, told.to_address) == ("Withdraw from durable nonce", str(ME))
    assert told.amount.base_units == DEPOSIT
    assert told.red_flags == ()


def test_a_nonce_that_cannot_be_written_does_not_last_a_message() -> None:
    plain = Message.from_bytes(_lasting())
    header = plain.header
    # All accounts but the payer are only read: the chain then sees an ordinary blockhash.
    frozen = MessageHeader(1, 0, len(plain.account_keys) - 1)
    data = bytearray(bytes(plain))
    data[2] = frozen.num_readonly_unsigned_accounts
    assert header.num_readonly_unsigned_accounts < frozen.num_readonly_unsigned_accounts
    assert durable_nonce(parse_message(bytes(data))) is None
    assert "Recent blockhash" in dict(described(bytes(data)).fields)
    assert next(iter(consumed(bytes(data)))).startswith("blockhash-message:")


def test_no_bit_of_a_lasting_transfer_is_without_meaning() -> None:
    data = _lasting("Invoice 4711")
    honest = described(data)
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            told = described(bytes(changed))
        except UnknownTransaction:
            continue
        same = (told.to_address, told.amount, told.fields, told.red_flags) == (
            honest.to_address,
            honest.amount,
            honest.fields,
            honest.red_flags,
        )
        # Only the header's counts of read-only accounts say nothing about what moves.
        assert not same or bit // 8 in {1, 2}
