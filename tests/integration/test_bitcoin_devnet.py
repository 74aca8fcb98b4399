"""The Bitcoin devnet takes what Core takes, refuses what Core refuses, and reorganises as it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from bitcoin.core import COutPoint, CTransaction, CTxIn, CTxInWitness, CTxWitness, b2lx
from bitcoin.core.script import (
    SIGVERSION_WITNESS_V0,
    CScript,
    CScriptWitness,
    SignatureHash,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from console.devnet.bitcoin.index import ChainIndex
from console.devnet.bitcoin.node import FIRST_BLOCKS, MAX_BLOCKS_AT_ONCE, MAX_REORG, BitcoinDevnet
from console.devnet.bitcoin.policy import PolicyRefused
from tests.unit.bitcoin_clients.spending import (
    ADDRESS,
    BURNED,
    FEE,
    FINAL,
    FUNDING,
    Funded,
    Purse,
    pay,
    with_high_s,
)

GENESIS = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
KINDS = {"key hash": 0, "taproot": 1}


@pytest.fixture
def devnet() -> Iterator[BitcoinDevnet]:
    made = BitcoinDevnet()
    yield made
    made.close()


@pytest.fixture
def purse() -> Purse:
    return Purse()


@pytest.fixture(params=KINDS)
def coin(request: pytest.FixtureRequest, devnet: BitcoinDevnet, purse: Purse) -> Funded:
    """A confirmed coin of either kind."""
    return purse.fill(devnet, purse.scripts[KINDS[request.param]])


def send(devnet: BitcoinDevnet, transaction: CTransaction) -> bytes:
    return devnet.send(transaction.serialize())


def refusal(devnet: BitcoinDevnet, transaction: CTransaction) -> str:
    before = devnet.chain.height, dict(devnet.mempool.entries), dict(devnet.chain.coins)
    with pytest.raises(PolicyRefused) as refused:
        send(devnet, transaction)
    assert before == (devnet.chain.height, devnet.mempool.entries, devnet.chain.coins)
    return str(refused.value)


def rebuilt(devnet: BitcoinDevnet) -> ChainIndex:
    """The index, made again from the blocks alone."""
    index = ChainIndex(devnet.chain.blocks[0])
    for block in devnet.chain.blocks[1:]:
        index.connect(block)
    return index


def check_index(devnet: BitcoinDevnet) -> None:
    fresh = rebuilt(devnet)
    assert fresh.coins == devnet.chain.coins
    assert fresh.placed == devnet.chain.placed
    assert fresh.spenders == devnet.chain.spenders


def test_it_starts_with_coins_that_may_be_spent(devnet: BitcoinDevnet) -> None:
    assert devnet.chain.height == FIRST_BLOCKS
    assert b2lx(devnet.chain.blocks[0].GetHash()) == GENESIS
    devnet.fund(ADDRESS, 10**8)
    assert devnet.chain.height == FIRST_BLOCKS + 1


def test_its_directory_goes_when_it_closes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    devnet = BitcoinDevnet()
    assert list(tmp_path.iterdir())
    devnet.close()
    devnet.close()
    assert not list(tmp_path.iterdir())


def test_a_spend_is_in_the_next_block(devnet: BitcoinDevnet, purse: Purse, coin: Funded) -> None:
    txid = send(devnet, purse.spend([coin]))
    assert devnet.chain.placed[txid].height == devnet.chain.height
    assert coin[0] not in devnet.chain.coins
    check_index(devnet)


def test_both_kinds_are_spent_together(devnet: BitcoinDevnet, purse: Purse) -> None:
    coins = [purse.fill(devnet, script) for script in purse.scripts]
    txid = send(devnet, purse.spend(coins))
    assert devnet.chain.placed[txid].spent == tuple(coin for _, coin in coins)


def test_no_flipped_bit_of_a_signature_is_taken(
    devnet: BitcoinDevnet, purse: Purse, coin: Funded
) -> None:
    good = purse.spend([coin])
    signature = good.wit.vtxinwit[0].scriptWitness.stack[0]
    raw = good.serialize()
    # Not the last byte of an ECDSA signature, which says what is signed and not how.
    for place in range(4, 64, 7):
        bad = bytearray(signature)
        bad[place] ^= 1
        with pytest.raises(PolicyRefused, match="mandatory-script-verify-flag-failed"):
            devnet.send(raw.replace(signature, bytes(bad)))
    send(devnet, good)


def test_no_changed_amount_is_taken(devnet: BitcoinDevnet, purse: Purse, coin: Funded) -> None:
    good = purse.spend([coin])
    less = [pay(good.vout[0].nValue - 1)]
    bad = CTransaction(good.vin, less, good.nLockTime, good.nVersion, good.wit)
    assert "mandatory-script-verify-flag-failed (input 0)" in refusal(devnet, bad)


def with_witness(transaction: CTransaction, *items: bytes) -> CTransaction:
    """Return the same with another witness of its only input."""
    witness = CTxWitness((CTxInWitness(CScriptWitness(items)),))
    lock, version = transaction.nLockTime, transaction.nVersion
    return CTransaction(transaction.vin, transaction.vout, lock, version, witness)


def test_signatures_have_a_low_s(devnet: BitcoinDevnet, purse: Purse) -> None:
    good = purse.spend([purse.fill(devnet, purse.key_hash_script)])
    signature, key = good.wit.vtxinwit[0].scriptWitness.stack
    bad = with_witness(good, with_high_s(signature), key)
    assert "S value is unnecessarily high" in refusal(devnet, bad)
    send(devnet, good)


def test_hash_types_are_known_ones(devnet: BitcoinDevnet, purse: Purse) -> None:
    coin = purse.fill(devnet, purse.key_hash_script)
    good = purse.spend([coin])
    # Consensus takes an unknown type as it takes ALL, with the type itself in the digest.
    code = CScript(b"\x76\xa9\x14" + purse.hash + b"\x88\xac")
    value = coin[1].output.nValue
    digest = SignatureHash(code, good, 0, 0x04, value, SIGVERSION_WITNESS_V0)
    signature = purse.key.sign(digest, hasher=None) + b"\x04"
    bad = with_witness(good, signature, purse.key.public_key.format())
    assert "hash type missing or not understood" in refusal(devnet, bad)


def test_a_spent_coin_is_missing(devnet: BitcoinDevnet, purse: Purse, coin: Funded) -> None:
    send(devnet, purse.spend([coin]))
    second = purse.spend([coin], fee=2 * FEE)
    assert refusal(devnet, second) == "bad-txns-inputs-missingorspent"


def test_the_same_again_is_known(devnet: BitcoinDevnet, purse: Purse, coin: Funded) -> None:
    devnet.automine = False
    transaction = purse.spend([coin])
    assert send(devnet, transaction) == send(devnet, transaction)
    devnet.mine(1)
    assert refusal(devnet, transaction) == "Transaction already in block chain"


def test_a_coin_of_nobody_is_missing(devnet: BitcoinDevnet, purse: Purse, coin: Funded) -> None:
    invented = ((b"\x11" * 32, 0), coin[1])
    assert refusal(devnet, purse.spend([invented])) == "bad-txns-inputs-missingorspent"


@dataclass(frozen=True)
class Odd:
    """A spend that a node does not take, and its words."""

    words: str
    make: Callable[[Purse, Funded], CTransaction]


ODD = [
    Odd("min relay fee not met, 0 <", lambda p, c: p.spend([c], fee=0)),
    Odd("bad-txns-in-belowout", lambda p, c: p.spend([c], fee=-1)),
    Odd("dust", lambda p, c: p.spend([c], [pay(293)])),
    Odd("version", lambda p, c: p.spend([c], version=4)),
    Odd("scriptpubkey", lambda p, c: p.spend([c], [pay(10**6, b"\x51" * 30)])),
    Odd("scriptpubkey", lambda p, c: p.spend([c], [pay(10**6), pay(10**6, b"")])),
    Odd("scriptpubkey", lambda p, c: p.spend([c], [pay(0, b"\x6a\x4c\xff" + bytes(254))])),
    Odd("scriptpubkey", lambda p, c: p.spend([c], [pay(0, b"\x6a\xac" * 30)])),
    Odd("tx-size", lambda p, c: p.spend([c], [pay(1000)] * 3300)),
    Odd("tx-size-small", lambda p, c: p.spend([c], [pay(10**6, b"\x6a")])),
    Odd("bad-txns-vout-empty", lambda _, c: CTransaction([CTxIn(COutPoint(*c[0]))], [])),
    Odd("bad-txns-vout-negative", lambda p, c: p.spend([c], [pay(-1)])),
    Odd("bad-txns-vout-toolarge", lambda p, c: p.spend([c], [pay(21_000_001 * 10**8)])),
    Odd("bad-txns-txouttotal-toolarge", lambda p, c: p.spend([c], [pay(21 * 10**14)] * 2)),
    Odd("bad-txns-inputs-duplicate", lambda p, c: p.spend([c, c])),
    Odd("coinbase", lambda *_: CTransaction([CTxIn(COutPoint())], [pay(1000)])),
    Odd("non-final", lambda p, c: p.spend([c], locktime=200)),
    Odd("non-final", lambda p, c: p.spend([c], locktime=4_000_000_000)),
    Odd("non-BIP68-final", lambda p, c: p.spend([c], sequence=5)),
    Odd("non-BIP68-final", lambda p, c: p.spend([c], sequence=1 << 22 | 100)),
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.words)
def test_what_a_node_does_not_relay_is_refused(
    devnet: BitcoinDevnet, purse: Purse, odd: Odd
) -> None:
    made = odd.make(purse, purse.fill(devnet, purse.taproot_script))
    assert refusal(devnet, made).startswith(odd.words)


def test_locks_that_are_over_are_no_hindrance(devnet: BitcoinDevnet, purse: Purse) -> None:
    one, two = (purse.fill(devnet, script) for script in purse.scripts)
    send(devnet, purse.spend([one], locktime=devnet.chain.height))
    devnet.mine(5)
    send(devnet, purse.spend([two], sequence=5))


def test_a_young_reward_is_not_spent(devnet: BitcoinDevnet, purse: Purse) -> None:
    reward = devnet.chain.blocks[-1].vtx[0]
    young = ((reward.GetTxid(), 0), devnet.chain.coins[reward.GetTxid(), 0])
    assert refusal(devnet, purse.spend([young])) == "bad-txns-premature-spend-of-coinbase"


def test_a_better_payer_takes_the_place(devnet: BitcoinDevnet, purse: Purse, coin: Funded) -> None:
    devnet.automine = False
    first = send(devnet, purse.spend([coin]))
    second = send(devnet, purse.spend([coin], fee=2 * FEE))
    assert list(devnet.mempool.entries) == [second]
    devnet.mine(1)
    assert second in devnet.chain.placed
    assert devnet.find(first) is None


def test_a_replacement_brings_no_new_parents(devnet: BitcoinDevnet, purse: Purse) -> None:
    first, second = (purse.fill(devnet, purse.taproot_script) for _ in range(2))
    devnet.automine = False
    send(devnet, purse.spend([first]))
    change = [pay(FUNDING - FEE, purse.taproot_script)]
    parent = send(devnet, purse.spend([second], change))
    (waiting,) = devnet.unspent(purse.taproot_script)
    assert waiting[0] == (parent, 0)
    both = purse.spend([first, waiting], fee=9 * FEE)
    assert refusal(devnet, both) == "replacement-adds-unconfirmed"


def test_a_replacement_does_not_spend_what_it_replaces(devnet: BitcoinDevnet, purse: Purse) -> None:
    coin = purse.fill(devnet, purse.taproot_script)
    devnet.automine = False
    send(devnet, purse.spend([coin], [pay(FUNDING - FEE, purse.taproot_script)]))
    both = purse.spend([coin, *devnet.unspent(purse.taproot_script)], fee=9 * FEE)
    assert refusal(devnet, both) == "bad-txns-spends-conflicting-tx"


def test_old_kinds_of_addresses_are_paid(devnet: BitcoinDevnet, purse: Purse) -> None:
    coin = purse.fill(devnet, purse.taproot_script)
    key_hash, script_hash = b"\x76\xa9\x14" + bytes(20) + b"\x88\xac", b"\xa9\x14" + bytes(20)
    outputs = [pay(546, key_hash), pay(540, script_hash + b"\x87"), pay(0, b"\x6a\x02hi")]
    txid = send(devnet, purse.spend([coin], outputs))
    assert txid in devnet.chain.placed
    check_index(devnet)


def test_what_builds_on_the_replaced_goes_with_it(devnet: BitcoinDevnet, purse: Purse) -> None:
    coin = purse.fill(devnet, purse.taproot_script)
    devnet.automine = False
    parent = send(devnet, purse.spend([coin], [pay(FUNDING - FEE, purse.taproot_script)]))
    waiting = devnet.mempool.coin((parent, 0))
    assert waiting is not None
    send(devnet, purse.spend([((parent, 0), waiting)]))
    assert len(devnet.mempool.entries) == 2
    # It must pay for both (rule 3).
    assert "less fees than conflicting txs" in refusal(devnet, purse.spend([coin], fee=FEE + 500))
    second = send(devnet, purse.spend([coin], fee=2 * FEE + 500))
    assert list(devnet.mempool.entries) == [second]


def test_a_parent_and_its_child_are_in_one_block(devnet: BitcoinDevnet, purse: Purse) -> None:
    coin = purse.fill(devnet, purse.taproot_script)
    devnet.automine = False
    parent = send(devnet, purse.spend([coin], [pay(FUNDING - FEE, purse.taproot_script)]))
    child = send(devnet, purse.spend(devnet.unspent(purse.taproot_script)))
    assert devnet.unspent(purse.taproot_script) == []
    devnet.mine(1)
    heights = {devnet.chain.placed[txid].height for txid in (parent, child)}
    assert heights == {devnet.chain.height}
    check_index(devnet)


@pytest.mark.parametrize(
    ("fee", "words"),
    [
        (FEE, "new feerate <= old feerate"),
        (FEE - 1, "new feerate <= old feerate"),
        (FEE + 1, "not enough additional fees to relay"),
        (FEE + 90, "not enough additional fees to relay"),
    ],
)
def test_a_replacement_pays_for_its_own_way(
    devnet: BitcoinDevnet, purse: Purse, coin: Funded, fee: int, words: str
) -> None:
    devnet.automine = False
    send(devnet, purse.spend([coin]))
    said = refusal(devnet, purse.spend([coin], [pay(FUNDING - fee, BURNED[:-1] + b"\x01")]))
    assert said.startswith("insufficient fee, rejecting replacement")
    assert words in said


def test_who_did_not_allow_it_is_replaced_too(
    devnet: BitcoinDevnet, purse: Purse, coin: Funded
) -> None:
    devnet.automine = False
    first = send(devnet, purse.spend([coin], sequence=FINAL))
    second = send(devnet, purse.spend([coin], fee=9 * FEE))
    assert devnet.find(first) is None
    assert devnet.find(second) is not None


def test_several_data_outputs_are_relayed(devnet: BitcoinDevnet, purse: Purse) -> None:
    coin = purse.fill(devnet, purse.taproot_script)
    data = b"\x6a" + b"\x4c\xc8" + bytes(200) + b"\x51\x04abcd"
    send(devnet, purse.spend([coin], [pay(0, data), pay(0, b"\x6a"), pay(10**6)]))


def test_a_reorganisation_lets_transactions_wait_again(
    devnet: BitcoinDevnet, purse: Purse, coin: Funded
) -> None:
    height = devnet.chain.height
    txid = send(devnet, purse.spend([coin]))
    old_tip = devnet.chain.blocks[-1].GetHash()
    devnet.reorg(1)
    assert devnet.chain.height == height + 2
    assert devnet.chain.blocks[height + 1].GetHash() != old_tip
    assert txid not in devnet.chain.placed
    assert txid in devnet.mempool.entries
    check_index(devnet)
    devnet.mine(1)
    assert devnet.chain.placed[txid].height == height + 3
    assert not devnet.mempool.entries


def test_after_a_reorganisation_another_spend_may_win(devnet: BitcoinDevnet, purse: Purse) -> None:
    coin = purse.fill(devnet, purse.taproot_script)
    lost = send(devnet, purse.spend([coin]))
    devnet.reorg(1)
    won = send(devnet, purse.spend([coin], fee=3 * FEE))
    assert won in devnet.chain.placed
    assert devnet.find(lost) is None


@pytest.mark.parametrize("depth", [0, -1, MAX_REORG + 1])
def test_depths_are_bounded(devnet: BitcoinDevnet, depth: int) -> None:
    with pytest.raises(ValueError, match="blocks"):
        devnet.reorg(depth)
    with pytest.raises(ValueError, match="blocks"):
        devnet.mine(depth if depth < 1 else MAX_BLOCKS_AT_ONCE + 1)
    assert devnet.chain.height == FIRST_BLOCKS


@settings(max_examples=10, deadline=None)
@given(moves=st.lists(st.sampled_from(["fund", "spend", "mine", "reorg", "wait"]), max_size=12))
def test_the_index_is_what_the_blocks_say(moves: list[str]) -> None:
    devnet, purse = BitcoinDevnet(), Purse()
    try:
        for move in moves:
            match move:
                case "fund":
                    purse.fill(devnet, purse.taproot_script)
                case "spend":
                    for funded in devnet.unspent(purse.taproot_script)[:1]:
                        send(devnet, purse.spend([funded]))
                case "mine":
                    devnet.mine(2)
                case "reorg":
                    devnet.reorg(3)
                case "wait":
                    devnet.automine = not devnet.automine
            check_index(devnet)
        devnet.mine(1)
        assert not devnet.mempool.entries
        assert not devnet.mempool.spenders
    finally:
        devnet.close()
