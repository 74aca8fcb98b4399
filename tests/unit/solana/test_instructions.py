"""Each instruction that is read is one that the real program takes, and its dangers are flagged."""

import struct

import pytest
from solders.compute_budget import (
    request_heap_frame,
    set_compute_unit_limit,
    set_compute_unit_price,
    set_loaded_accounts_data_size_limit,
)
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import (
    AllocateParams,
    AllocateWithSeedParams,
    AssignParams,
    AssignWithSeedParams,
    CreateAccountParams,
    CreateAccountWithSeedParams,
    TransferWithSeedParams,
    UpgradeNonceAccountParams,
    allocate,
    allocate_with_seed,
    assign,
    assign_with_seed,
    create_account,
    create_account_with_seed,
    transfer_with_seed,
    upgrade_nonce_account,
)
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.address import token_account
from console.adapters.chains.solana.fees import MAX_UNITS
from tests.unit.solana.messages import (
    FRIEND,
    ME,
    MINT,
    PAYER,
    STRANGER,
    account_made,
    called,
    described,
    message,
    noted,
    paid,
    tokens_sent,
)

MINT_KEY = Keypair.from_seed(bytes([4]) * 32)
MINE = token_account(ME, MINT, programs.TOKEN)
FRIENDS = token_account(FRIEND, MINT, programs.TOKEN)
STAKE_ACCOUNT = Pubkey.create_with_seed(ME, "stake", programs.STAKE)
NO_LOCK = struct.pack("<qQ", 0, 0) + bytes(32)
AMOUNT = (1_000).to_bytes(8, "little")
STAKED = 3_000_000_000


class Machine:
    """The real programs: a mint whose authority is the wallet, and tokens in its account."""

    def __init__(self) -> None:
        self.svm = LiteSVM()
        self.svm.airdrop(ME, 10**12)
        lamports = self.svm.minimum_balance_for_rent_exemption(82)
        params = CreateAccountParams(
            from_pubkey=ME, to_pubkey=MINT, lamports=lamports, space=82, owner=programs.TOKEN
        )
        made = b"\x14\x06" + bytes(ME) + b"\1" + bytes(ME)
        self.take(create_account(params), called(programs.TOKEN, made, MINT), others=(MINT_KEY,))
        self.take(account_made(owner=ME), account_made(), called_token(7, AMOUNT, MINT, MINE, ME))

    def take(self, *instructions: Instruction, others: tuple[Keypair, ...] = ()) -> None:
        """Run instructions, which must succeed."""
        self.svm.expire_blockhash()
        content = Message(list(instructions), ME)
        transaction = Transaction([PAYER, *others], content, self.svm.latest_blockhash())
        result = self.svm.send_transaction(transaction)
        assert not isinstance(result, FailedTransactionMetadata), result


def called_token(tag: int, data: bytes, *accounts: Pubkey) -> Instruction:
    return called(programs.TOKEN, bytes([tag]) + data, *accounts)


def called_stake(tag: int, data: bytes, *accounts: Pubkey) -> Instruction:
    return called(programs.STAKE, tag.to_bytes(4, "little") + data, *accounts)


def stake_made(
    staker: Pubkey = ME, withdrawer: Pubkey = ME, lock: bytes = NO_LOCK
) -> tuple[Instruction, Instruction]:
    made = CreateAccountWithSeedParams(
        from_pubkey=ME,
        to_pubkey=STAKE_ACCOUNT,
        base=ME,
        seed="stake",
        lamports=STAKED,
        space=200,
        owner=programs.STAKE,
    )
    data = bytes(staker) + bytes(withdrawer) + lock
    return (
        create_account_with_seed(made),
        called_stake(0, data, STAKE_ACCOUNT, programs.RENT),
    )


def delegated(authority: Pubkey = ME) -> Instruction:
    return called_stake(
        2,
        b"",
        STAKE_ACCOUNT,
        STRANGER,
        programs.CLOCK,
        programs.STAKE_HISTORY,
        programs.STAKE_CONFIG,
        authority,
    )


def withdrawn(to: Pubkey = ME, authority: Pubkey = ME) -> Instruction:
    accounts = (STAKE_ACCOUNT, to, programs.CLOCK, programs.STAKE_HISTORY, authority)
    return called_stake(4, STAKED.to_bytes(8, "little"), *accounts)


