"""Bitcoin: what is shown is what others decode, and no other bytes show the same.

The other decoders are `btclib` (PSBTs, descriptors, digests) and `python-bitcoinlib`, which share
no code with ours; the judge of signatures is Bitcoin Core's own interpreter.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any

from bitcoin.core import CTransaction, b2lx
from btclib import b32
from btclib.script.script_pub_key import ScriptPubKey
from btclib_wallet.descriptors import multipath_descriptors
from btclib_wallet.descriptors import parse as parse_descriptor
from btclib_wallet.psbt import Psbt as OtherPsbt
from btclib_wallet.psbt import ecdsa_sig_hash, prevouts, taproot_sig_hash
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.chains.bitcoin import bech32, signable
from console.adapters.chains.bitcoin.accounts import (
    ACCOUNTS,
    TAPROOT,
    KeyPosition,
    input_origin,
    output_origin,
    script_at,
)
from console.adapters.chains.bitcoin.address import address_of, script_of
from console.adapters.chains.bitcoin.coin_selection import Coin, Costs, select
from console.adapters.chains.bitcoin.descriptor import export_account
from console.adapters.chains.bitcoin.message import build_message
from console.adapters.chains.bitcoin.metadata import without_unsigned
from console.adapters.chains.bitcoin.psbt import parse_psbt
from console.adapters.chains.bitcoin.psbt_convert import psbt_of, to_v0, to_v2
from console.adapters.chains.bitcoin.psbt_fields import Global, In, Out
from console.adapters.chains.bitcoin.psbt_map import Fields, field, ordered
from console.adapters.chains.bitcoin.script import (
    can_be_spent,
    data_script,
    dust_limit,
    kind_of,
    p2pkh,
    p2sh,
    witness_script,
)
from console.adapters.chains.bitcoin.spending import parse_spending
from console.adapters.chains.bitcoin.transaction import (
    OutPoint,
    Transaction,
    TxIn,
    TxOut,
    parse_transaction,
)
from console.application.errors import InsufficientFunds, InvalidAddress
from console.application.ports.chain import Account
from console.domain.transaction import TransactionDescription
from console.domain.values import Network
from tests.properties.damage import assert_flip_is_seen, mutated, only_refused
from tests.properties.depth import TIMES, examples
from tests.unit.bitcoin.wallets import (
    FRIEND,
    KEYS,
    NETWORK,
    core_accepts,
    described,
    signed,
    with_flipped_bit,
)

OWN_INDICES = range(6)
HASHES = st.binary(min_size=20, max_size=20)
PROGRAMS = st.binary(min_size=32, max_size=32)
SATOSHIS = st.integers(0, 10**12)
FOREIGN = st.one_of(
    HASHES.map(p2pkh),
    HASHES.map(p2sh),
    HASHES.map(lambda program: witness_script(0, program)),
    PROGRAMS.map(lambda program: witness_script(0, program)),
    PROGRAMS.map(lambda program: witness_script(1, program)),
    st.binary(max_size=90).map(data_script),
    st.binary(max_size=40),
)
ANY_ACCOUNT = st.sampled_from(ACCOUNTS)
MASTER = KEYS.master_key(TAPROOT.kind)[0]
PLACES = st.builds(KeyPosition, st.integers(0, 1), st.sampled_from(OWN_INDICES))
SEQUENCES = st.one_of(
    st.just(0xFFFF_FFFD), st.integers(0, 0xFFFF_FFFF), st.sampled_from([0xFFFF_FFFF, 0xFFFF_FFFE])
)


@cache
def others_scripts(account: Account) -> dict[bytes, tuple[int, int]]:
    """Derive the account's scripts with another library, from the descriptor that is exported."""
    texts = multipath_descriptors(export_account(account, KEYS, Network.MAINNET))
    return {
        parse_descriptor(text).script_pub_key(index).script: (chain, index)
        for chain, text in enumerate(texts)
        for index in OWN_INDICES
    }


@st.composite
def inputs(draw: st.DrawFn, number: int) -> tuple[TxIn, Fields, TxOut]:
    """Return a spender of an own coin of either account, with the transaction that made it.

    Some of those transactions are payouts to thousands, and a Taproot coin may come without one.
    """
    account, place, index = draw(ANY_ACCOUNT), draw(PLACES), draw(st.integers(0, 2))
    spent = TxOut(draw(SATOSHIS), script_at(account, KEYS, place))
    outputs = [TxOut(draw(SATOSHIS), draw(FOREIGN)) for _ in range(index)]
    payout = draw(st.sampled_from([0, 0, 0, 0, 0, 0, 0, 2_000]))
    others = (TxOut(1_000 + number, p2pkh(bytes(20))),) * payout
    maker = TxIn(OutPoint(number.to_bytes(32, "big"), draw(st.integers(0, 9))))
    previous = Transaction(draw(st.integers(1, 2)), (maker,), (*outputs, spent, *others), 0)
    fields = (field(In.WITNESS_UTXO, spent.encode()), *input_origin(account, KEYS, place))
    if account is not TAPROOT or draw(st.integers(0, 3)):
        fields = (field(In.NON_WITNESS_UTXO, previous.encode_stripped()), *fields)
    return TxIn(OutPoint(previous.hash, index), sequence=draw(SEQUENCES)), fields, spent


