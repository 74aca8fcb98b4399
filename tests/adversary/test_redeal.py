"""Refresh and reshare with cheating dealers: the right party is named, for the right check."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from console.protocols.frost import FROST_ED25519, FROST_SECP256K1
from console.protocols.kernel.evidence import Told
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen import (
    BadShare,
    KeyShare,
    ReshareParameters,
    certificate_message,
    redeal,
    refresh,
    reshare,
)
from console.protocols.keygen.messages import (
    Commitment,
    Complaint,
    Complaints,
    RedealOpening,
    ShareProof,
    Subshare,
)
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import Group
from console.protocols.math.polynomial import BadIndices, Polynomial
from tests.adversary.erasure import remembered
from tests.adversary.keys import copy_of, dealt, over_each_group
from tests.adversary.network import Network, Run, assert_blamed, cheating, rewrite, stream
from tests.adversary.runs import unwatchful

Change = Callable[..., Any]

CONTEXT = b"key 7, epoch 2"
OLD, NEW = (1, 2), (2, 3, 4)  # of a 2-of-3 key; party 1 leaves, party 4 is new

# What the tests work with; `group` lets every one of them run over each group.
GROUP: Group = ED25519
KEYS: dict[int, KeyShare] = {}
group = over_each_group(3, "redeal")


def refreshing(i: int, keys: dict[int, KeyShare] | None = None) -> Run:
    chosen = (keys or KEYS)[i]
    return lambda party: refresh(party, chosen, CONTEXT, stream(f"refresh/{i}"))


def parameters(**changed: Any) -> ReshareParameters:
    return replace(ReshareParameters(KEYS[1].public, OLD, NEW, 2, CONTEXT), **changed)


def resharing(i: int, agreed: ReshareParameters | None = None) -> Run:
    chosen = agreed or parameters()
    share = KEYS[i] if i in chosen.signers else None
    return lambda party: reshare(party, chosen, share, stream(f"reshare/{i}"))


def refresh_with(**changed: Run) -> Network:
    return Network({i: changed.get(f"p{i}", refreshing(i)) for i in (1, 2, 3)}).deliver()


def reshare_with(agreed: ReshareParameters | None = None, **changed: Run) -> Network:
    chosen = agreed or parameters()
    parties = sorted({*chosen.signers, *chosen.members})
    runs = {i: changed.get(f"p{i}", resharing(i, chosen)) for i in parties}
    return Network(runs).deliver()


def both_with(kind: type, change: Change, only: int | None = None) -> list[Network]:
    """Let party 2 say something else, in a refresh and in a reshare."""
    return [
        refresh_with(p2=cheating(refreshing(2), kind, change, only)),
        reshare_with(p2=cheating(resharing(2), kind, change, only)),
    ]


def own_polynomial(monkeypatch: pytest.MonkeyPatch, change: Change) -> list[Network]:
    """Let party 2 deal from a polynomial of its own making, and commit to it honestly."""
    networks = []
    for start, honest in ((refresh_with, refreshing), (reshare_with, resharing)):
        calls = itertools.count(1)

        class Patched(Polynomial):
            @classmethod
            def through(cls, constant: Any, *rest: Any, calls: Any = calls) -> Any:
                if next(calls) == 2:
                    return change(constant, *rest)
                return Polynomial.through(constant, *rest)

        monkeypatch.setattr(redeal, "Polynomial", Patched)
        networks.append(start(p2=unwatchful(honest(2))))
    return networks


def committing(points: Change) -> Change:
    """A dealer that says other points than those of its polynomial."""

    def change(*arguments: Any) -> Any:
        made = Polynomial.through(*arguments)
        said = points(made.commitments())
        return SimpleNamespace(
            commitments=lambda: said, evaluate=made.evaluate, slope=made.slope, wipe=made.wipe
        )

    return change


def off_by_one(share: bytes) -> bytes:
    return GROUP.add_scalars(GROUP.parse_scalar(share), GROUP.scalar(1))


def wrong_subshare(message: Subshare) -> Subshare:
    return Subshare(SecretBytes(off_by_one(bytes(message.share.view()))))


def test_refresh_keeps_the_key_and_changes_every_share() -> None:
    network = refresh_with()
    assert not network.aborts
    results = network.outcomes
    assert len({result.transcript for result in results.values()}) == 1
    for i, result in results.items():
        result.share.check()
        assert result.share.public == result.public
        assert result.public.group_key == KEYS[1].public.group_key
        assert result.public.chain_code == KEYS[1].public.chain_code
        assert result.share.secret != KEYS[i].secret
        assert result.public.public_share(i) != KEYS[1].public.public_share(i)


@pytest.mark.parametrize(
    ("signers", "members", "threshold"),
    [
        ((1, 2), (2, 3, 4), 2),
        ((1, 2, 3), (1, 2, 3), 3),
        ((2, 3), (4, 5, 6, 7), 4),
        ((1, 3), (5,), 1),
        ((1, 3), (1, 2), 1),
    ],
)
def test_reshare_hands_the_key_over(signers: Any, members: Any, threshold: int) -> None:
    agreed = parameters(signers=signers, members=members, threshold=threshold)
    network = reshare_with(agreed)
    assert not network.aborts
    results = network.outcomes
    assert len({(r.transcript, r.public) for r in results.values()}) == 1
    assert {i for i, result in results.items() if result.share is not None} == set(members)
    for i in members:
        results[i].share.check()
        assert results[i].public.threshold == threshold
        assert results[i].public.indices == members
        assert results[i].public.group_key == KEYS[1].public.group_key


def test_reshare_gives_shares_to_new_owners_only_and_from_dealers_only() -> None:
    """A share more, even for somebody who leaves, would be a point more of each polynomial."""
    network = reshare_with(parameters(signers=(1, 2), members=(2, 4, 5)))
    sizes = {
        (e.sender, e.recipient): len(e.payload) - 4
        for e in network.sent
        if e.kind == "dkg.subshare"
    }
    assert sizes == {
        (i, j): 32 if i in {1, 2} and j in {2, 4, 5} else 0
        for i in (1, 2, 4, 5)
        for j in (1, 2, 4, 5)
        if i != j
    }


def test_every_party_signs_the_same_certificate() -> None:
    results = reshare_with().outcomes
    messages = {
        certificate_message(
            session_id=bytes(32),
            key_id="key 7",
            epoch=2,
            transcript=result.transcript,
            public=result.public,
        )
        for result in results.values()
    }
    assert len(messages) == 1


def test_redeal_round2_nonzero_constant_blames_dealer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh that moves the key, or a reshare that does not weight by lambda."""

    def change(constant: SecretBytes, *rest: Any) -> Any:
        return Polynomial.through(SecretBytes(off_by_one(bytes(constant.view()))), *rest)

    for network in own_polynomial(monkeypatch, change):
        assert_blamed(network, {2}, "share")


