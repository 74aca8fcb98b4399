"""A key through its epochs: the point stays, and shares of two epochs never combine."""

from hypothesis import given
from hypothesis import strategies as st

from console.protocols.frost import FROST_ED25519, FROST_SECP256K1, FROST_TAPROOT, Suite
from console.protocols.keygen import (
    KeyShare,
    PublicKeyPackage,
    RepairParameters,
    ReshareParameters,
    decode_share,
    encode_share,
    refresh,
    repair,
    reshare,
)
from console.protocols.math.group import Point
from console.protocols.math.polynomial import interpolate
from tests.adversary.keys import dealt
from tests.adversary.network import Network, stream
from tests.adversary.runs import Runs, each
from tests.properties.depth import examples
from tests.properties.test_threshold import LATE, SEEDS, SUITES, over_the_wire, signed

Shares = dict[int, KeyShare]


def stored(shares: Shares) -> Shares:
    return {i: decode_share(encode_share(share)) for i, share in shares.items()}


def refreshing(shares: Shares, seed: str) -> Runs:
    return each(shares, lambda i, p: refresh(p, shares[i], b"e2", stream(f"{seed}/r/{i}")))


def resharing(agreed: ReshareParameters, shares: Shares, seed: str) -> Runs:
    dealing = {i: shares[i] for i in agreed.signers}
    parties = sorted({*agreed.signers, *agreed.members})
    return each(parties, lambda i, p: reshare(p, agreed, dealing.get(i), stream(f"{seed}/h/{i}")))


def repairing(agreed: RepairParameters, shares: Shares, seed: str) -> Runs:
    helping = {i: shares[i] for i in agreed.helpers}
    parties = sorted((*agreed.helpers, agreed.lost))
    return each(parties, lambda i, p: repair(p, agreed, helping.get(i), stream(f"{seed}/p/{i}")))


def never_combine(old: PublicKeyPackage, new: PublicKeyPackage) -> None:
    """No set of old shares completes a set of new ones that is too small by itself."""
    if min(old.threshold, new.threshold) < 2:
        return
    group = old.group
    few = {i: Point(p) for i, p in new.public_shares[: new.threshold - 1]}
    rest = {i: Point(p) for i, p in old.public_shares if i not in few}
    for i, point in rest.items():
        assert interpolate(group, {**few, i: point}) != new.group_key
    assert interpolate(group, {**few, **rest}) != new.group_key


@st.composite
def lives(draw: st.DrawFn) -> tuple[int, int, list[int], list[int], int]:
    """Threshold and number of owners, who signs and deals, the new owners and their threshold."""
    n = draw(st.integers(2, 9))
    t = draw(st.integers(2, n))
    signers = sorted(draw(st.permutations(range(1, n + 1)))[: draw(st.integers(t, n))])
    members = sorted(draw(st.sets(st.integers(1, 12), min_size=1, max_size=9)))
    return t, n, signers, members, draw(st.integers(1, len(members)))


Life = tuple[int, int, list[int], list[int], int]


@given(lives(), SUITES, SEEDS, LATE)
@examples(20)
def test_refresh_and_reshare_keep_the_key(
    life: Life, suite: Suite, seed: str, late: frozenset[int]
) -> None:
    t, n, signers, members, threshold = life
    first = dealt(t, n, seed, suite.group)
    network = Network(refreshing(first, seed), seed, over_the_wire, late=late).deliver()
    assert not network.aborts
    refreshed = stored({i: result.share for i, result in network.outcomes.items()})
    assert len(refreshed) == n
    public = refreshed[1].public
    assert public.group_key == first[1].public.group_key
    never_combine(first[1].public, public)
    never_combine(public, first[1].public)
    signed(suite, refreshed, signers, seed=seed, late=late)
    agreed = ReshareParameters(public, tuple(signers), tuple(members), threshold, b"e3")
    network = Network(resharing(agreed, refreshed, seed), seed, over_the_wire, late=late).deliver()
    assert not network.aborts
    handed = network.outcomes
    assert set(handed) == set(network.runs)
    assert len({(result.public, result.transcript) for result in handed.values()}) == 1
    assert {i for i, result in handed.items() if result.share is not None} == set(members)
    new = stored({i: handed[i].share for i in members})
    assert new[members[0]].public.group_key == public.group_key
    never_combine(public, new[members[0]].public)
    signed(suite, new, members[-threshold:], seed=seed, late=late)


@st.composite
def losses(draw: st.DrawFn) -> tuple[int, int, int, list[int]]:
    """Threshold, number of owners, who lost its share, and who helps."""
    n = draw(st.integers(2, 9))
    t = draw(st.integers(1, n - 1))
    lost = draw(st.integers(1, n))
    others = [i for i in range(1, n + 1) if i != lost]
    return t, n, lost, sorted(draw(st.permutations(others))[: draw(st.integers(t, n - 1))])


@given(losses(), SUITES, SEEDS, LATE)
@examples(25)
def test_repair_gives_back_the_share_that_was_lost(
    loss: tuple[int, int, int, list[int]], suite: Suite, seed: str, late: frozenset[int]
) -> None:
    t, n, lost, helpers = loss
    keys = dealt(t, n, seed, suite.group)
    agreed = RepairParameters(keys[1].public, lost, tuple(helpers), b"")
    network = Network(repairing(agreed, keys, seed), seed, over_the_wire, late=late).deliver()
    assert not network.aborts
    assert len({result.transcript for result in network.outcomes.values()}) == 1
    assert all(network.outcomes[i].share is None for i in helpers)
    assert network.outcomes[lost].share == keys[lost]
    back = {**keys, lost: network.outcomes[lost].share}
    signed(suite, back, [lost, *helpers][:t], seed=seed, late=late)


@given(
    st.sampled_from(["refresh", "reshare", "repair"]),
    st.sampled_from([FROST_ED25519, FROST_SECP256K1, FROST_TAPROOT]),
    st.integers(0, 80),
    SEEDS,
    LATE,
)
@examples(40)
def test_a_change_interrupted_at_any_message_leaves_one_usable_set(
    kind: str, suite: Suite, delivered: int, seed: str, late: frozenset[int]
) -> None:
    """Whoever has not finished has no new share; the old ones sign as long as one is missing."""
    keys = dealt(2, 3, seed, suite.group)
    public = keys[1].public
    members = (1, 2, 3) if kind == "refresh" else (2, 3, 4) if kind == "reshare" else (3,)
    runs = {
        "refresh": lambda: refreshing(keys, seed),
        "reshare": lambda: resharing(
            ReshareParameters(public, (1, 2), members, 2, b"e2"), keys, seed
        ),
        "repair": lambda: repairing(RepairParameters(public, 3, (1, 2), b""), keys, seed),
    }[kind]()
    network = Network(runs, seed, late=late).deliver(delivered)
    assert not network.aborts
    for i, session in network.sessions.items():
        if i not in network.outcomes:
            session.close()
        assert session.done == (i in network.outcomes)
    new = {i: r.share for i, r in network.outcomes.items() if r.share is not None}
    assert set(new) <= set(members)
    for share in keys.values():
        share.check()
    signed(suite, keys, (1, 2), seed=seed)
    if kind == "repair":
        assert new in ({}, {3: keys[3]})
    elif set(new) == set(members):
        signed(suite, new, members[:2], seed=seed)
    for share in new.values():
        share.check()
        if kind != "repair":
            never_combine(public, share.public)
