"""FROST signing with cheating signers and coordinators."""

import itertools
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from console.protocols.frost import (
    FROST_ED25519,
    FROST_SECP256K1,
    FROST_TAPROOT,
    Commitment,
    InvalidSignature,
    NonceReused,
    PackageMismatch,
    ShareInvalid,
    SignatureShare,
    SigningPackage,
    Suite,
    aggregate,
    commit,
    sign_share,
    sign_with,
    verify_share,
)
from console.protocols.kernel.abort import AbortKind, ProtocolAbort
from console.protocols.kernel.session import find_equivocation
from console.protocols.keygen.share import KeyShare, PublicKeyPackage
from console.protocols.math.ed25519 import ED25519, L
from console.protocols.math.group import Group, Scalar
from console.protocols.math.secp256k1 import SECP256K1, N
from tests.adversary.keys import dealt
from tests.adversary.network import Network, Run, assert_blamed, cheating, rewrite, stream

MESSAGE = b"pay 1 to alice"
SUITES = [
    (FROST_ED25519, dealt(2, 4)),
    (FROST_SECP256K1, dealt(2, 4, "key", SECP256K1)),
    (FROST_TAPROOT, dealt(2, 4, "even", SECP256K1)),
    (FROST_TAPROOT, dealt(2, 4, "odd-y", SECP256K1)),
]

# What the tests work with; `suite` lets every one of them run with each suite.
SUITE: Suite = FROST_ED25519
GROUP: Group = SUITE.group
KEYS: dict[int, KeyShare] = SUITES[0][1]
PUBLIC: PublicKeyPackage = KEYS[1].public
ONE: Scalar = GROUP.scalar(1)


