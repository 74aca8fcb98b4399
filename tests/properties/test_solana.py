"""Solana: what is shown is what others decode, what the machine does, and no other bytes show it.

The other decoders are the library's own; token instructions are unpacked here once more by hand.
"""

import struct
from collections import Counter
from dataclasses import replace
from itertools import chain

from hypothesis import assume, given
from hypothesis import strategies as st
from solders.account import Account
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.litesvm import LiteSVM
from solders.message import (
    Message,
    MessageV0,
    from_bytes_versioned,
    to_bytes_versioned,
)
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import (
    AdvanceNonceAccountParams,
    advance_nonce_account,
)
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.address import token_account
from console.adapters.chains.solana.build import (
    MessageTerms,
    MintFacts,
    build_nonce_account,
    build_token_transfer,
    build_transfer,
)
from console.adapters.chains.solana.message import MAX_MESSAGE_BYTES, parse_message
from console.adapters.chains.solana.nonce import DurableNonce, consumed, nonce_address
from console.domain.transaction import TransactionDescription
from tests.properties.damage import mutated, only_refused, told_of_flipped
from tests.properties.depth import examples
from tests.unit.solana.decoded import Decoded
from tests.unit.solana.messages import (
    FRIEND,
    ME,
    MINT,
    OFF_CURVE,
    STRANGER,
    account_made,
    called,
    described,
    noted,
    paid,
    tokens_sent,
)
from tests.unit.solana.test_instructions import DANGEROUS, SYSTEM_DANGERS, delegated, stake_made

PEOPLE = st.sampled_from([FRIEND, FRIEND, STRANGER, ME, OFF_CURVE])
PAYERS = st.sampled_from([ME, ME, ME, ME, STRANGER])
NUMBERS = st.one_of(st.integers(0, 9), st.integers(0, (1 << 64) - 1))
MEMOS = st.text(st.characters(categories=("L", "N", "P")), max_size=40)
HASHES = st.binary(min_size=32, max_size=32).map(Hash)
PROGRAMS = st.sampled_from([programs.TOKEN, programs.TOKEN_2022])
NONCE = nonce_address(ME, 0)
UNKNOWN = Pubkey(bytes([5]) * 32)
OTHERS = [*DANGEROUS.values(), *SYSTEM_DANGERS.values(), delegated(), *stake_made()]


@st.composite
def pieces(draw: st.DrawFn) -> list[Instruction]:
    """One thing that a message may do, alone or with what belongs to it."""
    owner, program, number = draw(PEOPLE), draw(PROGRAMS), draw(NUMBERS)
    to = token_account(owner, MINT, program)
    match draw(st.integers(0, 8)):
        case 0 | 1:
            return [paid(source=draw(PAYERS), to=owner, lamports=number)]
        case 2 | 3:
            sent = tokens_sent(number, draw(st.integers(5, 7)), to, program=program)
            return [account_made(owner, program=program), sent]
        case 4:
            return [tokens_sent(number, 6, to, program=program, authority=draw(PAYERS))]
        case 5:
            return [noted(draw(st.one_of(st.binary(max_size=9), st.just(b"Invoice 4711"))))]
        case 6:
            return [draw(st.sampled_from(OTHERS))]
        case 7:
            keys = draw(st.lists(PEOPLE, max_size=5))
            known = draw(st.sampled_from([*programs.NAMES, UNKNOWN]))
            return [called(known, draw(st.binary(max_size=14)), *keys)]
        case _:
            return [_advance(draw(PAYERS))]


@st.composite
def honest(draw: st.DrawFn) -> list[Instruction]:
    """What a wallet's owner may want: a transfer, and perhaps a memo."""
    owner, program = draw(st.sampled_from([FRIEND, STRANGER])), draw(PROGRAMS)
    amount = draw(st.integers(1, (1 << 64) - 1))
    to = token_account(owner, MINT, program)
    sent = tokens_sent(amount, draw(st.sampled_from([6, 6, 6, 7])), to, program=program)
    found = draw(
        st.sampled_from(
            [[paid(to=owner, lamports=amount)], [account_made(owner, program=program), sent]]
        )
    )
    memo = [noted(draw(MEMOS).encode())] if draw(st.booleans()) else []
    return [*found, *memo]


