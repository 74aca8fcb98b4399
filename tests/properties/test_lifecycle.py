"""A key through its epochs: the point stays, and shares of two epochs never combine."""

from hypothesis import given, settings
from hypothesis import strategies as st

from console.protocols.frost import FROST_ED25519, FROST_TAPROOT, Suite, sign_with
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

Shares = dict[int, KeyShare]


def signed(suite: Suite, shares: Shares, signers: list[int], seed: str) -> None:
    network = Network(
        {
            i: lambda p, i=i: sign_with(suite, p, shares[i], b"m", stream(f"{seed}/{i}"))
            for i in signers
        },
        seed=seed,
    ).deliver()
    assert not network.aborts
    (signature,) = set(network.outcomes.values())
    suite.verify(shares[signers[0]].public.group_key, b"m", signature)


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
    n = draw(st.integers(2, 4))
    t = draw(st.integers(2, n))
    signers = sorted(draw(st.permutations(range(1, n + 1)))[: draw(st.integers(t, n))])
    members = sorted(draw(st.sets(st.integers(1, 9), min_size=1, max_size=4)))
    return t, n, signers, members, draw(st.integers(1, len(members)))


@given(lives(), st.sampled_from([FROST_ED25519, FROST_TAPROOT]), st.text("abc", max_size=3))
@settings(max_examples=25, deadline=None)
def test_refresh_and_reshare_keep_the_key(
    life: tuple[int, int, list[int], list[int], int], suite: Suite, seed: str
) -> None:
    t, n, signers, members, threshold = life
    first = dealt(t, n, seed, suite.group)
    refreshed: Shares = {
        i: decode_share(encode_share(result.share))
        for i, result in Network(
            {i: lambda p, i=i: refresh(p, first[i], b"e2", stream(f"{seed}/r/{i}")) for i in first},
            seed=seed,
        )
        .deliver()
        .outcomes.items()
    }
    assert len(refreshed) == n
    public = refreshed[1].public
    assert public.group_key == first[1].public.group_key
    never_combine(first[1].public, public)
    never_combine(public, first[1].public)
    signed(suite, refreshed, signers, seed)
    agreed = ReshareParameters(public, tuple(signers), tuple(members), threshold, b"e3")
    handed = (
        Network(
            {
                i: lambda p, i=i: reshare(
                    p, agreed, refreshed[i] if i in signers else None, stream(f"{seed}/h/{i}")
                )
                for i in {*signers, *members}
            },
            seed=seed,
        )
        .deliver()
        .outcomes
    )
    assert len({(result.public, result.transcript) for result in handed.values()}) == 1
    new: Shares = {i: decode_share(encode_share(handed[i].share)) for i in members}
    assert new[members[0]].public.group_key == public.group_key
    never_combine(public, new[members[0]].public)
    signed(suite, new, members[-threshold:], seed)


@given(st.integers(1, 3), st.integers(0, 1), st.integers(1, 5), st.text("abc", max_size=3))
@settings(max_examples=25, deadline=None)
def test_repair_gives_back_the_share_that_was_lost(t: int, more: int, lost: int, seed: str) -> None:
    keys = dealt(t, 5, seed, FROST_TAPROOT.group)
    helpers = tuple(i for i in keys if i != lost)[: t + more]
    agreed = RepairParameters(keys[1].public, lost, helpers, b"")
    network = Network(
        {
            i: lambda p, i=i: repair(
                p, agreed, None if i == lost else keys[i], stream(f"{seed}/{i}")
            )
            for i in (*helpers, lost)
        },
        seed=seed,
    ).deliver()
    assert network.outcomes[lost].share == keys[lost]