def test_reshare_round2_wrong_lambda_blames_dealer(monkeypatch: pytest.MonkeyPatch) -> None:
    share = KEYS[2].secret

    def change(_: SecretBytes, *rest: Any) -> Any:
        return Polynomial.through(copy_of(share), *rest)

    _, network = own_polynomial(monkeypatch, change)
    assert_blamed(network, {2}, "share")


@pytest.mark.parametrize("length", [0, 2])
def test_redeal_round2_commitment_length_blames_sender(
    monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    def points(made: Any) -> Any:
        return (made[0], *made[1:], *made[1:])[: length + 1]

    for network in own_polynomial(monkeypatch, committing(points)):
        assert_blamed(network, {2}, "commitment-length")


@pytest.mark.parametrize("bad", [bytes(33), b"\x01" + bytes(31), b"", b"\xff" * 32])
def test_redeal_round2_commitment_point_blames_sender(
    monkeypatch: pytest.MonkeyPatch, bad: bytes
) -> None:
    for network in own_polynomial(monkeypatch, committing(lambda made: (made[0], bad))):
        assert_blamed(network, {2}, "commitment-point")


def test_redeal_round2_foreign_coefficient_blames_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    def points(made: Any) -> Any:
        return made[0], GROUP.add(made[1], GROUP.generator)

    for network in own_polynomial(monkeypatch, committing(points)):
        assert_blamed(network, {2}, "dealer-proof")


@pytest.mark.parametrize(
    "change",
    [
        lambda m: replace(m, blind=b"\x01" * 32),
        lambda m: replace(m, proof_point=m.points[0]),
    ],
    ids=["blind", "proof-point"],
)
def test_redeal_round2_commitment_opening_blames_sender(change: Change) -> None:
    for network in both_with(RedealOpening, change):
        assert_blamed(network, {2}, "commitment-opening")


def test_redeal_round1_other_digest_blames_sender() -> None:
    for network in both_with(Commitment, lambda m: replace(m, digest=bytes(32))):
        assert_blamed(network, {2}, "commitment-opening")


@pytest.mark.parametrize("scalar", [bytes(32), b"\xff" * 32, b"", b"\x07" * 32])
def test_redeal_round2_dealer_proof_blames_sender(scalar: bytes) -> None:
    for network in both_with(RedealOpening, lambda m: replace(m, proof_scalar=scalar)):
        assert_blamed(network, {2}, "dealer-proof")


def test_reshare_to_threshold_one_has_no_proof_to_give() -> None:
    agreed = parameters(threshold=1)
    run = cheating(resharing(2, agreed), RedealOpening, lambda m: replace(m, proof_scalar=b"\x01"))
    assert_blamed(reshare_with(agreed, p2=run), {2}, "dealer-proof")


def test_redeal_all_culprits_are_named_at_once() -> None:
    network = refresh_with(
        p1=cheating(refreshing(1), RedealOpening, lambda m: replace(m, proof_scalar=b"")),
        p3=cheating(refreshing(3), RedealOpening, lambda m: replace(m, blind=b"\x01" * 32)),
    )
    assert_blamed(network, {1, 3}, "commitment-opening,dealer-proof")


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (RedealOpening, lambda m: replace(m, proof_scalar=b"\x01")),
        (RedealOpening, lambda m: replace(m, blind=b"\x01" * 32)),
        (Commitment, lambda m: replace(m, digest=b"\x01" * 32)),
    ],
    ids=["opening", "blind", "digest"],
)
def test_reshare_new_member_that_deals_is_blamed(kind: type, change: Change) -> None:
    network = reshare_with(p4=cheating(resharing(4), kind, change))
    assert_blamed(network, {4}, "role")