DANGEROUS = {
    "approve": called_token(4, AMOUNT, MINE, STRANGER, ME),
    "approve checked": called_token(13, AMOUNT + b"\6", MINE, MINT, STRANGER, ME),
    "token's authority": called_token(6, b"\2\1" + bytes(STRANGER), MINE, ME),
    "no authority": called_token(6, b"\0\0", MINT, ME),
    "mint": called_token(7, AMOUNT, MINT, MINE, ME),
    "mint checked": called_token(14, AMOUNT + b"\6", MINT, MINE, ME),
    "burn": called_token(8, AMOUNT, MINE, MINT, ME),
    "burn checked": called_token(15, AMOUNT + b"\6", MINE, MINT, ME),
    "freeze": called_token(10, b"", MINE, MINT, ME),
    "unchecked transfer": called_token(3, AMOUNT, MINE, FRIENDS, ME),
}


DANGER_FLAGS = {
    "approve": "lets another key take tokens out",
    "approve checked": "lets another key take tokens out",
    "token's authority": "gives a token account or a mint to another key",
    "no authority": "gives a token account or a mint to another key",
    "mint": "makes new tokens",
    "mint checked": "makes new tokens",
    "burn": "destroys tokens",
    "burn checked": "destroys tokens",
    "freeze": "freezes a token account",
    "unchecked transfer": "does not say of which token",
}


@pytest.mark.parametrize("case", DANGEROUS)
def test_a_danger_that_the_token_program_takes_is_flagged(case: str) -> None:
    Machine().take(DANGEROUS[case])
    told = described(message(DANGEROUS[case]))
    assert DANGER_FLAGS[case] in told.red_flags[0]
    assert not any("not understood" in flag for flag in told.red_flags)
    shown = " ".join((*(value for _, value in told.fields), told.to_address))
    for meta in DANGEROUS[case].accounts:
        assert str(meta.pubkey) in f"{shown} {ME}"


def test_a_thaw_and_a_close_are_what_the_program_takes() -> None:
    machine = Machine()
    thaw = called_token(11, b"", MINE, MINT, ME)
    machine.take(DANGEROUS["freeze"])
    machine.take(thaw)
    assert "changes who may move tokens" in described(message(thaw)).red_flags[0]
    machine.take(DANGEROUS["burn"])
    close = called_token(9, b"", MINE, ME, ME)
    machine.take(close)
    told = described(message(close))
    assert (told.action, told.red_flags) == ("Close token account", ())
    for odd in (called_token(9, b"", MINE, STRANGER, ME), called_token(9, b"", MINE, ME, STRANGER)):
        assert "another account than the one that pays" in described(message(odd)).red_flags[0]


def test_taking_an_approval_back_is_no_danger() -> None:
    machine, revoke = Machine(), called_token(5, b"", MINE, ME)
    machine.take(DANGEROUS["approve"])
    machine.take(revoke)
    told = described(message(revoke))
    assert (told.action, told.red_flags) == ("Revoke", ())
    odd = described(message(called_token(5, b"", MINE, STRANGER)))
    assert "another account than the one that pays" in odd.red_flags[0]


def test_a_token_transfer_is_what_the_program_takes() -> None:
    machine = Machine()
    machine.take(account_made(), tokens_sent(amount=1000))
    holder = machine.svm.get_account(FRIENDS)
    assert holder is not None
    assert holder.data[64:72] == AMOUNT


def test_a_stake_is_told_with_its_validator() -> None:
    machine = Machine()
    machine.take(*stake_made())
    told = described(message(*stake_made(), delegated()))
    assert told.action == "Stake"
    assert told.to_address == str(STAKE_ACCOUNT)
    assert told.amount.base_units == STAKED
    assert ("Validator", str(STRANGER)) in told.fields
    assert told.red_flags == ()
    machine.take(withdrawn())
    back = described(message(withdrawn()))
    assert (back.action, back.to_address, back.red_flags) == ("Withdraw stake", str(ME), ())
    assert back.amount.base_units == STAKED


def test_a_stakes_other_authority_is_a_danger() -> None:
    given = called_stake(1, bytes(STRANGER) + bytes(4), STAKE_ACCOUNT, programs.CLOCK, ME)
    machine = Machine()
    machine.take(*stake_made())
    machine.take(given)
    assert "It gives a stake to another key" in described(message(given)).red_flags


ODD_STAKES = {
    "another staker": stake_made(staker=STRANGER),
    "another withdrawer": stake_made(withdrawer=STRANGER),
    "locked by time": stake_made(lock=struct.pack("<qQ", 1 << 40, 0) + bytes(STRANGER)),
    "locked by epoch": stake_made(lock=struct.pack("<qQ", 0, 5) + bytes(STRANGER)),
    "another who may lock": stake_made(lock=struct.pack("<qQ", 0, 0) + bytes(STRANGER)),
    "made and left": stake_made()[:1],
    "not made": stake_made()[1:],
    "delegated by another": (*stake_made(), delegated(STRANGER)),
    "to another": (withdrawn(to=FRIEND),),
    "by another": (withdrawn(authority=STRANGER),),
    "split": (called_stake(3, AMOUNT, STAKE_ACCOUNT, STRANGER, ME),),
    "locked later": (called_stake(6, bytes(3), STAKE_ACCOUNT, ME),),
    "false clock": (called_stake(5, b"", STAKE_ACCOUNT, STRANGER, ME),),
}