def _advance(authority: Pubkey) -> Instruction:
    return advance_nonce_account(
        AdvanceNonceAccountParams(nonce_pubkey=NONCE, authorized_pubkey=authority)
    )


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Return a message of either version."""
    instructions: list[Instruction] = []
    if draw(st.booleans()):
        instructions.append(_advance(ME))
    if draw(st.booleans()):
        instructions.append(set_compute_unit_limit(draw(st.integers(0, 2_000_000))))
    if draw(st.booleans()):
        instructions.append(set_compute_unit_price(draw(NUMBERS)))
    ordinary = draw(st.booleans())
    instructions += draw(honest()) if ordinary else chain(*draw(st.lists(pieces(), max_size=3)))
    payer, recent = ME if ordinary else draw(PAYERS), draw(HASHES)
    message: Message | MessageV0
    if draw(st.booleans()):
        message = Message.new_with_blockhash(instructions, payer, recent)
    else:
        message = MessageV0.try_compile(payer, instructions, [], recent)
    data = to_bytes_versioned(message)
    assume(len(data) <= MAX_MESSAGE_BYTES)
    return data


def _texts(told: TransactionDescription, label: str) -> list[str]:
    return [value for found, value in told.fields if found == label]


@given(messages())
@examples(1000)
def test_the_description_is_what_others_decode(data: bytes) -> None:
    told, other = described(data), Decoded.of(data)
    assert told.from_address == str(other.payer)
    assert other.payer == ME or told.red_flags
    assert other.signers == 1 or told.red_flags
    if not any("more than once" in flag for flag in told.red_flags):
        assert told.fee.base_units == other.fee()
    memos = [memo.decode("utf-8", "replace") for memo in other.memos()]
    if not any("memo" in flag.lower() for flag in told.red_flags):
        assert _texts(told, "Memo") == memos
    nonce = other.nonce()
    if nonce is None or nonce not in parse_message(data).writable:
        assert _texts(told, "Recent blockhash") == [str(other.recent)]
    else:
        assert _texts(told, "Durable nonce") == [str(nonce)]
        assert _texts(told, "Nonce value") == [str(other.recent)]
        assert f"nonce:{nonce}:{other.recent}" in consumed(data)
    if not told.red_flags:
        _ordinary(told, other)


def _ordinary(told: TransactionDescription, other: Decoded) -> None:
    """Check every word of what policy may let pass."""
    amount = told.amount.base_units
    coins, tokens = other.coins(), other.tokens()
    to_itself = told.to_address == str(ME) and (coins or tokens)
    assert (told.action == "Move to own account") == bool(to_itself)
    if told.action == "Transfer" or (to_itself and coins):
        assert coins == [(ME, Pubkey.from_string(told.to_address), amount)]
        assert tokens == []
        assert told.amount.unit == "SOL"
    elif told.action == "Token transfer" or to_itself:
        assert coins == []
        [(program, (source, mint, arrival, authority), sent, decimals)] = tokens
        assert (sent, authority) == (amount, ME)
        owner = Pubkey.from_string(told.to_address)
        assert owner not in programs.KEYLESS
        for account, holder in ((source, ME), (arrival, owner)):
            seeds = [bytes(holder), bytes(program), bytes(mint)]
            assert Pubkey.find_program_address(seeds, programs.ASSOCIATED_TOKEN)[0] == account
        assert told.amount.decimals == (decimals if told.amount.unit == "USDQ" else 0)
    elif told.action == "Cancel":
        first, *rest = other.instructions
        assert (first.program_id, bytes(first.data)) == (programs.SYSTEM, b"\4\0\0\0")
        assert {each.program_id for each in rest} <= {programs.COMPUTE_BUDGET}
        assert other.nonce() is not None
        assert (amount, told.to_address) == (0, str(ME))
    else:
        assert coins == tokens == []
        assert told.action in {"Create token account", "Delegate stake", "Stake"}
    assert amount or told.action not in {"Transfer", "Token transfer", "Move to own account"}


@given(messages(), st.data())
@examples(150)
def test_a_flipped_bit_is_refused_or_seen(data: bytes, choice: st.DataObject) -> None:
    told = told_of_flipped(described, data, choice)
    if told is None:
        return
    before, after, place = told
    # The header's counts of accounts that are only read say nothing about what moves, and in what
    # is flagged before and after, two memos or accounts of one call may look alike.
    versioned = data[0] >= 0x80
    counts = {2, 3} if versioned else {1, 2}
    same = replace(after, digest=b"") == replace(before, digest=b"")
    assert not same or place in counts or (before.red_flags and after.red_flags)


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda b: b"\x80" + b)))
@examples(300)
def test_random_bytes_are_refused_in_one_way(data: bytes) -> None:
    _only_refused(data)


@given(messages(), st.data())
@examples(300)
def test_mutated_bytes_are_refused_in_one_way(data: bytes, choice: st.DataObject) -> None:
    _only_refused(mutated(data, choice))


def _only_refused(data: bytes) -> None:
    only_refused(
        lambda: (
            described(data).digest
            and to_bytes_versioned(parse_message(data).library) == data
            and consumed(data)
        )
    )


MACHINE = LiteSVM().with_sigverify(False).with_blockhash_check(False)
HELD = 10**15


def _furnish() -> None:
    """Give the wallet coins, a nonce, and tokens of both programs in turn."""
    MACHINE.set_account(ME, Account(HELD, b"", programs.SYSTEM))
    state = struct.pack("<II", 1, 1) + bytes(ME) + bytes(range(1, 33)) + bytes(8)
    MACHINE.set_account(NONCE, Account(1_447_680, state, programs.SYSTEM))
    MACHINE.expire_blockhash()


def _mint(program: Pubkey) -> None:
    mint = struct.pack("<I", 0) + bytes(32) + struct.pack("<QBB", 1 << 63, 6, 1) + bytes(36)
    MACHINE.set_account(MINT, Account(10**9, mint, program))
    _hold(ME, 1 << 62, program)


def _hold(owner: Pubkey, amount: int, program: Pubkey) -> None:
    state = bytes(MINT) + bytes(owner) + struct.pack("<Q", amount) + bytes(36) + b"\1" + bytes(56)
    MACHINE.set_account(token_account(owner, MINT, program), Account(10**9, state, program))


def _ran(data: bytes) -> dict[Pubkey, Account]:
    """Run a message as it is; return the accounts as they are then."""
    message = from_bytes_versioned(data)
    result = MACHINE.simulate_transaction(
        VersionedTransaction.populate(message, [Signature.default()])
    )
    assert not isinstance(result, FailedTransactionMetadata), result
    return dict(result.post_accounts())


def _terms(price: int, durable: bool) -> MessageTerms:
    nonce = DurableNonce(NONCE, ME, Hash(bytes(range(1, 33))))
    return MessageTerms(nonce if durable else Hash(bytes(range(32))), price)


PRICES = st.one_of(st.just(0), st.integers(0, 20_000_000))


@given(st.integers(10**6, 10**14), MEMOS, PRICES, st.booleans())
@examples(100)
def test_the_machine_moves_the_coins_that_are_shown(
    lamports: int, memo: str, price: int, durable: bool
) -> None:
    _furnish()
    assume(len(memo.encode()) <= 180)
    data = build_transfer(ME, FRIEND, lamports, memo, _terms(price, durable))
    told = described(data)
    assert told.red_flags == ()
    assert _texts(told, "Memo") == [memo] * bool(memo)
    after = _ran(data)
    assert after[FRIEND].lamports == told.amount.base_units == lamports
    assert HELD - after[ME].lamports == lamports + told.fee.base_units


@given(st.integers(1, 1 << 60), MEMOS, PRICES, st.booleans(), PROGRAMS, st.booleans())
@examples(100)
def test_the_machine_moves_the_tokens_that_are_shown(
    amount: int, memo: str, price: int, durable: bool, program: Pubkey, there: bool
) -> None:
    _furnish()
    _mint(program)
    arrival = token_account(FRIEND, MINT, program)
    if there:
        _hold(FRIEND, 0, program)
    else:
        MACHINE.set_account(arrival, Account(0, b"", programs.SYSTEM))
    assume(len(memo.encode()) <= 180)
    token = MintFacts(MINT, program, 6)
    data = build_token_transfer(ME, FRIEND, amount, memo, token, _terms(price, durable))
    told = described(data)
    assert told.red_flags == ()
    assert told.to_address == str(FRIEND)
    after = _ran(data)
    deposit = 0 if there else after[arrival].lamports
    assert int.from_bytes(after[arrival].data[64:72], "little") == told.amount.base_units == amount
    assert HELD - after[ME].lamports == deposit + told.fee.base_units


@given(st.integers(0, 3), st.integers(1_447_680, 10**12), PRICES)
@examples(50)
def test_the_machine_makes_the_nonce_that_is_shown(number: int, deposit: int, price: int) -> None:
    _furnish()
    MACHINE.set_account(NONCE, Account(0, b"", programs.SYSTEM))
    data = build_nonce_account(ME, number, deposit, _terms(price, durable=False))
    told = described(data)
    assert told.red_flags == ()
    after = _ran(data)
    made = after[Pubkey.from_string(told.to_address)]
    assert made.lamports == told.amount.base_units == deposit
    assert HELD - after[ME].lamports == deposit + told.fee.base_units


def test_the_random_messages_are_worth_their_time() -> None:
    """What the strategy gives is of all kinds, and often enough not flagged."""
    seen: Counter[str] = Counter()

    @given(messages())
    @examples(300)
    def count(data: bytes) -> None:
        told = described(data)
        seen["flagged" if told.red_flags else told.action] += 1

    count()
    assert min(seen["flagged"], seen["Transfer"], seen["Token transfer"]) >= 5