@pytest.fixture(params=SUITES, ids=["ed25519", "secp256k1", "tr-even", "tr-odd"], autouse=True)
def suite(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Suite:
    chosen, keys = request.param
    chosen_values = {
        "SUITE": chosen,
        "GROUP": chosen.group,
        "KEYS": keys,
        "PUBLIC": keys[1].public,
        "ONE": chosen.group.scalar(1),
    }
    for name, value in chosen_values.items():
        monkeypatch.setattr(sys.modules[__name__], name, value)
    return chosen


BAD_POINTS = [
    ED25519.identity,
    bytes(32),
    b"\xff" * 32,
    bytes.fromhex("f86666666666666666666666666666666666666666666666666666666666667f"),
    ED25519.generator[:31],
    b"\x04" + ED25519.generator * 2,
    SECP256K1.identity,
    b"\x02" + bytes(31) + b"\x05",
    b"\x02" + b"\xff" * 32,
    SECP256K1.generator[1:],
    b"\x04" + SECP256K1.generator[1:] * 2,
]
POINT_NAMES = ["identity", "small-order", "non-canonical", "off-curve", "short", "uncompressed"]
POINT_NAMES += ["no-point", "off-secp256k1", "beyond-field", "x-only", "uncompressed-secp256k1"]


def honest(i: int, message: bytes = MESSAGE, keys: dict[int, KeyShare] | None = None) -> Run:
    chosen = (keys or KEYS)[i]
    return lambda party: sign_with(SUITE, party, chosen, message, stream(f"frost/{i}"))


def runs(signers: tuple[int, ...] = (1, 2, 3), **changed: Run) -> dict[int, Run]:
    return {i: changed.get(f"p{i}", honest(i)) for i in signers}


def off_by_one(share: SignatureShare) -> SignatureShare:
    return SignatureShare(GROUP.add_scalars(GROUP.parse_scalar(share.z), ONE))


@pytest.mark.parametrize("field", ["hiding", "binding"])
@pytest.mark.parametrize("point", BAD_POINTS, ids=POINT_NAMES)
def test_frost_round1_bad_commitment_blames_sender(field: str, point: bytes) -> None:
    run = cheating(honest(2), Commitment, lambda m: replace(m, **{field: point}))
    assert_blamed(Network(runs(p2=run)).deliver(), {2}, "nonce-commitment")


def test_frost_round1_two_bad_commitments_name_both() -> None:
    bad = {
        f"p{i}": cheating(honest(i), Commitment, lambda m: replace(m, hiding=bytes(32)))
        for i in (2, 4)
    }
    assert_blamed(Network(runs((1, 2, 3, 4), **bad)).deliver(), {2, 4}, "nonce-commitment")


@pytest.mark.parametrize(
    "change",
    [
        off_by_one,
        lambda _: SignatureShare(bytes(32)),
        lambda _: SignatureShare(L.to_bytes(32, "little")),
        lambda _: SignatureShare(N.to_bytes(32, "big")),
        lambda m: SignatureShare(m.z + b"\x00"),
        lambda m: SignatureShare(m.z[:31]),
    ],
    ids=["off-by-one", "zero", "order-ed25519", "order-secp256k1", "long", "short"],
)
def test_frost_round2_bad_share_blames_sender(change: Callable[..., Any]) -> None:
    run = cheating(honest(2), SignatureShare, change)
    assert_blamed(Network(runs(p2=run)).deliver(), {2}, "signature-share")


def test_frost_round2_two_bad_shares_name_both() -> None:
    bad = {f"p{i}": cheating(honest(i), SignatureShare, off_by_one) for i in (1, 4)}
    assert_blamed(Network(runs((1, 2, 3, 4), **bad)).deliver(), {1, 4}, "signature-share")


def test_frost_round2_shares_that_cancel_out_still_make_a_signature() -> None:
    nonces, rows = committed(1, 2)
    bound = package(rows)
    shares = {i: sign_share(KEYS[i], nonces[i], bound) for i in (1, 2)}
    minus = GROUP.negate_scalar(ONE)
    shares[1] = off_by_one(shares[1])
    shares[2] = SignatureShare(GROUP.add_scalars(GROUP.parse_scalar(shares[2].z), minus))
    SUITE.verify(PUBLIC.group_key, MESSAGE, aggregate(bound, shares))


def test_frost_round2_another_message_blames_who_signed_it() -> None:
    network = Network(runs(p2=honest(2, b"pay 1000 to mallory"))).deliver()
    assert_blamed(network, {2}, "signature-share")


def test_frost_round1_equivocation_blames_no_honest_signer() -> None:
    """Without the echo, party 3 would take party 1's honest share for a bad one."""
    other = commit(SUITE, KEYS[4].secret, stream("other"))[1]
    network = Network(runs(), wire=rewrite(2, "frost.commitment", lambda _: other, to=3)).deliver()
    assert network.verdicts(2) == dict.fromkeys((1, 3), ("retry", frozenset(), "echo-broadcast"))
    one, three = (network.sessions[i].received_envelopes() for i in (1, 3))
    assert find_equivocation(one, three) == {2}
    assert not network.outcomes.keys() & {1, 3}


@pytest.mark.parametrize("signers", [(1,), (1, 9), (9, 1, 2)])
def test_parties_that_cannot_sign_are_refused_before_anything_is_said(
    signers: tuple[int, ...],
) -> None:
    network = Network(dict.fromkeys(signers, honest(1)))
    with pytest.raises(PackageMismatch):
        network.sessions[1].start()
    assert network.sent == []


def test_key_of_another_group_is_refused() -> None:
    other = "secp256k1" if GROUP is ED25519 else "ed25519"
    public = replace(PUBLIC, group_name=other)
    foreign = {i: replace(key, public=public) for i, key in KEYS.items()}
    with pytest.raises(PackageMismatch, match="group"):
        Network({i: honest(i, keys=foreign) for i in (1, 2)}).deliver()


def test_share_of_a_stranger_is_refused() -> None:
    nonces, rows = committed(1, 2)
    bound = package(rows)
    with pytest.raises(ShareInvalid):
        verify_share(bound, 3, sign_share(KEYS[1], nonces[1], bound))


def test_share_of_another_party_is_refused() -> None:
    with pytest.raises(PackageMismatch):
        Network({1: honest(2), 2: honest(1)}).deliver()


# A coordinator that chooses the list


def package(rows: list[tuple[int, Commitment]]) -> SigningPackage:
    return SigningPackage.bind(SUITE, PUBLIC, MESSAGE, rows)


def committed(*signers: int) -> tuple[dict[int, Any], list[tuple[int, Commitment]]]:
    pairs = {i: commit(SUITE, KEYS[i].secret, stream(f"c/{i}")) for i in signers}
    return {i: pair[0] for i, pair in pairs.items()}, [(i, pair[1]) for i, pair in pairs.items()]


@pytest.mark.parametrize(
    "rearrange",
    [
        lambda rows: [rows[0], rows[0], rows[1]],
        lambda rows: [rows[1], rows[0]],
        lambda rows: rows[:1],
        lambda rows: [],
        lambda rows: [*rows, (9, rows[0][1])],
        lambda rows: [(0, rows[0][1]), rows[1]],
        lambda rows: [rows[0], (N + 1, rows[1][1])],
        lambda rows: [rows[0], (L, rows[1][1])],
        lambda rows: [rows[0], (2, replace(rows[1][1], hiding=bytes(33)))],
    ],
    ids=[
        "duplicate",
        "unsorted",
        "below-threshold",
        "empty",
        "unknown",
        "zero",
        "wrapped",
        "order",
        "identity",
    ],
)
def test_frost_list_that_is_not_a_list_of_signers_is_refused(rearrange: Any) -> None:
    _, rows = committed(1, 2)
    with pytest.raises(PackageMismatch):
        package(rearrange(rows))


@pytest.mark.parametrize("case", ["missing", "altered", "swapped"])
def test_frost_list_without_our_own_commitment_is_refused(case: str) -> None:
    nonces, rows = committed(1, 2, 3)
    (one, two, three) = rows
    chosen = {
        "missing": [two, three],
        "altered": [(1, replace(one[1], binding=two[1].binding)), two],
        "swapped": [(1, two[1]), (2, one[1])],
    }[case]
    with pytest.raises(PackageMismatch):
        sign_share(KEYS[1], nonces[1], package(chosen))
    assert not nonces[1].used


def test_frost_package_for_another_key_is_refused() -> None:
    nonces, rows = committed(1, 2)
    other = dealt(2, 4, "other key", GROUP)[1]
    with pytest.raises(PackageMismatch):
        sign_share(other, nonces[1], package(rows))
    with pytest.raises(PackageMismatch):
        SigningPackage.bind(SUITE, replace(PUBLIC, group_name="secp"), MESSAGE, rows)


def test_frost_commitments_that_cancel_out_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _, rows = committed(1, 2)
    monkeypatch.setattr(type(GROUP), "sum", lambda self, points: self.identity)
    with pytest.raises(PackageMismatch, match="identity"):
        package(rows)
    network = Network(runs()).deliver()
    expected = ("retry", frozenset(), "group-commitment")
    assert network.verdicts() == dict.fromkeys((1, 2, 3), expected)


def test_frost_nonces_answer_once() -> None:
    nonces, rows = committed(1, 2)
    sign_share(KEYS[1], nonces[1], package(rows))
    for message in (MESSAGE, b"another"):
        again = SigningPackage.bind(SUITE, PUBLIC, message, rows)
        with pytest.raises(NonceReused):
            sign_share(KEYS[1], nonces[1], again)


def test_frost_aggregate_needs_exactly_the_signers() -> None:
    nonces, rows = committed(1, 2)
    bound = package(rows)
    shares = {i: sign_share(KEYS[i], nonces[i], bound) for i in (1, 2)}
    for wrong in ({1: shares[1]}, {**shares, 3: shares[1]}, {1: shares[1], 3: shares[2]}):
        with pytest.raises(PackageMismatch):
            aggregate(bound, wrong)


def test_frost_wrong_signature_with_right_shares_freezes_the_key() -> None:
    nonces, rows = committed(1, 2)

    def refuse(*_: bytes) -> None:
        raise InvalidSignature

    suite = replace(SUITE, verify=refuse)
    bound = SigningPackage.bind(suite, PUBLIC, MESSAGE, rows)
    shares = {i: sign_share(KEYS[i], nonces[i], bound) for i in (1, 2)}
    with pytest.raises(ProtocolAbort) as caught:
        aggregate(bound, shares)
    assert (caught.value.kind, caught.value.culprits) == (AbortKind.FREEZE, frozenset())


def test_frost_own_faulty_share_never_leaves() -> None:
    """The stored secret does not fit the public share: no wrong answer is sent."""
    broken = {**KEYS, 1: replace(KEYS[1], secret=KEYS[2].secret)}
    network = Network(runs(p1=honest(1, keys=broken))).deliver()
    assert network.verdicts()[1] == ("freeze", frozenset(), "own-share")
    assert not [e for e in network.sent if e.sender == 1 and e.kind == "frost.signature-share"]


def test_frost_binding_factors_cover_key_message_and_whole_list() -> None:
    _, rows = committed(1, 2, 3)
    other = committed(4)[1][0][1]
    base = package(rows)
    changed = [
        SigningPackage.bind(SUITE, PUBLIC, MESSAGE + b"!", rows),
        SigningPackage.bind(SUITE, dealt(2, 4, "k2", GROUP)[1].public, MESSAGE, rows),
        package([*rows[:2], (3, other)]),
        package([*rows[:2], (4, rows[2][1])]),
        package([*rows[:2], (3, replace(rows[2][1], binding=other.binding))]),
    ]
    for one in changed:
        assert all(base.factors[i] != one.factors[i] for i in (1, 2))
    assert len(set(base.factors.values())) == 3


def test_frost_parallel_sessions_do_not_combine_into_a_forgery() -> None:
    """The shape of the ROS attack: many open sessions, then lists chosen after seeing them all."""
    sessions = 200
    open_nonces = [commit(SUITE, KEYS[1].secret, stream(f"ros/{k}")) for k in range(sessions)]
    adversary = [commit(SUITE, KEYS[2].secret, stream(f"adv/{k}"))[1] for k in range(2)]
    total, points, challenges, factors = GROUP.scalar(0), [], 0, set()
    for k, (nonces, ours) in enumerate(open_nonces):
        bit = ours.hiding[0] & 1
        rows = [(1, ours), (2, adversary[bit])]
        bound = SigningPackage.bind(SUITE, PUBLIC, b"harmless %d" % k, rows)
        share = sign_share(KEYS[1], nonces, bound)
        total = GROUP.add_scalars(total, GROUP.parse_scalar(share.z))
        points.append(bound.shares[1])
        challenges += GROUP.public_int(bound.challenge)
        factors.add(bound.factors[1])
    assert len(factors) == sessions
    target = GROUP.sum(points)
    for message in (b"theft", *(b"harmless %d" % k for k in range(3))):
        with pytest.raises(InvalidSignature):
            SUITE.verify(PUBLIC.group_key, message, target + total)
        # Nor does the sum of challenges happen to be the challenge of the sum.
        c = GROUP.public_int(SUITE.challenge(target, PUBLIC.group_key, message))
        assert c != challenges % GROUP.order


def test_frost_every_pair_of_signers_agrees_on_a_valid_signature() -> None:
    for signers in itertools.combinations(KEYS, 2):
        network = Network(runs(signers)).deliver()
        (signature,) = set(network.outcomes.values())
        SUITE.verify(PUBLIC.group_key, MESSAGE, signature)
