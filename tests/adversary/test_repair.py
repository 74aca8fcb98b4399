"""Repair of a lost share with cheating helpers: the right party is named, for the right check."""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from console.protocols.kernel.evidence import Told
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen import BadShare, KeyShare, RepairParameters, repair
from console.protocols.keygen.messages import (
    Complaint,
    Complaints,
    ShareProof,
    Split,
    SplitSum,
    Subshare,
)
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import Group
from tests.adversary.erasure import remembered
from tests.adversary.keys import dealt, over_each_group
from tests.adversary.network import Network, Run, assert_blamed, cheating, rewrite, stream
from tests.adversary.runs import unwatchful

Change = Callable[..., Any]

HELPERS, LOST = (1, 2, 4), 3
steps = sys.modules["console.protocols.keygen.repair"]

# What the tests work with; `group` lets every one of them run over each group.
GROUP: Group = ED25519
KEYS: dict[int, KeyShare] = {}
group = over_each_group(4, "repair")


def parameters(**changed: Any) -> RepairParameters:
    return replace(RepairParameters(KEYS[1].public, LOST, HELPERS, b"repair"), **changed)


def honest(i: int, agreed: RepairParameters | None = None) -> Run:
    chosen = agreed or parameters()
    share = None if i == chosen.lost else KEYS[i]
    return lambda party: repair(party, chosen, share, stream(f"repair/{i}"))


def repairing(agreed: RepairParameters | None = None, **changed: Run) -> Network:
    chosen = agreed or parameters()
    parties = sorted((*chosen.helpers, chosen.lost))
    runs = {i: changed.get(f"p{i}", honest(i, chosen)) for i in parties}
    return Network(runs).deliver()


def with_cheat(kind: type, change: Change, cheat: int = 2, only: int | None = None) -> Network:
    return repairing(**{f"p{cheat}": cheating(honest(cheat), kind, change, only)})


def off_by_one(share: bytes) -> bytes:
    return GROUP.add_scalars(GROUP.parse_scalar(share), GROUP.scalar(1))


def wrong(message: Any) -> Any:
    return type(message)(SecretBytes(off_by_one(bytes(message.share.view()))))


@pytest.mark.parametrize("helpers", [(1, 2), (1, 4), (1, 2, 4)])
def test_repair_gives_the_lost_share_back(helpers: tuple[int, ...]) -> None:
    network = repairing(parameters(helpers=helpers))
    assert not network.aborts
    results = network.outcomes
    assert results[LOST].share == KEYS[LOST]
    assert all(results[h].share is None for h in helpers)
    assert len({result.transcript for result in results.values()}) == 1


def test_nobody_hears_another_party_s_share() -> None:
    """Nothing that is sent is a share, or a share times its Lagrange coefficient."""
    network = repairing(parameters(helpers=(1, 2)))
    secrets = {bytes(KEYS[i].secret.view()) for i in KEYS}
    for envelope in network.sent:
        assert not any(secret in envelope.payload for secret in secrets)


def test_repair_round1_wrong_delta_blames_helper() -> None:
    """Parts that fit their commitments, but do not add up to zeta times the share."""
    original = steps.split_share

    def split(group: Group, share: KeyShare, *rest: Any) -> Any:
        parts = original(group, share, *rest)
        if share.index == 2:
            parts[1] = SecretBytes(off_by_one(bytes(parts[1].view())))
        return parts

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "split_share", split)
        assert_blamed(repairing(), {2}, "split-sum")


@pytest.mark.parametrize(
    "change",
    [
        lambda m: Split(m.points[:2]),
        lambda m: Split((*m.points, m.points[0])),
        lambda m: Split(()),
        lambda m: Split((*m.points[:2], bytes(33))),
        lambda m: Split((*m.points[:2], b"\x01" + bytes(31))),
    ],
    ids=["short", "long", "empty", "no-point", "identity"],
)
def test_repair_round1_split_point_blames_sender(change: Change) -> None:
    assert_blamed(with_cheat(Split, change), {2}, "split-point")


def test_repair_round1_swapped_points_blame_nobody_but_their_sender() -> None:
    """The sum is right, so receivers complain."""
    run = unwatchful(honest(2))
    swapped = cheating(run, Split, lambda m: Split((m.points[2], m.points[1], m.points[0])))
    assert_blamed(repairing(p2=swapped), {2}, "share")


def test_repair_lost_party_that_splits_is_blamed() -> None:
    network = with_cheat(Split, lambda _: Split((GROUP.generator,)), cheat=LOST)
    assert_blamed(network, {LOST}, "role")


@pytest.mark.parametrize("share", [None, b"", bytes(31), b"\xff" * 32])
def test_repair_round2_bad_part_blames_helper(share: bytes | None) -> None:
    change = wrong if share is None else lambda _: Subshare(SecretBytes(share))
    assert_blamed(with_cheat(Subshare, change, only=1), {2}, "share")


@pytest.mark.parametrize(("who", "accused"), [(LOST, (2,)), (2, (LOST,)), (2, (2,)), (2, (9,))])
def test_repair_round2_impossible_complaint_blames_complainer(
    who: int, accused: tuple[int, ...]
) -> None:
    said = Complaints(tuple(Complaint(dealer, Told(b"", b"")) for dealer in accused))
    network = with_cheat(Complaints, lambda _: said, cheat=who)
    assert_blamed(network, {who}, "false-complaint")