STAKE_FLAGS = {
    "another staker": "staker is another account",
    "another withdrawer": "withdrawer is another account",
    "locked by time": "The stake is locked",
    "locked by epoch": "The stake is locked",
    "another who may lock": "may lock it",
    "made and left": "leaves it as it is",
    "not made": "sets up an account that the same message does not make",
    "delegated by another": "Delegate stake: authority is another account",
    "to another": "Withdraw stake: to is another account",
    "by another": "Withdraw stake: authority is another account",
    "split": "moves a part of a stake to another account",
    "locked later": "Stake (lock a stake), which is not understood",
    "false clock": "Stake (Deactivate stake), which is not understood",
}


@pytest.mark.parametrize("case", ODD_STAKES)
def test_an_odd_stake_is_flagged(case: str) -> None:
    assert STAKE_FLAGS[case] in " ".join(described(message(*ODD_STAKES[case])).red_flags)


def test_the_end_of_a_stake_is_no_danger() -> None:
    told = described(message(called_stake(5, b"", STAKE_ACCOUNT, programs.CLOCK, ME)))
    assert (told.action, told.red_flags) == ("Deactivate stake", ())
    assert ("Stake account", str(STAKE_ACCOUNT)) in told.fields


DERIVED = Pubkey.create_with_seed(ME, "x", STRANGER)
SYSTEM_DANGERS = {
    "assign": assign(AssignParams(pubkey=ME, owner=STRANGER)),
    "allocate": allocate(AllocateParams(pubkey=ME, space=5)),
    "assign derived": assign_with_seed(
        AssignWithSeedParams(address=DERIVED, base=ME, seed="x", owner=STRANGER)
    ),
    "allocate derived": allocate_with_seed(
        AllocateWithSeedParams(address=DERIVED, base=ME, seed="x", space=5, owner=STRANGER)
    ),
    "transfer from derived": transfer_with_seed(
        TransferWithSeedParams(
            from_pubkey=DERIVED,
            from_base=ME,
            from_seed="x",
            from_owner=STRANGER,
            to_pubkey=FRIEND,
            lamports=5,
        )
    ),
    "upgrade nonce": upgrade_nonce_account(UpgradeNonceAccountParams(nonce_pubkey=DERIVED)),
}


SYSTEM_FLAGS = {
    "assign": "hands an account over to a program",
    "allocate": "turns an account into a data store",
    "assign derived": "hands an account over to a program",
    "allocate derived": "hands an account over to a program",
    "transfer from derived": "Coins leave another account",
    "upgrade nonce": "changes a durable nonce",
}


@pytest.mark.parametrize("case", SYSTEM_DANGERS)
def test_a_danger_of_the_system_program_is_flagged_and_understood(case: str) -> None:
    told = described(message(SYSTEM_DANGERS[case]))
    assert SYSTEM_FLAGS[case] in told.red_flags[0]
    assert not any("not understood" in flag for flag in told.red_flags)


def test_a_longer_instruction_is_not_understood() -> None:
    for plain in (*DANGEROUS.values(), *SYSTEM_DANGERS.values(), delegated(), withdrawn()):
        for data in (bytes(plain.data) + b"\0", bytes(plain.data)[:-1]):
            odd = Instruction(plain.program_id, data, plain.accounts)
            assert any("not understood" in flag for flag in described(message(odd)).red_flags)
        more = Instruction(
            plain.program_id, bytes(plain.data), [*plain.accounts, AccountMeta(ME, True, True)]
        )
        assert any("not understood" in flag for flag in described(message(more)).red_flags)


@pytest.mark.parametrize("program", sorted(programs.NAMES, key=str), ids=programs.NAMES.get)
def test_instructions_that_are_not_read_are_shown_as_they_are(program: Pubkey) -> None:
    data = b"\xf0\xde\xbc\x9a\x01"
    told = described(message(called(program, data, FRIEND)))
    if program in programs.MEMO_PROGRAMS:
        assert dict(told.fields)["Memo"] == data.hex()
        return
    name = programs.NAMES[program]
    assert f"Instruction 1 calls {name}, which is not understood" in told.red_flags
    assert dict(told.fields)["Instruction 1 data"] == data.hex()
    assert dict(told.fields)["Instruction 1 accounts"] == str(FRIEND)
    assert dict(told.fields)["Instruction 1 program"] == str(program)


