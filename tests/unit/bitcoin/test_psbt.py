"""PSBTs are read strictly: one form, no key twice, every field as its BIP says, within limits."""

import hashlib

import pytest

from console.adapters.chains.bitcoin.limits import MAX_PSBT_BYTES
from console.adapters.chains.bitcoin.psbt import MAGIC, parse_psbt
from console.adapters.chains.bitcoin.psbt_convert import psbt_of, to_v0, to_v2
from console.adapters.chains.bitcoin.psbt_fields import Global, In, Out
from console.adapters.chains.bitcoin.psbt_map import field, write_map
from console.adapters.chains.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from console.adapters.chains.bitcoin.wire import compact_size, hash160, sha256d
from console.application.errors import UnknownTransaction
from tests.unit.bitcoin.changes import with_global_field, with_input_field, with_output_field
from tests.unit.bitcoin.wallets import KEYS, transfer

DATA = transfer()
KEY = KEYS.master_key(next(iter(KEYS.kinds)))[0]
ORIGIN = bytes(8)
CONTROL = b"\xc0" + bytes(32)
LEAF = b"\x01\xc0\x01\x51"
"""A leaf of a tree: depth 1, version 0xc0, one byte of script."""


def _bare(inputs: int = 1, outputs: int = 1) -> Transaction:
    spenders = tuple(TxIn(OutPoint(bytes(32), number)) for number in range(inputs))
    return Transaction(2, spenders, (TxOut(1, b""),) * outputs)


def _made(inputs: int, outputs: int) -> bytes:
    return psbt_of(_bare(inputs, outputs), ((),) * inputs, ((),) * outputs).encode()


GOOD_INPUTS = [
    (In.PARTIAL_SIG, bytes(71), KEY),
    (In.BIP32_DERIVATION, ORIGIN, KEY),
    (In.BIP32_DERIVATION, bytes(4), KEY),
    (In.POR_COMMITMENT, b"text", b""),
    (In.RIPEMD160, b"x", hashlib.new("ripemd160", b"x").digest()),
    (In.SHA256, b"x", hashlib.sha256(b"x").digest()),
    (In.HASH160, b"x", hash160(b"x")),
    (In.HASH256, b"x", sha256d(b"x")),
    (In.TAP_KEY_SIG, bytes(65), b""),
    (In.TAP_SCRIPT_SIG, bytes(64), bytes(64)),
    (In.TAP_LEAF_SCRIPT, b"\x51\xc0", CONTROL),
    (In.TAP_LEAF_SCRIPT, b"\xc0", CONTROL + bytes(32 * 128)),
    (In.TAP_BIP32_DERIVATION, b"\x01" + bytes(32) + ORIGIN, KEY[1:]),
    (In.PROPRIETARY, b"anything", b"\x03foo"),
    (0x42, b"anything", b"anything"),
    (0x1FF, b"of a later BIP", b""),
]
BAD_INPUTS = [
    (In.NON_WITNESS_UTXO, b"", b""),
    (In.WITNESS_UTXO, b"", b""),
    (In.WITNESS_UTXO, TxOut(1, b"").encode() + b"\0", b""),
    (In.PARTIAL_SIG, bytes(71), b""),
    (In.PARTIAL_SIG, bytes(71), KEY[:-1]),
    (In.PARTIAL_SIG, bytes(71), b"\x05" + KEY[1:]),
    (In.PARTIAL_SIG, bytes(71), b"\x02" + b"\xff" * 32),
    (In.PARTIAL_SIG, bytes(71), b"\x04" + bytes(64)),
    (In.PARTIAL_SIG, b"", KEY),
    (In.PARTIAL_SIG, bytes(74), KEY),
    (In.SIGHASH_TYPE, b"\1", b""),
    (In.BIP32_DERIVATION, bytes(3), KEY),
    (In.BIP32_DERIVATION, bytes(7), KEY),
    (In.BIP32_DERIVATION, b"", KEY),
    (In.FINAL_SCRIPTWITNESS, b"", b""),
    (In.FINAL_SCRIPTWITNESS, b"\x01", b""),
    (In.FINAL_SCRIPTWITNESS, b"\xff" + b"\xff" * 8, b""),
    (In.FINAL_SCRIPTWITNESS, b"\x00\x00", b""),
    (In.SHA256, b"y", hashlib.sha256(b"x").digest()),
    (In.HASH256, b"x", b""),
    (In.PREVIOUS_TXID, bytes(32), b""),
    (In.TAP_KEY_SIG, bytes(63), b""),
    (In.TAP_SCRIPT_SIG, bytes(66), bytes(64)),
    (In.TAP_SCRIPT_SIG, bytes(64), bytes(63)),
    (In.TAP_LEAF_SCRIPT, b"", CONTROL),
    (In.TAP_LEAF_SCRIPT, b"\xc0", b""),
    (In.TAP_LEAF_SCRIPT, b"\xc0", CONTROL + bytes(32 * 129)),
    (In.TAP_BIP32_DERIVATION, b"", KEY[1:]),
    (In.TAP_BIP32_DERIVATION, b"\x01" + ORIGIN, KEY[1:]),
    (In.TAP_BIP32_DERIVATION, b"\xff" + b"\xff" * 8 + ORIGIN, KEY[1:]),
    (In.TAP_BIP32_DERIVATION, b"\x00" + bytes(6), KEY[1:]),
    (In.TAP_INTERNAL_KEY, bytes(32), b"x"),
    (In.TAP_MERKLE_ROOT, bytes(31), b""),
]
GOOD_TREES = [b"\x00\xc0\x00", LEAF * 2, b"\x01\xc0\x00" + b"\x02\xc0\x01\x51" * 2]
BAD_TREES = [
    b"",
    LEAF,
    LEAF * 3,
    b"\x01\xc1\x01\x51" * 2,
    b"\x02\xc0\x00" + LEAF + b"\x02\xc0\x00",
    b"\x81\xc0\x00",
    b"\x01\xc0",
    b"\x00\xc0\x05\x51",
]