def test_reshare_leaver_that_proves_something_is_blamed() -> None:
    run = cheating(resharing(1), ShareProof, lambda _: ShareProof(b"\x01", b"\x01"))
    assert_blamed(reshare_with(p1=run), {1}, "role")


def test_reshare_share_of_a_party_that_deals_nothing_is_ignored() -> None:
    run = cheating(resharing(4), Subshare, lambda _: Subshare(SecretBytes(b"\x01" * 32)))
    network = reshare_with(p4=run)
    assert not network.aborts


def test_redeal_round3_bad_share_blames_dealer() -> None:
    for network in both_with(Subshare, wrong_subshare, only=3):
        assert_blamed(network, {2}, "share")


@pytest.mark.parametrize(("who", "accused"), [(1, (2,)), (3, (4,)), (4, (4,)), (3, (2, 1))])
def test_reshare_round3_impossible_complaint_blames_complainer(
    who: int, accused: tuple[int, ...]
) -> None:
    said = Complaints(tuple(Complaint(dealer, Told(b"", b"")) for dealer in accused))
    run = cheating(resharing(who), Complaints, lambda _: said)
    assert_blamed(reshare_with(**{f"p{who}": run}), {who}, "false-complaint")


@pytest.mark.parametrize("field", ["proof_point", "proof_scalar"])
def test_redeal_last_round_share_proof_blames_sender(field: str) -> None:
    value = GROUP.generator if field == "proof_point" else GROUP.scalar(1)
    for network in both_with(ShareProof, lambda m: replace(m, **{field: value})):
        assert_blamed(network, {2}, "share-proof")


