"""Quorums, amounts, names, short codes and policies refuse what cannot be meant."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain import ids
from console.domain.errors import (
    InvalidAmount,
    InvalidQuorum,
    MalformedIdentifier,
    PolicyViolation,
)
from console.domain.ids import MemberId
from console.domain.policy import Policy, enforce, evaluate, may_approve
from console.domain.short_code import short_code
from console.domain.transaction import TransactionDescription
from console.domain.values import (
    MAX_CUSTODIANS,
    MAX_LABEL,
    MAX_REASON,
    Amount,
    Chain,
    Network,
    Quorum,
    parse_amount,
)
from console.domain.wallet import REFRESH_AFTER_MS
from tests.unit.domain.facts import ANA, BEN, CHIARA, DIGEST, EVE, POLICY, QUORUM


@pytest.mark.parametrize(
    ("threshold", "members"),
    [(1, 3), (0, 3), (-1, 3), (4, 3), (2, 1), (1, 1), (2, MAX_CUSTODIANS + 1), (2, 0)],
)
def test_a_quorum_that_protects_nothing_or_cannot_be_reached_is_refused(
    threshold: int, members: int
) -> None:
    with pytest.raises(InvalidQuorum):
        Quorum(threshold, tuple(MemberId(f"m{n}") for n in range(members)))


def test_a_custodian_counts_once() -> None:
    with pytest.raises(InvalidQuorum):
        Quorum(2, (ANA, BEN, ANA))


def test_share_indices_are_places_in_the_list() -> None:
    assert [QUORUM.index_of(m) for m in (ANA, BEN, CHIARA)] == [1, 2, 3]
    with pytest.raises(InvalidQuorum):
        QUORUM.index_of(EVE)


@pytest.mark.parametrize(
    ("needed", "initiator"), [(0, False), (3, False), (-1, False), (1, True), (4, True)]
)
def test_a_policy_that_locks_the_funds_or_trusts_one_person_is_refused(
    needed: int, initiator: bool
) -> None:
    with pytest.raises(InvalidQuorum):
        Policy(1, QUORUM, needed, initiator_may_approve=initiator)


def test_who_may_approve() -> None:
    assert may_approve(POLICY, BEN, ANA) == ""
    assert "another custodian" in may_approve(POLICY, ANA, ANA)
    assert "Only custodians" in may_approve(POLICY, EVE, ANA)


@pytest.mark.parametrize(
    ("payer", "fee", "flags", "broken"),
    [
        ("own", 5, (), set()),
        ("other", 5, (), {"Own account"}),
        ("own", 6, (), {"Fee limit"}),
        ("own", 5, ("odd",), {"Fully decoded"}),
        ("other", 6, ("odd",), {"Own account", "Fee limit", "Fully decoded"}),
    ],
)
def test_each_rule_fires(payer: str, fee: int, flags: tuple[str, ...], broken: set[str]) -> None:
    described = TransactionDescription(
        chain=Chain.SOLANA,
        network=Network.DEVNET,
        action="Transfer",
        from_address=payer,
        to_address="there",
        amount=Amount(1, "SOL", 9),
        fee=Amount(fee, "SOL", 9),
        fields=(),
        red_flags=flags,
        digest=DIGEST,
    )
    results = evaluate(described, own_address="own", fee_ceiling=5)
    assert {r.rule for r in results if not r.passed} == broken
    if not broken:
        enforce(results)
        return
    with pytest.raises(PolicyViolation) as caught:
        enforce(results)
    assert all(rule in str(caught.value) for rule in broken)


@pytest.mark.parametrize(
    "text",
    ["", "-1", "1e5", ".5", "1.", "1,5", "0x10", "\u0661", "1.\u0661", "one", "1.0000000001"],
)
def test_amounts_are_plain_digits(text: str) -> None:
    with pytest.raises(InvalidAmount):
        parse_amount(text, "SOL", 9)


@pytest.mark.parametrize("value", [-1, 1 << 256])
def test_amounts_have_bounds(value: int) -> None:
    with pytest.raises(InvalidAmount):
        Amount(value, "SOL", 9)
    with pytest.raises(InvalidAmount):
        parse_amount("9" * 101, "SOL", 9)


@given(st.integers(0, (1 << 256) - 1), st.integers(0, 36))
def test_an_amount_reads_back_exactly(value: int, decimals: int) -> None:
    amount = Amount(value, "X", decimals)
    if len(amount.text()) <= 100:
        assert parse_amount(amount.text(), "X", decimals) == amount


@pytest.mark.parametrize(
    "text", ["", "A", "-a", "a-", "a" * 33, "a b", "ana\n", "../a", "\u00e4", "a/b", "a\x00"]
)
def test_a_member_name_has_one_form(text: str) -> None:
    with pytest.raises(MalformedIdentifier):
        ids.member_id(text)


@pytest.mark.parametrize("text", ["a", "a" * 32, "ana-2", "0"])
def test_a_good_member_name_is_kept(text: str) -> None:
    assert ids.member_id(text) == text


@pytest.mark.parametrize(
    ("make", "prefix"), [(ids.wallet_id, "wl-"), (ids.ceremony_id, "kc-"), (ids.request_id, "rq-")]
)
def test_ids_come_from_eight_random_bytes(make: object, prefix: str) -> None:
    assert callable(make)
    assert make(bytes(range(8))) == f"{prefix}0001020304050607"
    for size in (7, 9):
        with pytest.raises(MalformedIdentifier):
            make(bytes(size))


def test_a_session_id_has_32_bytes() -> None:
    assert ids.session_id(b"\xab" * 32) == "ab" * 32
    for size in (31, 33):
        with pytest.raises(MalformedIdentifier):
            ids.session_id(bytes(size))


def test_short_codes_have_six_words_and_a_group() -> None:
    words, _, group = short_code(bytes(range(9))).partition(" · ")
    assert len(words.split()) == 6
    assert len(group) == 4
    with pytest.raises(ValueError, match="9 bytes"):
        short_code(bytes(8))


def test_every_byte_has_its_own_word() -> None:
    words = {short_code(bytes([n]) * 9).split()[0] for n in range(256)}
    assert len(words) == 256


@given(st.binary(min_size=9, max_size=9), st.integers(0, 67))
def test_each_of_68_bits_changes_the_code(digest: bytes, bit: int) -> None:
    flipped = (int.from_bytes(digest, "big") ^ (1 << (71 - bit))).to_bytes(9, "big")
    assert short_code(digest) != short_code(flipped)


def test_quorums_and_amounts_at_their_bounds() -> None:
    many = tuple(MemberId(f"m{n}") for n in range(MAX_CUSTODIANS))
    assert len(Quorum(2, many).shares) == MAX_CUSTODIANS
    assert Quorum(2, (ANA, BEN), (1, 0xFFFF)).index_of(BEN) == 0xFFFF
    for indices in ((0, 1), (1, 0x10000), (2, 1), (1, 1), (1,)):
        with pytest.raises(InvalidQuorum):
            Quorum(2, (ANA, BEN), indices)
    longest = "0" * 99 + "7"
    assert parse_amount(longest, "SOL", 0).base_units == 7
    with pytest.raises(InvalidAmount):
        parse_amount("0" + longest, "SOL", 0)


def test_all_who_are_new_get_indices_after_everybody_s() -> None:
    after = QUORUM.resharing(3, (EVE, CHIARA, MemberId("dora"), ANA))
    assert after == Quorum(3, (ANA, CHIARA, EVE, MemberId("dora")), (1, 3, 4, 5))


def test_shares_are_refreshed_every_90_days() -> None:
    assert timedelta(milliseconds=REFRESH_AFTER_MS) == timedelta(days=90)


def test_a_short_code_reads_68_bits_of_a_digest_and_no_more() -> None:
    digest = bytes(6) + bytes([0b10000_010, 0b00_00100_0, 0b0010_1111]) + b"\xff" * 23
    # Words of 8 bits; then five bits for each digit: 16, 8, 4, 2.
    assert short_code(digest) == "acid acid acid acid acid acid · g842"
    assert short_code(digest[:9]) == short_code(digest)


def test_amounts_at_their_bounds() -> None:
    assert Amount((1 << 256) - 1, "WEI", 0).base_units
    assert Amount(0, "WEI", 36).decimals == 36
    for units, decimals in ((-1, 0), (1 << 256, 0), (1 << 255 << 1, 0), (0, -1), (0, 37)):
        with pytest.raises(InvalidAmount):
            Amount(units, "WEI", decimals)


def test_what_ledgers_and_statements_hold_keeps_its_bounds() -> None:
    assert (MAX_CUSTODIANS, MAX_LABEL, MAX_REASON) == (32, 64, 280)