@pytest.mark.parametrize(
    "odd",
    [
        called_token(6, b"\2\2" + bytes(32), MINE, ME),
        called_token(6, b"\2\1" + bytes(31), MINE, ME),
        called_token(6, b"\2", MINE, ME),
        called_token(4, bytes(7), MINE, STRANGER, ME),
        called(programs.SYSTEM, b"\3\0\0\0" + bytes(32) + b"\xff" * 8, ME, FRIEND),
        called(programs.SYSTEM, b"\3\0\0\0" + bytes(32) + b"\x21" + bytes(7 + 33), ME, FRIEND),
        called(
            programs.SYSTEM,
            b"\3\0\0\0" + bytes(32) + b"\1" + bytes(7) + b"\xff" + bytes(48),
            ME,
            FRIEND,
        ),
        called(programs.SYSTEM, b"\2\0\0", ME, FRIEND),
        called(programs.SYSTEM, b"", ME, FRIEND),
    ],
)
def test_values_that_are_cut_or_wrong_are_not_understood(odd: Instruction) -> None:
    assert any("not understood" in flag for flag in described(message(odd)).red_flags)


def test_a_seed_cannot_write_on_the_screen() -> None:
    made = CreateAccountWithSeedParams(
        from_pubkey=ME,
        to_pubkey=FRIEND,
        base=ME,
        seed="a\u202eb\n",
        lamports=5,
        space=5,
        owner=STRANGER,
    )
    told = described(message(create_account_with_seed(made)))
    assert dict(told.fields)["Seed"] == "a\\u202eb\\n"


def test_an_owner_that_ends_like_a_derivation_has_no_derived_accounts() -> None:
    owner = Pubkey(bytes(11) + b"ProgramDerivedAddress")
    made = CreateAccountWithSeedParams(
        from_pubkey=ME, to_pubkey=FRIEND, base=ME, seed="x", lamports=5, space=5, owner=owner
    )
    told = described(message(create_account_with_seed(made)))
    assert "The new account's address does not follow from its seed" in told.red_flags


def test_extensions_are_told_by_their_name() -> None:
    told = described(message(called(programs.TOKEN_2022, b"\x24\0", MINT)))
    assert any("Token-2022 (hook on transfers)" in flag for flag in told.red_flags)


@pytest.mark.parametrize(
    ("price", "limit", "priority"),
    [(0, 5, 0), (1, 1, 1), (1_000_000, 7, 7), (1_000_001, 7, 8), (5, MAX_UNITS + 5, 7)],
)
def test_the_priority_fee_is_rounded_up(price: int, limit: int, priority: int) -> None:
    told = described(message(set_compute_unit_limit(limit), set_compute_unit_price(price), paid()))
    assert told.fee.base_units == 5_000 + priority
    assert told.red_flags == ()
    assert dict(told.fields)["Compute unit price"] == str(price)


def test_without_a_limit_the_fee_is_the_most_that_it_can_be() -> None:
    told = described(message(set_compute_unit_price(1_000_000), paid()))
    assert told.fee.base_units == 5_000 + 2 * 3_000
    many = described(message(set_compute_unit_price(1_000_000), *[noted(b"x")] * 9))
    assert many.fee.base_units == 5_000 + MAX_UNITS
    most = described(message(set_compute_unit_price((1 << 64) - 1), noted(b"x"), paid()))
    assert most.fee.base_units >= 1 << 61


def test_what_is_set_twice_is_flagged_and_counted_at_its_highest() -> None:
    told = described(
        message(
            set_compute_unit_limit(1_000_000),
            set_compute_unit_limit(5),
            set_compute_unit_price(1_000_000),
            paid(),
        )
    )
    assert told.fee.base_units == 5_000 + 1_000_000
    assert any("more than once" in flag for flag in told.red_flags)


def test_other_limits_are_shown_and_no_danger() -> None:
    told = described(
        message(request_heap_frame(65_536), set_loaded_accounts_data_size_limit(5_000), paid())
    )
    assert told.red_flags == ()
    assert dict(told.fields)["Heap"] == "65536"
    assert dict(told.fields)["Loaded data limit"] == "5000"


def test_a_memo_for_another_is_flagged() -> None:
    told = described(message(paid(), noted(b"hello", signer=FRIEND)))
    assert "The memo speaks for another account than the one that pays" in told.red_flags


def test_both_memo_programs_are_read() -> None:
    told = described(message(paid(), called(programs.MEMO_V1, b"hello")))
    assert (dict(told.fields)["Memo"], told.red_flags) == ("hello", ())