@st.composite
def outputs(draw: st.DrawFn, most: int) -> tuple[TxOut, Fields]:
    """Return an output to others, to either account, or to one without saying so."""
    amount = draw(st.integers(0, most))
    if draw(st.booleans()):
        return TxOut(amount, draw(FOREIGN)), ()
    account, place = draw(ANY_ACCOUNT), draw(PLACES)
    claim = output_origin(account, KEYS, place) if draw(st.integers(0, 4)) else ()
    return TxOut(amount, script_at(account, KEYS, place)), claim


@st.composite
def psbts(draw: st.DrawFn) -> bytes:
    """Return a transaction of coins of both accounts, which are proven."""
    spending = [draw(inputs(number)) for number in range(draw(st.integers(1, 3)))]
    count = draw(st.integers(1, 4))
    most = sum(spent.amount for _, _, spent in spending) // count
    paying = [draw(outputs(most)) for _ in range(count)]
    transaction = Transaction(
        draw(st.sampled_from([2, 2, 2, 1, 3])),
        tuple(spender for spender, _, _ in spending),
        tuple(output for output, _ in paying),
        draw(st.one_of(st.integers(0, 900_000), st.integers(0, 0xFFFF_FFFF))),
    )
    maps = tuple(fields for _, fields, _ in spending), tuple(claim for _, claim in paying)
    return psbt_of(transaction, *maps).encode()


def _text(satoshis: int) -> str:
    """Write an amount with digits grouped by thin spaces."""
    whole, part = divmod(satoshis, 10**8)
    digits = f"{part:08d}"
    grouped = [*f"{whole:,}".split(","), *(digits[at : at + 3] for at in (0, 3, 6))]
    thin = "\u2009"
    return thin.join(grouped[:-3]) + "." + thin.join(grouped[-3:]) + " BTC"


def _claims(output: Any) -> bool:
    return bool(output.taproot_hd_key_paths or output.hd_key_paths)


def _own_paths() -> dict[bytes, str]:
    """Return the path of every own script, by another library."""
    return {
        script: f"{account.path}/{chain}/{index}"
        for account in ACCOUNTS
        for script, (chain, index) in others_scripts(account).items()
    }


MORE_GLOBALS = st.lists(
    st.sampled_from(
        [
            field(Global.XPUB, bytes(8), bytes(4) + b"\x01" + bytes(40) + MASTER),
            field(Global.PROPRIETARY, b"a", b"\x03foo"),
            field(Global.PROPRIETARY, b"b", b"\x03bar"),
        ]
    ),
    unique=True,
)
MORE_INPUTS = st.lists(
    st.sampled_from(
        [
            field(In.SIGHASH_TYPE, b"\1\0\0\0"),
            field(In.PARTIAL_SIG, bytes.fromhex("3006020101020101") + b"\1", MASTER),
            field(In.POR_COMMITMENT, b"c"),
            field(In.SHA256, b"x", sha256(b"x").digest()),
            field(In.PROPRIETARY, b"d", b"\x03foo"),
            field(0x1F, b"of a later BIP"),
        ]
    ),
    unique=True,
)
MORE_OUTPUTS = st.lists(
    st.sampled_from(
        [
            field(Out.REDEEM_SCRIPT, b"\x51"),
            field(Out.PROPRIETARY, b"e", b"\x03foo"),
            field(0x1F, b"of a later BIP"),
        ]
    ),
    unique=True,
)