@pytest.mark.parametrize("kind", ["dkg.commitment", "redeal.opening"])
def test_redeal_equivocation_is_never_an_outcome(kind: str) -> None:
    def change(message: Any) -> Any:
        if kind == "dkg.commitment":
            return replace(message, nonce=bytes(32))
        return replace(message, proof_scalar=bytes(32))

    runs = {i: refreshing(i) for i in (1, 2, 3)}
    network = Network(runs, wire=rewrite(2, kind, change, to=1)).deliver()
    assert not network.outcomes.keys() & {1, 3}
    for _, culprits, _ in network.verdicts(2).values():
        assert culprits <= {2}


def test_opening_of_another_session_blames_sender() -> None:
    runs = {i: refreshing(i) for i in (1, 2, 3)}
    other = Network(runs, session_id=b"\x01" * 32).deliver()
    assert not other.aborts
    found = next(e for e in other.sent if e.kind == "redeal.opening" and e.sender == 2)
    network = Network(
        runs, wire=lambda e, _: [replace(e, payload=found.payload) if is_opening(e) else e]
    ).deliver()
    assert network.verdicts(2)
    assert {v[:2] for v in network.verdicts(2).values()} == {("blame", frozenset({2}))}


def is_opening(envelope: Any) -> bool:
    return bool(envelope.kind == "redeal.opening" and envelope.sender == 2)


def test_refresh_whose_coefficients_cancel_aborts_without_blame() -> None:
    keys = dealt(2, 2, "pair", GROUP)
    size = 64 if GROUP is ED25519 else 48
    order = "little" if GROUP is ED25519 else "big"
    source, drawn = stream("refresh/1"), itertools.count(1)

    def negated(wanted: int) -> bytes:
        data = source(wanted)
        if wanted == size and next(drawn) == 2:  # the slope; the first is the proof's nonce
            slope = GROUP.negate_scalar(GROUP.reduce(data))
            return GROUP.public_int(slope).to_bytes(size, order)  # type: ignore[arg-type]
        return data

    network = Network(
        {1: refreshing(1, keys), 2: lambda p: refresh(p, keys[2], CONTEXT, negated)}
    ).deliver()
    expected = ("retry", frozenset(), "degenerate-key")
    assert network.verdicts() == dict.fromkeys((1, 2), expected)


def test_faulty_own_share_is_noticed_before_anything_is_claimed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redeal, "sum_of_subshares", lambda *_: SecretBytes(GROUP.scalar(7)))
    network = Network({i: refreshing(i) for i in (1, 2, 3)})
    with pytest.raises(BadShare):
        network.deliver()
    assert not [e for e in network.sent if e.kind == "dkg.share-proof"]


def test_parties_with_another_context_do_not_change_a_key() -> None:
    other: Run = lambda p: refresh(p, KEYS[2], b"another", stream("refresh/2"))  # noqa: E731
    assert_blamed(refresh_with(p2=other), {2}, "commitment-opening")


def test_all_secrets_of_a_run_are_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = {i: resharing(i) for i in (1, 2, 3, 4)}
    made = remembered(monkeypatch)
    results = Network(runs).deliver().outcomes
    kept = {id(r.share.secret) for r in results.values() if r.share is not None}
    assert len(kept) == 3
    assert {id(secret) for secret in made if not secret.wiped} == kept


# Parameters


@pytest.mark.parametrize("who", ["not-all", "threshold-one", "another-index"])
def test_refresh_that_cannot_be_is_refused(who: str) -> None:
    keys = dealt(1, 3, "one", GROUP) if who == "threshold-one" else KEYS
    parties = (1, 2) if who == "not-all" else (1, 2, 3)
    share = keys[2] if who == "another-index" else keys[1]
    network = Network({i: lambda p: refresh(p, share, CONTEXT, stream("x")) for i in parties})
    with pytest.raises(ValueError, match="owners"):
        network.sessions[1].start()
    assert network.sent == []