@pytest.mark.parametrize("share", [None, b"", bytes(32), b"\xff" * 32])
def test_repair_round3_wrong_sum_blames_helper(share: bytes | None) -> None:
    change = wrong if share is None else lambda _: SplitSum(SecretBytes(share))
    network = with_cheat(SplitSum, change, only=LOST)
    assert network.verdicts()[LOST] == ("blame", frozenset({2}), "repair-sum")
    assert not network.outcomes


def test_repair_round3_two_wrong_sums_name_both() -> None:
    bad = {f"p{h}": cheating(honest(h), SplitSum, wrong, LOST) for h in (1, 4)}
    network = repairing(**bad)
    assert network.verdicts()[LOST] == ("blame", frozenset({1, 4}), "repair-sum")


@pytest.mark.parametrize("field", ["proof_point", "proof_scalar"])
def test_repair_last_round_share_proof_blames_the_repaired(field: str) -> None:
    value = GROUP.generator if field == "proof_point" else GROUP.scalar(1)
    network = with_cheat(ShareProof, lambda m: replace(m, **{field: value}), cheat=LOST)
    assert_blamed(network, {LOST}, "share-proof")


def test_repair_last_round_helper_that_proves_something_is_blamed() -> None:
    network = with_cheat(ShareProof, lambda _: ShareProof(b"\x01", b"\x01"))
    assert_blamed(network, {2}, "role")


def test_repair_equivocation_is_never_an_outcome() -> None:
    runs = {i: honest(i) for i in (*HELPERS, LOST)}
    wire = rewrite(2, "repair.split", lambda m: Split(m.points[::-1]), to=1)
    network = Network(runs, wire=wire).deliver()
    assert not network.outcomes.keys() - {2}
    for _, culprits, _ in network.verdicts(2).values():
        assert culprits <= {2}


def test_all_secrets_of_a_run_are_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = {i: honest(i) for i in (*HELPERS, LOST)}
    made = remembered(monkeypatch)
    results = Network(runs).deliver().outcomes
    kept = {id(results[LOST].share.secret)}
    assert {id(s) for s in made if not s.wiped and len(s)} == kept


@pytest.mark.parametrize(
    "changed",
    [
        {"lost": 9},
        {"lost": 1},
        {"helpers": (1,)},
        {"helpers": (1, 9)},
        {"helpers": (2, 1)},
        {"helpers": (1, 1, 2)},
    ],
    ids=str,
)
def test_repair_parameters_that_cannot_be_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"helper|own"):
        parameters(**changed).check()


@pytest.mark.parametrize("case", ["extra-party", "no-share", "stray-share", "other-key", "index"])
def test_repair_without_the_right_share_is_refused(case: str) -> None:
    agreed = parameters(helpers=(1, 2))
    other = dealt(2, 4, "other", GROUP)
    me, share = {
        "extra-party": (1, KEYS[1]),
        "no-share": (1, None),
        "stray-share": (LOST, KEYS[LOST]),
        "other-key": (1, other[1]),
        "index": (1, KEYS[2]),
    }[case]
    parties = (1, 2, 3, 4) if case == "extra-party" else (1, 2, 3)
    network = Network({i: lambda p: repair(p, agreed, share, stream("x")) for i in parties})
    with pytest.raises(ValueError, match=r"part|share"):
        network.sessions[me].start()
    assert network.sent == []


def test_repair_with_an_unsound_share_says_nothing() -> None:
    broken = replace(KEYS[2], secret=KEYS[1].secret)
    network = Network(
        {i: lambda p: repair(p, parameters(), broken, stream("x")) for i in (*HELPERS, LOST)}
    )
    with pytest.raises(BadShare):
        network.sessions[2].start()
    assert network.sent == []


def test_repair_with_impossible_parameters_says_nothing() -> None:
    public = replace(KEYS[1].public, group_key=KEYS[1].public.public_share(1))
    agreed = parameters(public=public)
    network = Network({i: lambda p: repair(p, agreed, None, stream("x")) for i in (*HELPERS, LOST)})
    with pytest.raises(BadShare):
        network.sessions[LOST].start()
    assert network.sent == []


def test_repaired_party_notices_its_own_faulty_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    original = steps.sum_of_parts

    def faulty(group: Group, parts: list[SecretBytes]) -> SecretBytes:
        mine = len(parts) == len(HELPERS) and not any(part.wiped for part in parts)
        total = original(group, parts)
        return SecretBytes(off_by_one(bytes(total.view()))) if mine and calls(parts) else total

    def calls(parts: list[SecretBytes]) -> bool:
        """Tell the last sum, of what the helpers sent, from the sums that they send."""
        seen.append(len(parts))
        return len(seen) > len(HELPERS)

    seen: list[int] = []
    monkeypatch.setattr(steps, "sum_of_parts", faulty)
    network = Network({i: honest(i) for i in (*HELPERS, LOST)})
    with pytest.raises(BadShare):
        network.deliver()
    assert not [e for e in network.sent if (e.sender, e.kind) == (LOST, "dkg.share-proof")]


def test_repair_of_an_unsound_key_is_refused() -> None:
    public = replace(KEYS[1].public, group_key=KEYS[1].public.public_share(1))
    with pytest.raises(BadShare):
        parameters(public=public).check()
