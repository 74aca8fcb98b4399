"""What the Bitcoin devnet is made of: the kernel's verdicts, addresses, limits, a strict reader."""

from collections.abc import Iterator

import pytest
from bitcoin.core import CTxOut
from bitcoin.core.script import CScript
from coincurve import PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from console.devnet.bitcoin.addresses import address_of, script_of
from console.devnet.bitcoin.blocks import BlockPosition, make_block, subsidy
from console.devnet.bitcoin.kernel import BlockRefused, Kernel
from console.devnet.bitcoin.node import BitcoinDevnet
from console.devnet.bitcoin.policy import PolicyRefused, dust_limit
from tests.unit.bitcoin_clients.spending import ADDRESS, BURNED, Purse


@pytest.mark.parametrize(
    ("script", "limit"),
    [
        (b"\x00\x14" + bytes(20), 294),
        (b"\x00\x20" + bytes(32), 330),
        (b"\x51\x20" + bytes(32), 330),
        (b"\xa9\x14" + bytes(20) + b"\x87", 540),
        (b"\x76\xa9\x14" + bytes(20) + b"\x88\xac", 546),
        (b"\x6a\x01\x00", 0),
    ],
)
def test_dust_limits_are_those_of_core(script: bytes, limit: int) -> None:
    assert dust_limit(CTxOut(10**8, CScript(script))) == limit


@pytest.mark.parametrize("fault", ["reward", "height", "commitment", "parent"])
def test_the_kernel_refuses_false_blocks(fault: str) -> None:
    kernel = Kernel()
    try:
        good = make_block(BlockPosition(kernel.tip(), 1, 1_700_000_000), (), subsidy(1), BURNED, 1)
        kernel.submit(good.serialize())
        place = BlockPosition(good.GetHash(), 5 if fault == "height" else 2, 1_700_000_001)
        if fault == "parent":
            place = BlockPosition(bytes(32), 2, place.time_s)
        reward = subsidy(2) + (fault == "reward")
        raw = make_block(place, (), reward, BURNED, 2).serialize()
        if fault == "commitment":
            raw = raw.replace(bytes.fromhex("aa21a9ed"), bytes.fromhex("aa21a9ee"))
        with pytest.raises(BlockRefused):
            kernel.submit(raw)
        assert kernel.height == 1
    finally:
        kernel.close()


def test_known_addresses_are_read() -> None:
    script = script_of(ADDRESS)
    assert script == bytes.fromhex("001487a87e0e17a80a2d2bd65c421a1090df8ed6cc9a")
    assert script_of(ADDRESS.upper()) == script


@given(version=st.integers(0, 16), program=st.binary(min_size=2, max_size=40))
def test_addresses_and_scripts_are_one_to_one(version: int, program: bytes) -> None:
    script = bytes([version + 0x50 if version else 0, len(program)]) + program
    address = address_of(script)
    if version == 0 and len(program) not in {20, 32}:
        assert address is None
    else:
        assert address is not None
        assert script_of(address) == script


@given(place=st.integers(5, len(ADDRESS) - 1), letter=st.sampled_from("qpzry9x8gf2tvdw0s3jn54kh"))
def test_an_address_with_a_wrong_letter_is_none(place: int, letter: str) -> None:
    changed = ADDRESS[:place] + letter + ADDRESS[place + 1 :]
    assert (script_of(changed) is None) == (changed != ADDRESS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bcrt1",
        "bcrt1q",
        "x" * 100,
        ADDRESS[:10] + ADDRESS[10:].upper(),
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
        "bcrt1é" + ADDRESS[6:],
    ],
)
def test_what_is_no_address_of_regtest(text: str) -> None:
    assert script_of(text) is None


@pytest.fixture(scope="module")
def shared() -> Iterator[BitcoinDevnet]:
    made = BitcoinDevnet()
    yield made
    made.close()


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=300))
def test_random_bytes_are_refused_and_nothing_worse(shared: BitcoinDevnet, raw: bytes) -> None:
    with pytest.raises(PolicyRefused):
        shared.send(raw)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_damaged_spend_is_refused_and_nothing_worse(
    shared: BitcoinDevnet, data: st.DataObject
) -> None:
    purse = Purse(PrivateKey(b"\x07" * 32))
    coins = shared.unspent(purse.taproot_script)
    if not coins:
        coins = [purse.fill(shared, purse.taproot_script)]
    good = purse.spend(coins).serialize()
    place = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[place] ^= data.draw(st.integers(1, 255))
    length = data.draw(st.sampled_from([len(good)] * 5 + [place]))
    with pytest.raises(PolicyRefused):
        shared.send(bytes(bad[:length]))
    assert shared.unspent(purse.taproot_script) == coins