@pytest.mark.parametrize(
    "changed",
    [
        {"signers": (1,)},
        {"signers": (1, 9)},
        {"signers": (2, 1)},
        {"signers": (1, 1, 2)},
        {"members": (4, 3)},
        {"members": (3, 3)},
        {"members": ()},
        {"threshold": 0},
        {"threshold": 4},
    ],
    ids=str,
)
def test_reshare_parameters_that_cannot_be_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"part|signer|threshold|indices"):
        parameters(**changed).check()


def test_reshare_members_have_proper_indices() -> None:
    for index in (0, GROUP.order, GROUP.order + 3):
        with pytest.raises(BadIndices):
            parameters(members=(3, index)).check()


def test_reshare_of_an_unsound_key_is_refused() -> None:
    public = replace(KEYS[1].public, group_key=KEYS[1].public.public_share(1))
    with pytest.raises(BadShare):
        parameters(public=public).check()


@pytest.mark.parametrize("case", ["extra-party", "no-share", "stray-share", "other-key", "index"])
def test_reshare_without_the_right_share_is_refused(case: str) -> None:
    agreed = parameters()
    other = dealt(2, 3, "other", GROUP)
    me, share = {
        "extra-party": (1, KEYS[1]),
        "no-share": (1, None),
        "stray-share": (4, KEYS[3]),
        "other-key": (1, other[1]),
        "index": (1, KEYS[2]),
    }[case]
    parties = (1, 2, 3, 4, 5) if case == "extra-party" else (1, 2, 3, 4)
    network = Network({i: lambda p: reshare(p, agreed, share, stream("x")) for i in parties})
    with pytest.raises(ValueError, match=r"part|share"):
        network.sessions[me].start()
    assert network.sent == []


@pytest.mark.parametrize("ceremony", ["refresh", "reshare"])
def test_redeal_with_an_unsound_share_says_nothing(ceremony: str) -> None:
    """What is stored does not fit: the others would blame us for what we then deal."""
    broken = replace(KEYS[2], secret=KEYS[1].secret)
    run: Run = {
        "refresh": lambda party: refresh(party, broken, CONTEXT, stream("x")),
        "reshare": lambda party: reshare(party, parameters(), broken, stream("x")),
    }[ceremony]
    parties = (1, 2, 3) if ceremony == "refresh" else (1, 2, 3, 4)
    network = Network(dict.fromkeys(parties, run))
    with pytest.raises(BadShare):
        network.sessions[2].start()
    assert network.sent == []


def test_reshare_with_impossible_parameters_says_nothing() -> None:
    public = replace(KEYS[1].public, group_key=KEYS[1].public.public_share(1))
    agreed = parameters(public=public)
    network = Network({i: lambda p: reshare(p, agreed, None, stream("x")) for i in (1, 2, 3, 4)})
    with pytest.raises(BadShare):
        network.sessions[4].start()
    assert network.sent == []


def test_redeal_of_constants_that_do_not_make_the_key_is_noticed_by_leavers_too() -> None:
    """They hold no new share to check, but they sign the certificate of the new epoch."""
    dealers = {i: Polynomial.draw(GROUP, 2, stream(f"wrong/{i}")).commitments() for i in (1, 2)}
    constants = {i: points[0] for i, points in dealers.items()}
    plan = redeal.RedealPlan(bytes(32), KEYS[1].public, 2, constants, NEW, {})
    with pytest.raises(BadShare, match="group key"):
        redeal.public_of(plan, dealers)


def test_shares_of_two_epochs_never_combine() -> None:
    suite = FROST_ED25519 if GROUP is ED25519 else FROST_SECP256K1
    new = {i: result.share for i, result in refresh_with().outcomes.items()}
    mixed = KeyShare(2, new[2].secret, KEYS[1].public)
    with pytest.raises(BadShare):
        mixed.check()
    assert suite.group.base(suite.group.secret_scalar(new[2].secret)) == new[1].public.public_share(
        2
    )
