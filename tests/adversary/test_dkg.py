"""Key generation with cheating dealers: the right party is named, for the right check."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from console.protocols.kernel.evidence import Told
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.session import decode_envelope, encode_envelope
from console.protocols.kernel.wire import decode, encode
from console.protocols.keygen import BadShare, dkg
from console.protocols.keygen.dkg import KeygenParameters, generate
from console.protocols.keygen.messages import (
    Commitment,
    Complaint,
    Complaints,
    Opening,
    ShareProof,
    Subshare,
)
from console.protocols.math.ed25519 import ED25519, L
from console.protocols.math.group import Group
from console.protocols.math.polynomial import BadIndices
from console.protocols.math.secp256k1 import SECP256K1, N
from tests.adversary.network import (
    CheatingParty,
    Network,
    Run,
    assert_blamed,
    cheating,
    rewrite,
    signature,
    stream,
)
from tests.adversary.runs import unwatchful

Change = Callable[..., Any]

MIXED_ORDER = bytes.fromhex("f86666666666666666666666666666666666666666666666666666666666667f")
OFF_CURVE = b"\x02" + bytes(31) + b"\x05"

# What the tests work with; `group` lets every one of them run over each group.
GROUP: Group = ED25519
PARAMETERS = KeygenParameters(GROUP, 2, b"test")
ONE = GROUP.scalar(1)


@pytest.fixture(params=[ED25519, SECP256K1], ids=lambda group: group.name, autouse=True)
def group(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Group:
    chosen: Group = request.param
    module = sys.modules[__name__]
    monkeypatch.setattr(module, "GROUP", chosen)
    monkeypatch.setattr(module, "PARAMETERS", KeygenParameters(chosen, 2, b"test"))
    monkeypatch.setattr(module, "ONE", chosen.scalar(1))
    return chosen


def honest(i: int, parameters: KeygenParameters | None = None, seed: str = "dkg") -> Run:
    chosen = parameters or PARAMETERS
    return lambda party: generate(party, chosen, stream(f"{seed}/{i}"))


def runs(n: int = 3, **changed: Run) -> dict[int, Run]:
    return {i: changed.get(f"p{i}", honest(i)) for i in range(1, n + 1)}


def with_cheat(kind: type, change: Change, cheat: int = 2, only: int | None = None) -> Network:
    return Network(runs(**{f"p{cheat}": cheating(honest(cheat), kind, change, only)})).deliver()


def off_by_one(share: bytes) -> bytes:
    return GROUP.add_scalars(GROUP.parse_scalar(share), ONE)


def wrong_subshare(message: Subshare) -> Subshare:
    return Subshare(SecretBytes(off_by_one(bytes(message.share.view()))))


def point(at: int, value: bytes) -> Change:
    def change(opening: Opening) -> Opening:
        points = list(opening.points)
        points[at] = value
        return replace(opening, points=tuple(points))

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda m: replace(m, blind=bytes(32)),
        lambda m: replace(m, chain_code=bytes(32)),
        lambda m: replace(m, proof_point=m.points[0]),
        lambda m: replace(m, points=(m.points[1], m.points[0])),
    ],
    ids=["blind", "chain-code", "proof-point", "points"],
)
def test_dkg_round2_commitment_opening_blames_sender(change: Change) -> None:
    assert_blamed(with_cheat(Opening, change), {2}, "commitment-opening")


def test_dkg_round1_other_digest_blames_sender() -> None:
    network = with_cheat(Commitment, lambda m: replace(m, digest=bytes(32)))
    assert_blamed(network, {2}, "commitment-opening")


def own_dealing(monkeypatch: pytest.MonkeyPatch, change: Change, cheat: int = 2) -> Network:
    """Let one dealer commit honestly to a dishonest dealing, so that later checks must fire."""
    original = dkg.deal
    calls = iter(range(1, 4))

    def deal(*arguments: Any) -> Any:
        dealing = original(*arguments)
        return change(dealing) if next(calls) == cheat else dealing

    monkeypatch.setattr(dkg, "deal", deal)
    return Network(runs(**{f"p{cheat}": unwatchful(honest(cheat))})).deliver()


@pytest.mark.parametrize("length", [0, 1, 3])
def test_dkg_round2_commitment_length_blames_sender(
    monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    network = own_dealing(monkeypatch, lambda d: replace(d, points=(*d.points, *d.points)[:length]))
    assert_blamed(network, {2}, "commitment-length")


@pytest.mark.parametrize(
    "bad",
    [
        ED25519.identity,
        SECP256K1.identity,
        MIXED_ORDER,
        OFF_CURVE,
        bytes(32),
        b"\xff" * 32,
        b"\x02" + b"\xff" * 32,
        b"",
        ED25519.generator + b"\x00",
        SECP256K1.generator + b"\x00",
    ],
    ids=lambda point: point[:2].hex() + f"-{len(point)}-{point[-1:].hex()}",
)
@pytest.mark.parametrize("at", [0, 1])
def test_dkg_round2_commitment_point_blames_sender(
    monkeypatch: pytest.MonkeyPatch, bad: bytes, at: int
) -> None:
    def change(dealing: Any) -> Any:
        points = list(dealing.points)
        points[at] = bad
        return replace(dealing, points=tuple(points))

    assert_blamed(own_dealing(monkeypatch, change), {2}, "commitment-point")


def test_dkg_round2_rogue_key_blames_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """A constant term chosen against the others' has no known logarithm, hence no proof."""

    def change(dealing: Any) -> Any:
        rogue = GROUP.subtract(dealing.points[0], GROUP.generator)
        return replace(dealing, points=(rogue, *dealing.points[1:]))

    assert_blamed(own_dealing(monkeypatch, change), {2}, "dealer-proof")