@st.composite
def foreign_psbts(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Return a PSBT as another program writes it, of either version, and without metadata."""
    plain = parse_psbt(draw(psbts()))
    loaded = replace(
        plain,
        globals=ordered((*plain.globals, *draw(MORE_GLOBALS))),
        inputs=tuple(ordered((*each, *draw(MORE_INPUTS))) for each in plain.inputs),
        outputs=tuple(ordered((*each, *draw(MORE_OUTPUTS))) for each in plain.outputs),
    )
    written = to_v2(loaded) if draw(st.booleans()) else loaded
    return written.encode(), plain.encode()


@given(psbts())
@examples(200 if TIMES == 1 else 1000)
def test_the_description_is_what_others_decode(data: bytes) -> None:
    description = described(data)
    fields = dict(description.fields)
    other = OtherPsbt.parse(data, check_validity=False)
    unsigned = CTransaction.deserialize(other.tx.serialize(include_witness=False))
    spent = prevouts(other)
    paid = sum(output.nValue for output in unsigned.vout)
    assert description.fee.base_units == sum(output.value for output in spent) - paid
    own = _own_paths()
    foreign, labels = 0, {each.path: each.label for each in ACCOUNTS}
    for number, output in enumerate(unsigned.vout, start=1):
        script = bytes(output.scriptPubKey)
        ours = script in own and _claims(other.outputs[number - 1])
        foreign += 0 if ours else output.nValue
        (shown,) = [
            value for label, value in fields.items() if label.startswith(f"Output {number},")
        ]
        if ours:
            assert shown.endswith(f"({own[script]})")
        if not shown.startswith(("0x", '"')):
            assert shown.startswith(f"{_text(output.nValue)} to ")
            assert _other_address(script) in shown
        assert output.nValue or ours or description.red_flags or script[:1] == b"\x6a"
    assert description.amount.base_units == foreign
    paths = [own[each.script_pub_key.script] for each in spent]
    accounts = dict.fromkeys(labels[path.rsplit("/", 2)[0]] for path in paths)
    assert fields["Account"] == " and ".join(accounts)
    for number, spender in enumerate(unsigned.vin, start=1):
        outpoint = f"{b2lx(spender.prevout.hash)}:{spender.prevout.n}"
        amount = _text(spent[number - 1].value)
        told = f"{outpoint}, {amount}, {paths[number - 1]}"
        assert fields[f"Input {number}"].startswith(told)
    assert fields["Version"] == str(unsigned.nVersion)
    lock = unsigned.nLockTime
    if lock >= 500_000_000:
        date = datetime.fromtimestamp(lock, UTC)
        assert fields["Not before"] == f"{date:%d %B %Y, %H:%M} UTC"
    else:
        assert fields.get("Not before block", "1") == str(lock + 1)


def _other_address(script: bytes) -> str:
    address = str(ScriptPubKey(script, "regtest").address)
    return address or f"script {script.hex()}"


@given(psbts())
@examples(150)
def test_the_digests_are_those_of_others(data: bytes) -> None:
    other = OtherPsbt.parse(data, check_validity=False)
    for index, payload in enumerate(signable.payloads(data, KEYS, NETWORK)):
        digest = taproot_sig_hash if payload.path.startswith("tr(") else ecdsa_sig_hash
        assert payload.message == digest(other, index)


@given(psbts(), st.integers(0, 511))
@examples(100)
def test_bitcoin_core_accepts_what_is_signed_and_nothing_near_it(data: bytes, place: int) -> None:
    spent = tuple(
        TxOut(output.value, output.script_pub_key.script)
        for output in prevouts(OtherPsbt.parse(data, check_validity=False))
    )
    transaction = signed(data)
    assert core_accepts(transaction, spent)
    assert not core_accepts(with_flipped_bit(transaction, place), spent)


@given(psbts())
@examples(60)
def test_psbts_are_written_as_by_others_in_both_versions(data: bytes) -> None:
    other = OtherPsbt.parse(data, check_validity=False)
    ours = parse_psbt(data)
    assert other.serialize(check_validity=False) == data == ours.encode()
    assert to_v2(ours).encode() == other.to_v2().serialize(check_validity=False)
    assert to_v0(parse_psbt(to_v2(ours).encode())).encode() == data


@given(psbts(), st.data())
@examples(300)
def test_a_flipped_bit_is_refused_or_seen(data: bytes, choice: st.DataObject) -> None:
    assert_flip_is_seen(described, _readable, data, choice)


@given(foreign_psbts())
@examples(100)
def test_what_other_programs_add_is_no_danger_and_is_not_signed(pair: tuple[bytes, bytes]) -> None:
    foreign, plain = pair
    loaded = to_v0(parse_psbt(foreign)).encode()
    before, after = described(plain), described(loaded)
    assert after.red_flags == before.red_flags
    assert replace(after, fields=(), digest=b"") == replace(before, fields=(), digest=b"")
    hash_type = ", hash type 0x1"
    told = [(label, value.replace(hash_type, "")) for label, value in after.fields]
    assert [each for each in told if each[0] != "Not signed"] == [*before.fields]
    psbt = to_v0(parse_psbt(foreign))
    spent = parse_spending(loaded).spent
    imported = without_unsigned(psbt, spent, KEYS)
    assert "Not signed" not in dict(described(imported.encode()).fields)
    transaction = signed(imported.encode())
    assert transaction.without_witnesses() == parse_psbt(plain).transaction
    assert core_accepts(transaction, spent)
    assert signed(loaded) == transaction


def _readable(description: TransactionDescription) -> TransactionDescription:
    return replace(description, digest=b"")


@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=300).map(lambda rest: b"psbt\xff" + rest),
        st.binary(max_size=100).map(lambda rest: b"BIP322\0" + rest),
        st.binary(max_size=100).map(lambda rest: b"BIP322\0" + FRIEND.encode() + b"\0" + rest),
    )
)
@examples(400)
def test_random_bytes_are_refused_in_one_way(data: bytes) -> None:
    _only_refused(data)


@given(psbts(), st.data())
@examples(200)
def test_mutated_bytes_are_refused_in_one_way(data: bytes, choice: st.DataObject) -> None:
    version = choice.draw(st.booleans())
    _only_refused(mutated(to_v2(parse_psbt(data)).encode() if version else data, choice))


def _only_refused(data: bytes) -> None:
    only_refused(
        lambda: parse_psbt(data).encode() == data,
        lambda: described(data).digest,
        lambda: signable.payloads(data, KEYS, NETWORK),
        lambda: isinstance(signable.may_replace(data, data), str),
        lambda: isinstance(signable.consumes(data, NETWORK), frozenset),
    )


@given(st.binary(max_size=200))
@examples(300)
def test_transactions_are_read_only_in_the_form_that_is_written(data: bytes) -> None:
    only_refused(lambda: parse_transaction(data).encode() == data)


@given(FOREIGN, st.sampled_from(Network))
@examples(200)
def test_addresses_are_those_of_others_and_lead_back(script: bytes, network: Network) -> None:
    name = {Network.MAINNET: "mainnet", Network.TESTNET: "testnet", Network.DEVNET: "regtest"}
    address = address_of(script, network)
    assert (address or "") == str(ScriptPubKey(script, name[network]).address)
    if address is not None:
        try:
            assert script_of(address, network) == script
        except InvalidAddress:
            assert kind_of(script).name == "FUTURE" or not can_be_spent(script)


@given(st.text(max_size=90))
@examples(300)
def test_texts_that_are_no_addresses_are_refused_in_one_way(text: str) -> None:
    for candidate in (text, f"bcrt1{text}", FRIEND[:-1] + text[:1]):
        with suppress(InvalidAddress):
            script_of(candidate, NETWORK)


@given(st.integers(0, 16), st.binary(min_size=2, max_size=40))
@examples(200)
def test_bech32_is_written_as_by_others(version: int, program: bytes) -> None:
    if version == 0 and len(program) not in {20, 32}:
        program = (program * 16)[:32]
    text = bech32.encode_program("bcrt", version, program)
    assert text == b32.address_from_witness(version, program, "regtest")
    assert bech32.decode_program("bcrt", text) == (version, program)


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=200))
@examples(150)
def test_messages_are_bound_to_their_bytes(text: str) -> None:
    data = build_message(FRIEND, text, NETWORK)
    description = described(data)
    assert description.from_address == FRIEND
    assert dict(description.fields)["Length"] == f"{len(text.encode())} bytes"
    if text.isprintable() and "\\" not in text:
        assert dict(description.fields)["Message"] == text


COINS = st.lists(st.integers(1, 10**7), max_size=30).map(
    lambda amounts: [
        Coin(OutPoint(number.to_bytes(32, "big"), 0), amount, 272)
        for number, amount in enumerate(amounts)
    ]
)


@given(COINS, st.integers(1, 10**7), st.integers(1, 200_000), st.integers(0, 99), st.integers(0, 3))
@examples(200)
def test_coins_are_chosen_with_sums_that_are_right(
    coins: Sequence[Coin], target: int, rate: int, seed: int, required: int
) -> None:
    costs = Costs(rate, 166, 124, 272, 294)
    fixed = tuple(coins[:required])
    try:
        chosen = select(coins, target, costs, seed, fixed)
    except InsufficientFunds:
        useful = [coin for coin in coins if coin in fixed or coin.amount > costs.share(coin.weight)]
        worth = sum(coin.amount - costs.share(coin.weight) for coin in useful)
        # Rounding each part up may ask for a satoshi more than the whole would.
        assert worth < target + costs.fee(costs.base_weight) + len(coins) + 1
        return
    total = sum(coin.amount for coin in chosen.coins)
    weight = costs.base_weight + 272 * len(chosen.coins)
    assert len(set(chosen.coins)) == len(chosen.coins)
    assert set(fixed) <= set(chosen.coins) <= set(coins)
    assert total == target + chosen.fee + chosen.change
    if chosen.change:
        assert chosen.change >= costs.dust
        assert chosen.fee == costs.fee(weight + costs.change_weight)
    else:
        # At most what change would have cost is given up.
        excess = chosen.fee - costs.fee(weight)
        assert (
            0 <= excess <= costs.fee(weight + costs.change_weight) - costs.fee(weight) + costs.dust
        )
    assert select(coins, target, costs, seed, fixed) == chosen
    assert dust_limit(script_of(FRIEND, NETWORK)) == costs.dust
