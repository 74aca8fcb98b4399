"""Token transfers: which token, how much, and to whom it provably goes."""

from dataclasses import replace

import pytest
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.address import token_account
from console.adapters.chains.solana.build import MessageTerms, MintFacts, build_token_transfer
from console.application.errors import TransactionError
from console.application.ports.chain import Asset
from console.domain.values import Amount
from tests.unit.solana.messages import (
    DOLLARS,
    FRIEND,
    ME,
    MINT,
    OFF_CURVE,
    PLACE,
    RECENT,
    STRANGER,
    account_made,
    called,
    described,
    message,
    noted,
    paid,
    tokens_sent,
)

BOTH = pytest.mark.parametrize("program", [programs.TOKEN, programs.TOKEN_2022], ids=["1", "2022"])


def _built(program: Pubkey = programs.TOKEN, amount: int = 1_500_000, memo: str = "") -> bytes:
    token = MintFacts(MINT, program, 6)
    return build_token_transfer(ME, FRIEND, amount, memo, token, MessageTerms(RECENT))


def test_token_accounts_are_where_the_library_says() -> None:
    for owner in (ME, FRIEND, OFF_CURVE):
        theirs = get_associated_token_address(owner, MINT, programs.TOKEN)
        assert token_account(owner, MINT, programs.TOKEN) == theirs
    assert token_account(ME, MINT, programs.TOKEN_2022) != token_account(ME, MINT, programs.TOKEN)


@BOTH
def test_what_is_built_is_what_is_shown(program: Pubkey) -> None:
    told = described(_built(program, memo="Invoice 4711"))
    assert told.action == "Token transfer"
    assert told.from_address == str(ME)
    assert told.to_address == str(FRIEND)
    assert told.amount == Amount(1_500_000, "USDQ", 6)
    assert told.fee == Amount(5_000, "SOL", 9)
    assert told.red_flags == ()
    fields = dict(told.fields)
    assert fields["Mint"] == str(MINT)
    assert fields["Token account"] == str(token_account(FRIEND, MINT, program))
    assert fields["Memo"] == "Invoice 4711"
    assert ("Token program" in fields) == (program == programs.TOKEN_2022)


@BOTH
def test_a_built_transfer_is_the_handwritten_one(program: Pubkey) -> None:
    by_hand = message(account_made(program=program), tokens_sent(program=program))
    assert described(_built(program)).fields == described(by_hand).fields
    assert described(by_hand).red_flags == ()


def test_a_token_that_is_not_listed_is_told_in_base_units() -> None:
    told = described(_built(), replace(PLACE, assets={}))
    assert told.amount == Amount(1_500_000, "base units", 0)
    assert ("Decimals", "6") in told.fields
    assert told.red_flags == (
        f"{MINT} is not on the list of tokens: what its transfers do is not known",
    )


def test_other_decimals_than_listed_are_flagged_and_not_used() -> None:
    other = Asset(DOLLARS.address, "USDQ", 9)
    told = described(_built(), replace(PLACE, assets={other.address: other}))
    assert told.amount.unit == "base units"
    assert told.red_flags == ("The token has other decimals than this node lists for it",)


def test_a_transfer_to_oneself_needs_no_proof() -> None:
    told = described(message(tokens_sent(to=token_account(ME, MINT, programs.TOKEN))))
    assert (told.action, told.to_address) == ("Move to own account", str(ME))
    assert told.red_flags == ()


@pytest.mark.parametrize("amount", [0, -1, 1 << 64])
def test_an_impossible_amount_is_not_built(amount: int) -> None:
    with pytest.raises(TransactionError, match="amount"):
        _built(amount=amount)


MADE = account_made()
ODD = {
    "no proof of the owner": (tokens_sent(),),
    "proof for another account": (account_made(owner=STRANGER), tokens_sent()),
    "another's account": (MADE, tokens_sent(source=token_account(STRANGER, MINT, programs.TOKEN))),
    "account of another program": (
        MADE,
        tokens_sent(source=token_account(ME, MINT, programs.TOKEN_2022)),
    ),
    "another's word": (MADE, tokens_sent(authority=STRANGER)),
    "nothing": (MADE, tokens_sent(amount=0)),
    "to a program": (
        account_made(owner=programs.STAKE),
        tokens_sent(to=token_account(programs.STAKE, MINT, programs.TOKEN)),
    ),
    "two": (MADE, tokens_sent(), tokens_sent()),
    "coins too": (MADE, tokens_sent(), paid()),
    "an account that is not the owner's": (
        account_made(account=token_account(STRANGER, MINT, programs.TOKEN)),
        tokens_sent(to=token_account(STRANGER, MINT, programs.TOKEN)),
    ),
    "an account for somebody else": (account_made(owner=STRANGER), MADE, tokens_sent()),
    "only an account for somebody else": (account_made(owner=STRANGER),),
    "an account that another pays for": (account_made(payer=STRANGER), tokens_sent()),
    "an account of no token program": (account_made(program=programs.STAKE), tokens_sent()),
    "a nested account": (account_made(data=b"\2"), tokens_sent()),
    "an account with more data": (account_made(data=b"\1\0"), tokens_sent()),
}