def test_dkg_round2_foreign_coefficient_blames_dealer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Committed to honestly, and the proof covers it; but no share of this dealer fits."""

    def change(dealing: Any) -> Any:
        foreign = GROUP.add(dealing.points[1], GROUP.generator)
        return replace(dealing, points=(dealing.points[0], foreign))

    assert_blamed(own_dealing(monkeypatch, change), {2}, "share")


@pytest.mark.parametrize(
    "scalar",
    [
        bytes(32),
        ED25519.scalar(7),
        L.to_bytes(32, "little"),
        N.to_bytes(32, "big"),
        b"",
        b"\xff" * 33,
    ],
)
def test_dkg_round2_dealer_proof_blames_sender(scalar: bytes) -> None:
    network = with_cheat(Opening, lambda m: replace(m, proof_scalar=scalar))
    assert_blamed(network, {2}, "dealer-proof")


def test_dkg_round2_all_culprits_are_named_at_once() -> None:
    cheats = {
        "p2": cheating(honest(2), Opening, lambda m: replace(m, proof_scalar=bytes(32))),
        "p4": cheating(honest(4), Opening, lambda m: replace(m, blind=bytes(32))),
    }
    network = Network(runs(4, **cheats)).deliver()
    assert_blamed(network, {2, 4}, "commitment-opening,dealer-proof")


@pytest.mark.parametrize("other", ["session", "context", "dealer"])
def test_dkg_round2_proof_from_elsewhere_blames_sender(other: str) -> None:
    """The whole opening of another session, ceremony kind or dealer is replayed."""
    source = {
        "session": Network(runs(), session_id=b"\x01" * 32),
        "context": Network(
            {i: honest(i, replace(PARAMETERS, context=b"other")) for i in (1, 2, 3)}
        ),
        "dealer": Network(runs()),
    }[other].deliver()
    dealer = 3 if other == "dealer" else 2
    found = next(e for e in source.sent if e.kind == "dkg.opening" and e.sender == dealer)
    opening = decode(Opening, found.payload)
    network = with_cheat(Opening, lambda _: opening)
    assert {v[:2] for v in network.verdicts(2).values()} == {("blame", frozenset({2}))}
    assert len(network.verdicts(2)) == 2


@pytest.mark.parametrize(
    "share",
    [b"", bytes(31), L.to_bytes(32, "little"), N.to_bytes(32, "big"), b"\xff" * 32, bytes(33)],
)
def test_dkg_round3_malformed_share_blames_dealer(share: bytes) -> None:
    network = with_cheat(Subshare, lambda _: Subshare(SecretBytes(share)), only=1)
    assert_blamed(network, {2}, "share")


def test_dkg_round3_bad_share_blames_dealer_though_one_party_alone_got_it() -> None:
    assert_blamed(with_cheat(Subshare, wrong_subshare, only=1), {2}, "share")


def test_dkg_round3_the_complaint_that_shows_a_bad_share_is_evidence() -> None:
    network = with_cheat(Subshare, wrong_subshare, only=1)
    complaint = next(e for e in network.sent if (e.sender, e.kind) == (1, "dkg.complaints"))
    assert encode_envelope(complaint) in network.aborts[3].evidence
    assert network.aborts[3].witnesses == {1}


def test_dkg_round3_two_dealers_and_a_liar_are_named_at_once() -> None:
    cheats = {
        "p2": cheating(honest(2), Subshare, wrong_subshare, 1),
        "p3": cheating(honest(3), Subshare, wrong_subshare, 1),
        "p4": lying(4, lambda told: Complaint(1, told)),
    }
    assert_blamed(Network(runs(4, **cheats)).deliver(), {2, 3, 4}, "false-complaint,share")


def lying(cheat: int, change: Callable[[Told], Complaint], dealer: int = 1) -> Run:
    """Complain about the sound share of `dealer`, with what `change` makes of the proof."""

    def run(party: Any) -> Any:
        def complain(message: Any, _to: int | None) -> Any:
            if type(message) is not Complaints:
                return message
            return Complaints((change(party.told(dealer, Subshare)),))

        return honest(cheat)(CheatingParty(party, complain))

    return run


def elsewhere(change: dict[str, Any]) -> Callable[[Told], Complaint]:
    """Show a bad share that dealer 1 signed, but in another place."""

    def forge(told: Told) -> Complaint:
        envelope = replace(decode_envelope(told.envelope), **change)
        share = decode(Subshare, envelope.payload)
        bad = encode_envelope(replace(envelope, payload=encode(wrong_subshare(share))))
        return Complaint(1, Told(bad, signature(1, bad)))

    return forge


def with_bad_share(told: Told) -> Told:
    envelope = decode_envelope(told.envelope)
    bad = encode(wrong_subshare(decode(Subshare, envelope.payload)))
    return replace(told, envelope=encode_envelope(replace(envelope, payload=bad)))


@pytest.mark.parametrize(
    "change",
    [
        lambda told: Complaint(1, told),
        lambda told: Complaint(1, with_bad_share(told)),
        lambda told: Complaint(3, told),
        lambda _: Complaint(1, Told(b"noise", b"noise")),
        lambda _: Complaint(1, Told(b"", b"")),
        elsewhere({"session_id": bytes(32)}),
        elsewhere({"round": 1}),
        elsewhere({"round": 3}),
        elsewhere({"recipient": 3}),
        elsewhere({"kind": "repair.sum"}),
    ],
    ids=[
        "sound-share",
        "unsigned",
        "another-dealer's",
        "noise",
        "nothing",
        "another-session",
        "earlier-round",
        "later-round",
        "another-receiver",
        "another-kind",
    ],
)
def test_dkg_round3_unfounded_complaint_blames_complainer(
    change: Callable[[Told], Complaint],
) -> None:
    assert_blamed(Network(runs(p2=lying(2, change))).deliver(), {2}, "false-complaint")


def test_dkg_round3_a_bad_share_that_was_signed_is_blamed_whoever_holds_it() -> None:
    """What the tests above change one by one is what makes a complaint founded."""
    network = Network(runs(p2=lying(2, elsewhere({})))).deliver()
    assert network.verdicts(1, 2) == {3: ("blame", frozenset({1}), "share")}


@pytest.mark.parametrize("accused", [(2,), (9,), (3, 1), (1, 1)])
def test_dkg_round3_impossible_complaint_blames_complainer(accused: tuple[int, ...]) -> None:
    said = Complaints(tuple(Complaint(dealer, Told(b"", b"")) for dealer in accused))
    assert_blamed(with_cheat(Complaints, lambda _: said), {2}, "false-complaint")


@pytest.mark.parametrize("field", ["proof_point", "proof_scalar"])
def test_dkg_last_round_share_proof_blames_sender(field: str) -> None:
    value = GROUP.generator if field == "proof_point" else ONE
    network = with_cheat(ShareProof, lambda m: replace(m, **{field: value}))
    assert_blamed(network, {2}, "share-proof")


def test_dkg_last_round_proof_of_another_party_blames_sender() -> None:
    copied: dict[int, ShareProof] = {}

    def remember(message: ShareProof) -> ShareProof:
        copied[1] = message
        return message

    def replay(message: ShareProof) -> ShareProof:
        return copied.get(1, replace(message, proof_scalar=ONE))

    cheats = {
        "p1": cheating(honest(1), ShareProof, remember),
        "p2": cheating(honest(2), ShareProof, replay),
    }
    assert_blamed(Network(runs(**cheats)).deliver(), {2}, "share-proof")


@pytest.mark.parametrize("kind", ["dkg.commitment", "dkg.opening", "dkg.complaints"])
def test_dkg_broadcast_equivocation_is_never_an_outcome(kind: str) -> None:
    changes: Mapping[str, Change] = {
        "dkg.commitment": lambda m: replace(m, nonce=bytes(32)),
        "dkg.opening": lambda m: replace(m, proof_scalar=bytes(32)),
        "dkg.complaints": lambda _: Complaints((Complaint(1, Told(b"", b"")),)),
    }
    network = Network(runs(), wire=rewrite(2, kind, changes[kind], to=1)).deliver()
    assert not network.outcomes.keys() & {1, 3}
    for _, culprits, _ in network.verdicts(2).values():
        assert culprits <= {2}


def test_dkg_last_round_equivocation_releases_no_outcome() -> None:
    """Two valid proofs for one statement: only the final echo can notice."""
    seen: list[bytes] = []

    def valid_but_different(message: ShareProof) -> ShareProof:
        seen.append(message.proof_scalar)
        return replace(message, proof_scalar=ONE)

    network = Network(runs(), wire=rewrite(2, "dkg.share-proof", valid_but_different, to=3))
    network.deliver()
    assert seen
    assert 3 not in network.outcomes
    assert network.aborts[3].culprits == {2}


def wide_size() -> int:
    """How many random bytes the group draws for one scalar."""
    return 64 if GROUP is ED25519 else 48


def wide(value: int) -> bytes:
    """Random bytes that make the scalar `value`."""
    return value.to_bytes(wide_size(), "little" if GROUP is ED25519 else "big")


def negated(i: int) -> Callable[[int], bytes]:
    """Randomness that makes the coefficients of party 1, each negated."""
    source, calls = stream("dkg/1"), iter(range(2))

    def random(size: int) -> bytes:
        data = source(size)
        if size == wide_size() and next(calls, None) is not None:
            data = wide(GROUP.public_int(GROUP.negate_scalar(GROUP.reduce(data))))
        return data

    return random


def test_dkg_cancelled_key_aborts_without_blame() -> None:
    cheat: Run = lambda party: generate(party, PARAMETERS, negated(2))  # noqa: E731
    network = Network({1: honest(1), 2: cheat}).deliver()
    assert network.verdicts() == dict.fromkeys((1, 2), ("retry", frozenset(), "degenerate-key"))


def test_dkg_zero_share_of_a_victim_aborts_without_blame() -> None:
    """The constant terms add up to minus three times the slopes, so party 3's share is zero."""
    source = stream("dkg/1")
    drawn = [GROUP.public_int(GROUP.reduce(source(wide_size()))) for _ in range(2)]
    target = [(-drawn[0] - 3 * (drawn[1] + 5)) % GROUP.order, 5]

    def random(size: int, plan: list[int] = target) -> bytes:
        return wide(plan.pop(0)) if size == wide_size() and plan else b"\x07" * size

    cheat: Run = lambda party: generate(party, PARAMETERS, random)  # noqa: E731
    third: Run = lambda party: generate(  # noqa: E731
        party, PARAMETERS, random_of(iter([3, GROUP.order - 1]))
    )
    network = Network({1: honest(1), 2: cheat, 3: third}).deliver()
    assert network.verdicts() == dict.fromkeys((1, 2, 3), ("retry", frozenset(), "degenerate-key"))


