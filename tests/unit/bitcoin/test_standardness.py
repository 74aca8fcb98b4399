"""What nodes relay today is no danger: locks, versions, data (docs/faults.md, 22)."""

from dataclasses import replace

import pytest

from console.adapters.chains.bitcoin import signable
from console.adapters.chains.bitcoin.accounts import KeyPosition
from console.adapters.chains.bitcoin.horizon import Horizon
from console.adapters.chains.bitcoin.psbt import parse_psbt
from console.adapters.chains.bitcoin.spending import parse_spending
from console.adapters.chains.bitcoin.transaction import FINAL_SEQUENCE, TxOut
from console.domain.transaction import TransactionDescription
from tests.unit.bitcoin.changes import with_output, with_sequence, with_transaction
from tests.unit.bitcoin.reports import imported, report, signed_on_mainnet, told
from tests.unit.bitcoin.wallets import (
    CHAIN,
    KEYS,
    NETWORK,
    coin,
    core_accepts,
    described,
    draft,
    signed,
    transfer,
)

NOW_S = 1_796_000_000
"""30 November 2026."""


def seen(data: bytes, height: int = 800_000, time_s: int = NOW_S) -> TransactionDescription:
    return signable.describe(data, KEYS, CHAIN, NETWORK, Horizon(height=height, time_s=time_s))


async def test_a_sequence_of_zero_locks_nothing() -> None:
    data = await imported(report("sequence_zero_v2"))
    assert told(data).red_flags == ()
    assert core_accepts(signed_on_mainnet(data), parse_spending(data).spent)
    foreign = told(await imported(report("lnd8626_sequence0")))
    assert not any("sequence" in flag for flag in foreign.red_flags)


@pytest.mark.parametrize(
    ("version", "sequence", "words"),
    [
        (2, 0, ""),
        (2, 0x0000_0005, "5 blocks after its coin"),
        (2, 0x0000_FFFF, "65535 blocks after its coin"),
        (2, 0x0001_0000, ""),
        (2, 0x0040_0000, ""),
        (2, 0x0040_0005, "2560 s after its coin"),
        (2, 0x7FBF_0000, ""),
        (2, 0x7FFF_FFFF, "33553920 s after its coin"),
        (2, 0x8000_0005, ""),
        (1, 0x0000_0005, ""),
        (3, 0x0000_0005, "5 blocks after its coin"),
    ],
)
def test_relative_locks_count_16_bits_and_from_version_2(
    version: int, sequence: int, words: str
) -> None:
    data = with_transaction(with_sequence(transfer(), sequence), version=version)
    flags = described(data).red_flags
    assert flags == ((f"Input 1 is locked by its sequence number: {words}",) if words else ())


def test_version_3_is_relayed_up_to_its_size() -> None:
    assert seen(with_transaction(transfer(), version=3)).red_flags == ()
    outputs = tuple(TxOut(15_000, b"\x00\x20" + bytes([n]) * 32) for n in range(98))
    coins = tuple(coin(20_000, salt=number) for number in range(100))
    large = replace(draft(), payments=outputs).spend(*coins)
    data = large.build(KeyPosition(1, 0))
    assert seen(data).red_flags == ()
    flags = seen(with_transaction(data, version=3)).red_flags
    assert [flag for flag in flags if "relay version 3 up to 10000 vB" in flag]


def test_version_3_says_that_it_may_be_replaced() -> None:
    final = with_sequence(with_sequence(transfer(), FINAL_SEQUENCE), FINAL_SEQUENCE - 1)
    spenders = parse_psbt(final).transaction.inputs
    quiet = with_transaction(
        final, inputs=tuple(replace(each, sequence=FINAL_SEQUENCE - 1) for each in spenders)
    )
    assert dict(seen(quiet).fields)["Replaceable"].startswith("yes, though")
    third = with_transaction(quiet, version=3)
    assert dict(seen(third).fields)["Replaceable"] == "yes"


@pytest.mark.parametrize(
    ("lock", "label", "shown"),
    [
        (499_999_999, "Not before block", "500000000"),
        (500_000_000, "Not before", "05 November 1985, 00:53 UTC"),
        (NOW_S, "Not before", "30 November 2026, 00:53 UTC"),
        (0xFFFF_FFFF, "Not before", "07 February 2106, 06:28 UTC"),
    ],
)
def test_a_lock_time_is_a_block_or_a_date(lock: int, label: str, shown: str) -> None:
    description = seen(with_transaction(transfer(), locktime=lock))
    assert dict(description.fields)[label] == shown


@pytest.mark.parametrize(
    ("lock", "flagged"),
    [
        (0, False),
        (800_000, False),
        (800_001, True),
        (499_999_999, True),
        (500_000_000, False),
        (NOW_S, False),
        (NOW_S + 1, True),
        (0xFFFF_FFFF, True),
    ],
)
def test_a_lock_that_is_still_to_come_is_flagged_and_no_other(*, lock: int, flagged: bool) -> None:
    data = with_transaction(transfer(), locktime=lock)
    assert bool(seen(data).red_flags) is flagged
    final = tuple(
        replace(each, sequence=FINAL_SEQUENCE) for each in parse_psbt(data).transaction.inputs
    )
    # Final sequence numbers switch it off.
    assert seen(with_transaction(data, inputs=final)).red_flags == ()


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        (b"\x6a", "script 6a"),
        (b"\x6a\x03abc\x03def", "script 6a0361626303646566"),
        (b"\x6a\x5d\x02ab", "script 6a5d026162"),
        (b"\x6a\x4c\x03abc", "script 6a4c03616263"),
        (b"\x6a\x4c\x51" + b"a" * 81, f'"{"a" * 81}"'),
        (b"\x6a\x4d\x00\x01" + bytes(256), "script of 260 bytes, SHA-256 "),
        (b"\x6a" + (b"\x4d\x08\x02" + bytes(520)) * 19, "script of 9938 bytes, SHA-256 "),
    ],
)
def test_data_in_several_pushes_or_beyond_80_bytes_is_shown(script: bytes, shown: str) -> None:
    description = seen(with_output(transfer(), TxOut(0, script)))
    assert description.red_flags == ()
    fields = dict(description.fields)
    assert fields["Output 3, data"].startswith(shown)
    assert ("Data" in fields) is (len(script) > 83)
    two = with_output(with_output(transfer(), TxOut(0, script)), TxOut(0, b"\x6a\x01x"))
    assert seen(two).red_flags == ()
    assert "Bitcoin Core 30" in dict(seen(two).fields)["Data"]
    assert core_accepts(signed(two), parse_spending(two).spent)


@pytest.mark.parametrize("script", [b"\x6a\xac", b"\x6a\x05abc", b"\x6a\x4d\x01", b"\x6a\x61"])
def test_what_is_no_data_is_not_understood(script: bytes) -> None:
    flags = seen(with_output(transfer(), TxOut(0, script))).red_flags
    assert [flag for flag in flags if "not understood" in flag]
