"""Fields that no signature covers are no danger: they are dropped or shown (docs/faults.md, 19)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from coincurve import PrivateKey

from console.adapters.chains.bitcoin.accounts import (
    ACCOUNTS,
    SEGWIT,
    TAPROOT,
    KeyPosition,
    output_origin,
)
from console.adapters.chains.bitcoin.limits import (
    MAX_FIELDS,
    MAX_UNSIGNED_BYTES,
    MAX_UNSIGNED_FIELDS,
)
from console.adapters.chains.bitcoin.psbt import Psbt, parse_psbt
from console.adapters.chains.bitcoin.psbt_convert import to_v2
from console.adapters.chains.bitcoin.psbt_fields import Global, In, Out
from console.adapters.chains.bitcoin.psbt_map import Fields, field, ordered
from console.adapters.chains.bitcoin.spending import parse_spending
from console.adapters.chains.bitcoin.transaction import TxOut
from console.adapters.chains.bitcoin.wire import Reader, hash160
from console.application.errors import UnknownTransaction
from console.application.ports.chain import Account
from tests.unit.bitcoin.changes import with_global_field, with_input_field, with_output
from tests.unit.bitcoin.reports import imported, report, signed_on_mainnet, told
from tests.unit.bitcoin.wallets import KEYS, OTHER_KEYS, core_accepts, described, flagged, transfer

each_account = pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.label)
KEY = KEYS.master_key(SEGWIT.kind)[0]
XPUB = bytes(4) + b"\x01" + bytes(8) + bytes(32) + KEY


@pytest.mark.parametrize("name", ["sparrow_like_v0_xpub", "sparrow_like_v2_xpub"])
async def test_a_psbt_as_sparrow_makes_it_is_signed(name: str) -> None:
    data = await imported(report(name))
    description = told(data)
    assert description.red_flags == ()
    assert description.amount.base_units == 150_000
    assert "Not signed" not in dict(description.fields)
    assert core_accepts(signed_on_mainnet(data), parse_spending(data).spent)


async def test_what_is_left_to_see_of_another_wallets_psbt_is_that_it_is_not_ours() -> None:
    data = await imported(report("embit41_sparrow_singlesig"))
    assert told(data).red_flags == ("Input 1 is not of this wallet",)


def _loaded(data: bytes) -> bytes:
    """Add a field for other programs to every map, of every kind that there is."""
    psbt = parse_psbt(data)
    more_globals = (
        field(Global.XPUB, bytes(8), XPUB),
        field(Global.PROPRIETARY, b"a", b"\x03foo"),
        field(0x42, b"b"),
    )
    more_inputs = (
        field(In.PARTIAL_SIG, bytes(71), KEY),
        field(In.REDEEM_SCRIPT, b"\x51"),
        field(In.WITNESS_SCRIPT, b"\x51"),
        field(In.POR_COMMITMENT, b"c"),
        field(In.HASH160, b"x", hash160(b"x")),
        field(In.FINAL_SCRIPTSIG, b"\x51"),
        field(In.FINAL_SCRIPTWITNESS, b"\1\1\0"),
        field(In.TAP_KEY_SIG, bytes(64)),
        field(In.TAP_MERKLE_ROOT, bytes(32)),
        field(In.PROPRIETARY, b"d"),
        field(0x1FF, b"e"),
    )
    more_outputs = (
        field(Out.REDEEM_SCRIPT, b"\x51"),
        field(Out.TAP_TREE, b"\x00\xc0\x00"),
        field(Out.PROPRIETARY, b"f"),
        field(0x1FF, b"g"),
    )
    return replace(
        psbt,
        globals=ordered(psbt.globals + more_globals),
        inputs=tuple(ordered(each + more_inputs) for each in psbt.inputs),
        outputs=tuple(ordered(each + more_outputs) for each in psbt.outputs),
    ).encode()


@each_account
@pytest.mark.parametrize("version", [0, 2])
async def test_no_metadata_is_a_danger_or_reaches_what_is_signed(
    account: Account, version: int
) -> None:
    plain = transfer(account)
    loaded = _loaded(plain)
    description = described(loaded)
    assert description.red_flags == ()
    count = 3 + 2 * 11 + 2 * 4
    words = f"{count} fields for other programs"
    assert dict(description.fields)["Not signed"].startswith(words)
    assert [field for field in description.fields if field[0] != "Not signed"] == [
        *described(plain).fields
    ]
    # Signed as it is, the transaction is the one without the metadata.
    transaction = signed_on_mainnet(loaded)
    assert transaction == signed_on_mainnet(plain)
    assert core_accepts(transaction, parse_spending(plain).spent)
    foreign = to_v2(parse_psbt(loaded)).encode() if version == 2 else loaded
    assert await imported(foreign, account) == plain


def test_metadata_that_differs_is_shown_differently() -> None:
    shown = {
        dict(described(data).fields)["Not signed"]
        for data in (
            with_global_field(transfer(), 0x42, b"x"),
            with_global_field(transfer(), 0x42, b"y"),
            with_global_field(transfer(), 0x43, b"x"),
            with_input_field(transfer(), 0x42, b"x"),
        )
    }
    assert len(shown) == 4


@each_account
async def test_a_payees_own_key_origin_is_dropped_and_a_false_claim_is_not(
    account: Account,
) -> None:
    stranger = TxOut(1_000, b"\x00\x14" + bytes(20))
    claims = {keys: output_origin(account, keys, KeyPosition(1, 0)) for keys in (KEYS, OTHER_KEYS)}
    data = await imported(with_output(transfer(account), stranger, claims[OTHER_KEYS]), account)
    assert described(data).red_flags == ()
    assert described(data).amount.base_units == 101_000
    forged = await imported(with_output(transfer(account), stranger, claims[KEYS]), account)
    assert flagged(described(forged), "claimed as the wallet's own and is not")


async def test_a_taproot_origin_with_leaves_is_told_by_the_fingerprint_behind_them() -> None:
    ((_, key), (kind, value)) = output_origin(TAPROOT, KEYS, KeyPosition(1, 0))
    leaves = b"\2" + bytes(64)
    claim = (field(Out.TAP_INTERNAL_KEY, key), (kind, leaves + value[1:]))
    data = await imported(with_output(transfer(TAPROOT), TxOut(1_000, b"\x00\x14" * 11), claim))
    assert flagged(described(data), "claimed as the wallet's own and is not")


def _padding(count: int, size: int = 3) -> Fields:
    """Fields of `size` bytes each, key and value together."""
    return tuple(field(0xFC, bytes(size - 3), n.to_bytes(2, "big")) for n in range(count))


def _with_global(psbt: Psbt, more: Fields) -> bytes:
    return replace(psbt, globals=(*psbt.globals, *more)).encode()


def _with_input(psbt: Psbt, more: Fields) -> bytes:
    first, *rest = psbt.inputs
    return replace(psbt, inputs=((*first, *more), *rest)).encode()


def _with_output(psbt: Psbt, more: Fields) -> bytes:
    first, *rest = psbt.outputs
    return replace(psbt, outputs=((*first, *more), *rest)).encode()


def _in_all(psbt: Psbt, more: Fields) -> bytes:
    """Spread them over maps of each kind."""
    third = len(more) // 3
    data = _with_global(psbt, more[:third])
    data = _with_input(parse_psbt(data), more[third : 2 * third])
    return _with_output(parse_psbt(data), more[2 * third :])


@pytest.mark.parametrize("padded", [_with_global, _with_input, _with_output, _in_all])
async def test_a_request_has_few_fields_for_other_programs(
    padded: Callable[[Psbt, Fields], bytes],
) -> None:
    plain = transfer()
    psbt = parse_psbt(plain)
    size = MAX_UNSIGNED_BYTES // MAX_UNSIGNED_FIELDS
    for most in (_padding(MAX_UNSIGNED_FIELDS), _padding(MAX_UNSIGNED_FIELDS, size)):
        assert described(padded(psbt, most)).red_flags == ()
    for more in (
        _padding(MAX_UNSIGNED_FIELDS + 1),
        (*_padding(MAX_UNSIGNED_FIELDS - 1, size), *_padding(64, size + 1)[-1:]),
    ):
        data = padded(psbt, more)
        for read in (described, parse_spending):
            with pytest.raises(UnknownTransaction, match="fields for other programs"):
                read(data)
        assert await imported(data) == plain
    thousands = replace(psbt, globals=(*psbt.globals, *_padding(47_000))).encode()
    assert await imported(thousands) == plain


def test_origins_of_many_keys_are_fields_for_other_programs() -> None:
    psbt = parse_psbt(transfer())
    points = [PrivateKey(bytes(31) + bytes([n + 1])).public_key.format() for n in range(90)]
    claims = tuple(field(In.BIP32_DERIVATION, bytes(12), point) for point in points)
    assert flagged(described(_with_input(psbt, claims[:16])), "is not of this wallet")
    with pytest.raises(UnknownTransaction, match="fields for other programs"):
        described(_with_input(psbt, claims))


def test_of_many_fields_only_a_few_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    strings = 0
    string = Reader.string

    def counted(reader: Reader) -> bytes:
        nonlocal strings
        strings += 1
        return string(reader)

    psbt = parse_psbt(transfer())
    monkeypatch.setattr(Reader, "string", counted)
    for data in (_with_global(psbt, _padding(47_000)), _with_output(psbt, _padding(47_000))):
        strings = 0
        with pytest.raises(UnknownTransaction, match="more fields than are read"):
            described(data)
        assert strings < 2 * MAX_FIELDS + 50