ODD_FLAGS = {
    "no proof of the owner": "does not prove who owns",
    "proof for another account": "token account of somebody else",
    "another's account": "which is not the wallet's own account",
    "account of another program": "which is not the wallet's own account",
    "another's word": "by the word of another account",
    "nothing": "moves nothing",
    "to a program": "from which no key can move them",
    "two": "2 transfers instead of one",
    "coins too": "2 transfers instead of one",
    "an account that is not the owner's": "does not belong to its owner and mint",
    "an account for somebody else": "token account of somebody else",
    "only an account for somebody else": "token account of somebody else",
    "an account that another pays for": "is paid by another account",
    "an account of no token program": "does not belong to its owner and mint",
    "a nested account": "(recover nested account), which is not understood",
    "an account with more data": "Associated Token, which is not understood",
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_odd_is_flagged(case: str) -> None:
    assert ODD_FLAGS[case] in " ".join(described(message(*ODD[case])).red_flags)


@pytest.mark.parametrize(
    ("case", "flag"),
    [
        ("no proof of the owner", "does not prove who owns"),
        ("proof for another account", "does not prove who owns"),
        ("another's account", "not the wallet's own account"),
        ("another's word", "by the word of another account"),
        ("nothing", "moves nothing"),
        ("to a program", "to a program or a part of the cluster"),
        ("two", "2 transfers instead of one"),
        ("an account that is not the owner's", "does not belong to its owner and mint"),
        ("an account for somebody else", "somebody else, to which nothing is sent"),
        ("an account that another pays for", "paid by another account"),
        ("a nested account", "recover nested account"),
        ("an account with more data", "not understood"),
    ],
)
def test_the_flag_says_what_is_odd(case: str, flag: str) -> None:
    assert any(flag in found for found in described(message(*ODD[case])).red_flags)


def test_the_account_of_another_mint_proves_nothing() -> None:
    other = account_made(mint=STRANGER)
    to = token_account(FRIEND, STRANGER, programs.TOKEN)
    told = described(message(other, tokens_sent(to=to)))
    assert "The message does not prove who owns the token account that receives" in told.red_flags


def test_who_owns_an_account_is_never_guessed() -> None:
    account = token_account(FRIEND, MINT, programs.TOKEN)
    told = described(message(tokens_sent(), noted(str(FRIEND).encode())))
    assert told.to_address == str(account)
    assert "The message does not prove who owns the token account that receives" in told.red_flags


@pytest.mark.parametrize("data", [b"", b"\0", b"\1"])
def test_every_way_to_make_an_account_proves_its_owner(data: bytes) -> None:
    told = described(message(account_made(data=data), tokens_sent()))
    assert (told.to_address, told.red_flags) == (str(FRIEND), ())


def test_an_account_of_ones_own_may_be_made() -> None:
    told = described(message(account_made(owner=ME)))
    assert (told.action, told.to_address, told.red_flags) == ("Create token account", str(ME), ())


def test_a_withheld_fee_is_flagged_and_shown() -> None:
    plain = tokens_sent(program=programs.TOKEN_2022)
    data = b"\x1a\x01" + bytes(plain.data)[1:] + (30_000).to_bytes(8, "little")
    keys = [meta.pubkey for meta in plain.accounts]
    made = account_made(program=programs.TOKEN_2022)
    told = described(message(made, called(programs.TOKEN_2022, data, *keys)))
    assert (told.to_address, told.amount.base_units) == (str(FRIEND), 1_500_000)
    assert ("Withheld fee", "30000") in told.fields
    assert told.red_flags == ("The token withholds a fee: less arrives than is sent",)
    # The older program has no such instruction.
    old = described(message(made, called(programs.TOKEN, data, *keys)))
    assert any("not understood" in flag for flag in old.red_flags)


def test_a_transfer_that_does_not_name_its_token_is_flagged() -> None:
    data = b"\3" + (5).to_bytes(8, "little")
    source, to = (token_account(who, MINT, programs.TOKEN) for who in (ME, FRIEND))
    told = described(message(MADE, called(programs.TOKEN, data, source, to, ME)))
    assert told.amount == Amount(5, "base units", 0)
    assert told.to_address == str(to)
    assert ("From token account", str(source)) in told.fields
    assert "The token transfer does not say of which token" in told.red_flags


def test_a_hooks_further_accounts_are_not_understood() -> None:
    plain = tokens_sent(program=programs.TOKEN_2022)
    keys = [meta.pubkey for meta in plain.accounts]
    hooked = called(programs.TOKEN_2022, bytes(plain.data), *keys, STRANGER)
    told = described(message(account_made(program=programs.TOKEN_2022), hooked))
    assert any("Token-2022 (Token transfer), which is not" in flag for flag in told.red_flags)
