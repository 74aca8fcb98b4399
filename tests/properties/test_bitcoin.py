"""Bitcoin: what is shown is what others decode, and no other bytes show the same.

The other decoders are `btclib` (PSBTs, descriptors, digests) and `python-bitcoinlib`, which share
no code with ours; the judge of signatures is Bitcoin Core's own interpreter.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
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
from console.adapters.chains.bitcoin.psbt import parse_psbt
from console.adapters.chains.bitcoin.psbt_convert import psbt_of, to_v0, to_v2
from console.adapters.chains.bitcoin.psbt_fields import In
from console.adapters.chains.bitcoin.psbt_map import Fields, field
from console.adapters.chains.bitcoin.script import (
    can_be_spent,
    data_script,
    dust_limit,
    kind_of,
    p2pkh,
    p2sh,
    witness_script,
)
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
def inputs(draw: st.DrawFn, account: Account, number: int) -> tuple[TxIn, Fields, TxOut]:
    """Return an own coin's spender, with the transaction that made it."""
    place, index = draw(PLACES), draw(st.integers(0, 2))
    spent = TxOut(draw(SATOSHIS), script_at(account, KEYS, place))
    outputs = [TxOut(draw(SATOSHIS), draw(FOREIGN)) for _ in range(index)]
    maker = TxIn(OutPoint(number.to_bytes(32, "big"), draw(st.integers(0, 9))))
    previous = Transaction(draw(st.integers(1, 2)), (maker,), (*outputs, spent), 0)
    fields = (
        field(In.NON_WITNESS_UTXO, previous.encode_stripped()),
        field(In.WITNESS_UTXO, spent.encode()),
        *input_origin(account, KEYS, place),
    )
    return TxIn(OutPoint(previous.hash, index), sequence=draw(SEQUENCES)), fields, spent


@st.composite
def outputs(draw: st.DrawFn, account: Account, most: int) -> tuple[TxOut, Fields]:
    """Return an output to others, to the account, or to the account without saying so."""
    amount = draw(st.integers(0, most))
    if draw(st.booleans()):
        return TxOut(amount, draw(FOREIGN)), ()
    place = draw(PLACES)
    claim = output_origin(account, KEYS, place) if draw(st.integers(0, 4)) else ()
    return TxOut(amount, script_at(account, KEYS, place)), claim


@st.composite
def psbts(draw: st.DrawFn) -> bytes:
    """Return a transaction of either account, with own inputs that are proven."""
    account = draw(st.sampled_from(ACCOUNTS))
    spending = [draw(inputs(account, number)) for number in range(draw(st.integers(1, 3)))]
    count = draw(st.integers(1, 4))
    most = sum(spent.amount for _, _, spent in spending) // count
    paying = [draw(outputs(account, most)) for _ in range(count)]
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


def _claims(output: Any, account: Account) -> bool:
    return bool(output.taproot_hd_key_paths if account is TAPROOT else output.hd_key_paths)


@given(psbts())
@examples(200 if TIMES == 1 else 1000)
def test_the_description_is_what_others_decode(data: bytes) -> None:
    description = described(data)
    fields = dict(description.fields)
    other = OtherPsbt.parse(data, check_validity=False)
    (account,) = [each for each in ACCOUNTS if each.label == fields["Account"]]
    unsigned = CTransaction.deserialize(other.tx.serialize(include_witness=False))
    spent = prevouts(other)
    paid = sum(output.nValue for output in unsigned.vout)
    assert description.fee.base_units == sum(output.value for output in spent) - paid
    own = others_scripts(account)
    foreign = 0
    for number, output in enumerate(unsigned.vout, start=1):
        script = bytes(output.scriptPubKey)
        ours = script in own and _claims(other.outputs[number - 1], account)
        foreign += 0 if ours else output.nValue
        (shown,) = [
            value for label, value in fields.items() if label.startswith(f"Output {number},")
        ]
        if ours:
            chain, index = own[script]
            assert shown.endswith(f"({account.path}/{chain}/{index})")
        if not shown.startswith(("0x", '"')):
            assert shown.startswith(f"{_text(output.nValue)} to ")
            assert _other_address(script) in shown
        assert output.nValue or ours or description.red_flags or script[:1] == b"\x6a"
    assert description.amount.base_units == foreign
    for number, spender in enumerate(unsigned.vin, start=1):
        outpoint = f"{b2lx(spender.prevout.hash)}:{spender.prevout.n}"
        amount = _text(spent[number - 1].value)
        chain, index = own[spent[number - 1].script_pub_key.script]
        told = f"{outpoint}, {amount}, {account.path}/{chain}/{index}"
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