def random_of(plan: Any) -> Callable[[int], bytes]:
    def random(size: int) -> bytes:
        value = next(plan, None) if size == wide_size() else None
        return b"\x08" * size if value is None else wide(value)

    return random


def test_dkg_own_faulty_share_is_noticed_before_anything_is_claimed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dkg, "sum_of_subshares", lambda *_: SecretBytes(GROUP.scalar(7)))
    network = Network(runs())
    with pytest.raises(BadShare):
        network.deliver()
    assert not [e for e in network.sent if e.kind == "dkg.share-proof"]


@pytest.mark.parametrize("third", ["zero", "order", "wrapped"])
def test_dkg_indices_that_are_zero_or_repeat_are_refused(third: str) -> None:
    """The session refuses such parties as well; another driver might not."""
    parties = (1, 2, {"zero": 0, "order": GROUP.order, "wrapped": GROUP.order + 1}[third])
    party: Any = SimpleNamespace(me=1, parties=parties, session_id=bytes(32))
    with pytest.raises(BadIndices):
        generate(party, PARAMETERS, stream("x")).send(None)


@pytest.mark.parametrize("threshold", [0, 4])
def test_impossible_threshold_is_refused_before_anything_is_said(threshold: int) -> None:
    run = honest(1, replace(PARAMETERS, threshold=threshold))
    with pytest.raises(ValueError, match="threshold"):
        Network({1: run, 2: run, 3: run}).deliver()


def test_parties_with_other_parameters_do_not_make_a_key() -> None:
    other = honest(2, replace(PARAMETERS, context=b"another wallet"))
    network = Network(runs(p2=other)).deliver()
    assert_blamed(network, {2}, "commitment-opening")