@pytest.mark.parametrize(("kind", "value", "key_data"), GOOD_INPUTS)
def test_fields_of_inputs_are_read(kind: int, value: bytes, key_data: bytes) -> None:
    data = with_input_field(DATA, kind, value, key_data)
    assert parse_psbt(data).encode() == data
    assert field(kind, value, key_data) in parse_psbt(data).inputs[0]


@pytest.mark.parametrize(("kind", "value", "key_data"), BAD_INPUTS)
def test_malformed_fields_of_inputs_are_refused(kind: int, value: bytes, key_data: bytes) -> None:
    with pytest.raises(UnknownTransaction):
        parse_psbt(with_input_field(DATA, kind, value, key_data))


@pytest.mark.parametrize("tree", GOOD_TREES)
def test_trees_of_scripts_are_read(tree: bytes) -> None:
    data = with_output_field(DATA, 0, Out.TAP_TREE, tree)
    assert parse_psbt(data).encode() == data


@pytest.mark.parametrize("tree", BAD_TREES)
def test_what_is_no_tree_is_refused(tree: bytes) -> None:
    with pytest.raises(UnknownTransaction):
        parse_psbt(with_output_field(DATA, 0, Out.TAP_TREE, tree))


def test_extended_keys_stand_at_their_depth() -> None:
    def xpub(depth: int) -> bytes:
        return bytes(4) + bytes([depth]) + bytes(8) + bytes(32) + KEY

    unsigned = field(Global.UNSIGNED_TX, _bare().encode_stripped())

    def data(depth: int, origin: bytes, cut: int = 0) -> bytes:
        key = xpub(depth)[cut:]
        globals_ = write_map((unsigned, field(Global.XPUB, origin, key)))
        return MAGIC + globals_ + write_map(()) * 2

    assert parse_psbt(data(1, ORIGIN)).version == 0
    for wrong in (data(2, ORIGIN), data(1, ORIGIN[:-1]), data(1, ORIGIN, 1), data(0, b"")):
        with pytest.raises(UnknownTransaction):
            parse_psbt(wrong)


@pytest.mark.parametrize("version", [1, 3, 0xFFFF_FFFF])
def test_other_versions_are_not_known(version: int) -> None:
    with pytest.raises(UnknownTransaction, match="not known"):
        parse_psbt(with_global_field(DATA, Global.VERSION, version.to_bytes(4, "little")))


def test_a_key_comes_once() -> None:
    unsigned = field(Global.UNSIGNED_TX, _bare().encode_stripped())
    twice = write_map((field(0x42, b"a"), field(0x42, b"b")))
    with pytest.raises(UnknownTransaction, match="twice"):
        parse_psbt(MAGIC + write_map((unsigned,)) + twice + write_map(()))
    with pytest.raises(UnknownTransaction, match="twice"):
        parse_psbt(MAGIC + write_map((unsigned, unsigned)) + write_map(()) * 2)


def test_a_type_has_one_form() -> None:
    unsigned = field(Global.UNSIGNED_TX, _bare().encode_stripped())
    longer = write_map(((b"\xfd\x03\x00", b"\1\0\0\0"),))
    with pytest.raises(UnknownTransaction, match="longer than it must be"):
        parse_psbt(MAGIC + write_map((unsigned,)) + longer + write_map(()))


def test_no_part_of_it_is_enough() -> None:
    for data in (DATA, to_v2(parse_psbt(DATA)).encode()):
        for length in range(len(data)):
            with pytest.raises(UnknownTransaction):
                parse_psbt(data[:length])


def test_there_are_limits() -> None:
    assert len(parse_psbt(_made(100, 100)).inputs) == 100
    for inputs, outputs in ((101, 1), (1, 101)):
        with pytest.raises(UnknownTransaction, match="at most 100"):
            parse_psbt(_made(inputs, outputs))
    with pytest.raises(UnknownTransaction, match="at most"):
        parse_psbt(with_input_field(DATA, 0x42, bytes(MAX_PSBT_BYTES)))


def test_a_version_2_cannot_count_on_what_is_not_there() -> None:
    head = (
        field(Global.TX_VERSION, (2).to_bytes(4, "little")),
        field(Global.INPUT_COUNT, compact_size(1 << 40)),
        field(Global.OUTPUT_COUNT, compact_size(1)),
        field(Global.VERSION, (2).to_bytes(4, "little")),
    )
    with pytest.raises(UnknownTransaction, match="at most 100"):
        parse_psbt(MAGIC + write_map(head))


def test_amounts_of_version_2_are_bounded() -> None:
    second = to_v2(parse_psbt(DATA)).encode()
    for amount in (21_000_000 * 10**8 + 1, (1 << 64) - 1, 21_000_000 * 10**8):
        with pytest.raises(UnknownTransaction, match="all coins"):
            parse_psbt(with_output_field(second, 0, Out.AMOUNT, amount.to_bytes(8, "little")))


def test_converting_to_the_version_that_it_has_changes_nothing() -> None:
    first = parse_psbt(DATA)
    assert to_v0(first) is first
    assert to_v2(to_v2(first)) == to_v2(first)
    assert to_v0(to_v2(first)) == first
