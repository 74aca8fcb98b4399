"""Ceremonies of every kind: the key stays, its shares and pair states belong to one epoch."""

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from console.adapters.schemes import lifecycle
from console.adapters.schemes.ecdsa_secp256k1 import EcdsaSecp256k1
from console.application.ports.threshold import KeyMaterial
from console.domain.values import CeremonyPurpose
from console.protocols.dkls23 import decode_pairs
from console.protocols.kernel.party import Party
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen import KeyShare, RepairResult, ReshareParameters
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.erasure import remembered
from tests.adversary.keys import dealt
from tests.adversary.network import Network, stream
from tests.unit.schemes.driving import (
    KINDS,
    Keys,
    Kind,
    Parts,
    agreed,
    delivered,
    generated,
    generating,
    parts_of,
    refreshed,
    refreshing,
    repairing,
    resharing,
    signed,
    signing,
)

EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
OLD_DEALERS, NEW_MEMBERS = (1, 2, 3), (1, 3, 4, 7, 9)


def assert_sound(kind: Kind, keys: Keys) -> None:
    """Every part fits the public package; pair states are with the other owners, and only these."""
    for i, key in keys.items():
        if key.held is None:
            continue
        assert key.held.share.index == i
        assert key.held.share.public == key.public
        key.held.share.check()
        if kind is EcdsaSecp256k1:
            assert key.held.setup is not None
            pairs = decode_pairs(key.held.setup)
            assert (pairs.me, pairs.banned) == (i, frozenset())
            assert pairs.peers == tuple(j for j in key.public.indices if j != i)
        else:
            assert key.held.setup is None


def assert_no_signature(kind: Kind, parts: Parts, signers: tuple[int, ...]) -> None:
    network = delivered(signing(kind, parts, signers), "mixed")
    assert network.aborts
    assert not network.outcomes


def assert_thief_is_found(
    kind: Kind, new: Parts, old: KeyMaterial, signers: tuple[int, ...]
) -> None:
    """An old share does not sign, although its thief has all else of the new epoch.

    FROST stops the thief at its own check before it says anything that could be judged.
    """
    thief = old.share.index
    share = KeyShare(thief, old.share.secret, new[thief].share.public)
    parts = {**new, thief: KeyMaterial(share, new[thief].setup)}
    network = delivered(signing(kind, parts, signers), "thief")
    assert not network.outcomes
    assert thief in network.aborts
    assert all(v[:2] == ("blame", {thief}) for v in network.verdicts(thief).values())


@EVERY_KIND
@pytest.mark.parametrize(
    ("threshold", "parties", "quorums"),
    [
        (2, 2, [(1, 2)]),
        (2, 3, [(1, 2), (1, 3), (2, 3)]),
        (3, 4, [(1, 2, 3), (1, 3, 4), (2, 3, 4)]),
    ],
)
def test_every_quorum_signs_with_a_new_key(
    kind: Kind, threshold: int, parties: int, quorums: list[tuple[int, ...]]
) -> None:
    keys = generated(kind, threshold, parties)
    assert_sound(kind, keys)
    assert keys[1].public.threshold == threshold
    parts = parts_of(keys)
    for quorum in quorums:
        signed(kind, parts, quorum, "m/0/5")


@EVERY_KIND
def test_a_refresh_ends_the_old_epoch(kind: Kind) -> None:
    old, new = generated(kind, 2, 3), refreshed(kind, 2, 3)
    assert_sound(kind, new)
    assert new[1].public.group_key == old[1].public.group_key
    assert new[1].public.chain_code == old[1].public.chain_code
    assert new[1].transcript != old[1].transcript
    parts, stolen = parts_of(new), parts_of(old)
    signed(kind, parts, (1, 3), "m/1")
    for mixed in ((1, 2), (2, 1)):
        assert_no_signature(kind, {mixed[0]: stolen[mixed[0]], mixed[1]: parts[mixed[1]]}, (1, 2))
    assert_thief_is_found(kind, parts, stolen[2], (1, 2))
    signed(kind, stolen, (1, 2))  # which is why everybody erases them


@EVERY_KIND
@pytest.mark.parametrize(
    ("threshold", "parties", "lost", "quorum"), [(2, 3, 2, (2, 3)), (3, 4, 4, (1, 3, 4))]
)
def test_a_repair_gives_the_share_back_in_a_new_epoch(
    kind: Kind, threshold: int, parties: int, lost: int, quorum: tuple[int, ...]
) -> None:
    old = generated(kind, threshold, parties)
    parts = parts_of(old)
    new = agreed(delivered(repairing(kind, parts, lost), "repair"))
    assert_sound(kind, new)
    assert new[1].public.group_key == old[1].public.group_key
    assert new[1].public.public_shares != old[1].public.public_shares
    assert not any(part.share.secret.wiped for part in parts.values())
    repaired = parts_of(new)
    signed(kind, repaired, quorum)
    # The lost machine, in whoever's hands, signs with nobody of the new epoch.
    assert_no_signature(kind, {**repaired, lost: parts[lost]}, quorum)
    assert_thief_is_found(kind, repaired, parts[lost], quorum)


@EVERY_KIND
def test_a_reshare_hands_the_key_to_others(kind: Kind) -> None:
    """Two of three become three of five: member 2 leaves, 4, 7 and 9 join."""
    old = generated(kind, 2, 3)
    new = agreed(delivered(resharing(kind, parts_of(old), OLD_DEALERS, NEW_MEMBERS, 3), "reshare"))
    assert_sound(kind, new)
    assert new[2].held is None
    public = new[2].public
    assert public.group_key == old[1].public.group_key
    assert (public.indices, public.threshold) == (NEW_MEMBERS, 3)
    parts = parts_of(new)
    for quorum in ((1, 3, 4), (4, 7, 9), (3, 7, 9)):
        signed(kind, parts, quorum, "m/0/5")
    stolen = parts_of(old)
    assert_no_signature(kind, {**parts, 1: stolen[1]}, (1, 4, 9))
    assert_thief_is_found(kind, parts, stolen[1], (1, 4, 9))


@EVERY_KIND
def test_a_quorum_of_the_old_owners_can_hand_the_key_over_without_the_rest(kind: Kind) -> None:
    """Member 2 is gone for good: the others deal, and it is not even there."""
    runs = resharing(kind, parts_of(generated(kind, 2, 3)), (1, 3), (1, 3), 2)
    new = agreed(delivered(runs, "exclude"))
    assert_sound(kind, new)
    signed(kind, parts_of(new), (1, 3))


def test_all_kinds_are_made_in_one_session() -> None:
    async def run(party: Party) -> tuple[Any, ...]:
        made = [
            await kind().generate(party, 2, kind.__name__.encode(), stream(f"all/{party.me}"))
            for kind in KINDS
        ]
        return tuple(made)

    network = delivered(dict.fromkeys((1, 2), run), "all kinds")
    assert not network.aborts
    for place, kind in enumerate(KINDS):
        keys = {i: network.outcomes[i][place] for i in (1, 2)}
        assert keys[1].transcript == keys[2].transcript
        signed(kind, parts_of(keys), (1, 2))


@EVERY_KIND
def test_the_rounds_have_names(kind: Kind) -> None:
    two, parts = parts_of(generated(kind, 2, 2)), parts_of(generated(kind, 2, 3))
    runs = {
        CeremonyPurpose.GENERATE: generating(kind, 2, 2),
        CeremonyPurpose.REFRESH: refreshing(kind, two),
        CeremonyPurpose.REPAIR: repairing(kind, parts, 1),
        CeremonyPurpose.RESHARE: resharing(kind, two, (1, 2), (2, 3), 2),
    }
    assert set(runs) == set(CeremonyPurpose)
    for purpose, ceremony in runs.items():
        names = kind().ceremony_rounds(purpose)
        assert len(names) == rounds_seen(delivered(ceremony, purpose)), purpose
        assert all(names)
        assert len(set(names)) == len(names)
    names = kind().signing_rounds
    assert len(names) == rounds_seen(delivered(signing(kind, parts, (1, 2)), "names"))
    assert 1 < kind().release_round < len(names)


def rounds_seen(network: Network) -> int:
    assert not network.aborts
    assert {max(e.round for e in network.sent if e.sender == i) for i in network.runs} == {
        max(e.round for e in network.sent)
    }
    return max(envelope.round for envelope in network.sent)


@EVERY_KIND
def test_only_the_parts_outlive_a_ceremony(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    two, parts = parts_of(generated(kind, 2, 2)), parts_of(generated(kind, 2, 3))
    made = remembered(monkeypatch)
    for runs in (
        generating(kind, 2, 2),
        refreshing(kind, two),
        repairing(kind, parts, 3),
        resharing(kind, two, (1, 2), (2, 3), 2),
    ):
        made.clear()
        keys = agreed(delivered(runs, "traces"))
        kept = [secret for key in keys.values() if key.held for secret in secrets_of(key.held)]
        left = [secret for secret in made if len(secret) and not secret.wiped]
        assert {id(secret) for secret in left} == {id(secret) for secret in kept}


def secrets_of(held: KeyMaterial) -> list[SecretBytes]:
    return [held.share.secret, *([held.setup] if held.setup else [])]


@EVERY_KIND
def test_the_repaired_share_serves_for_the_refresh_only(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[RepairResult] = []
    original = lifecycle.run_repair

    async def remember(*arguments: Any) -> RepairResult:
        result = await original(*arguments)
        given.append(result)
        return result

    monkeypatch.setattr(lifecycle, "run_repair", remember)
    parts = parts_of(generated(kind, 2, 3))
    agreed(delivered(repairing(kind, parts, 3), "repaired"))
    (share,) = [result.share for result in given if result.share is not None]
    assert share.secret.wiped


@EVERY_KIND
def test_the_refresh_after_a_repair_is_no_refresh_by_itself(kind: Kind) -> None:
    """Parties that mean different ceremonies do not get past the first messages they share."""
    parts = parts_of(generated(kind, 2, 3))
    runs = {**refreshing(kind, parts), 1: repairing(kind, parts, 3)[1]}
    network = delivered(runs, "other ceremony")
    assert not network.outcomes


@EVERY_KIND
def test_all_owners_take_part_in_a_repair(kind: Kind) -> None:
    group = generated(kind, 2, 2)[1].public.group
    owners = {i: KeyMaterial(share) for i, share in dealt(2, 4, group=group).items() if i != 4}
    with pytest.raises(ValueError, match="owners"):
        delivered(repairing(kind, owners, 3), "not all")


@EVERY_KIND
def test_a_pair_cannot_repair_itself(kind: Kind) -> None:
    with pytest.raises(ValueError, match="helpers"):
        delivered(repairing(kind, parts_of(generated(kind, 2, 2)), 2), "pair")


@EVERY_KIND
def test_a_threshold_of_one_is_refused(kind: Kind) -> None:
    with pytest.raises(ValueError, match="threshold"):
        delivered(generating(kind, 1, 2), "one")
    parts = parts_of(generated(kind, 2, 2))
    with pytest.raises(ValueError, match="threshold"):
        delivered(resharing(kind, parts, (1, 2), (1, 2), 1), "one")


@EVERY_KIND
def test_a_key_of_another_group_is_refused(kind: Kind) -> None:
    other = ED25519 if generated(kind, 2, 2)[1].public.group is SECP256K1 else SECP256K1
    parts = {i: KeyMaterial(share) for i, share in dealt(2, 2, group=other).items()}
    for runs in (
        refreshing(kind, parts),
        repairing(kind, parts, 2),
        resharing(kind, parts, (1, 2), (1, 2), 2),
    ):
        with pytest.raises(ValueError, match="group"):
            delivered(runs, "other group")


@EVERY_KIND
def test_parties_that_mean_different_keys_make_none(kind: Kind) -> None:
    runs = generating(kind, 2, 2)

    def other(party: Party) -> Coroutine[Any, Any, Any]:
        return kind().generate(party, 2, b"epoch 1", stream("other"))

    network = delivered({**runs, 2: other}, "different")
    assert not network.outcomes


def test_the_pair_states_belong_to_the_new_shares_and_the_callers_context() -> None:
    """The same parties, the same session id: the setup alone would not tell them apart."""
    parts = parts_of(generated(EcdsaSecp256k1, 2, 2))
    states = []
    for context in (b"epoch 1", b"epoch 2"):
        keys = agreed(delivered(refreshing(EcdsaSecp256k1, parts, context), "bound"))
        held = keys[1].held
        assert held is not None
        assert held.setup is not None
        states.append(decode_pairs(held.setup).setup_id)
    assert len(set(states)) == 2


def test_the_certificate_covers_the_setup(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = generated(EcdsaSecp256k1, 2, 2)
    held = keys[1].held
    assert held is not None
    assert held.setup is not None
    setup_id = decode_pairs(held.setup).setup_id
    plain = stream("transcript")(32)
    assert lifecycle.joined(plain, setup_id) != lifecycle.joined(setup_id, plain)
    assert keys[1].transcript not in {plain, setup_id}
    seen: list[bytes] = []

    def remember(*transcripts: bytes) -> bytes:
        seen.extend(transcripts)
        return plain

    monkeypatch.setattr(lifecycle, "joined", remember)
    again = agreed(delivered(generating(EcdsaSecp256k1, 2, 2), "covered"))
    assert again[1].transcript == plain
    part = again[1].held
    assert part is not None
    assert part.setup is not None
    assert decode_pairs(part.setup).setup_id in seen


def test_reshare_parameters_bind_the_new_epoch() -> None:
    public = generated(KINDS[1], 2, 3)[1].public
    parameters = ReshareParameters(public, (1, 2), (1, 2), 2, b"epoch 1")
    parts = parts_of(generated(KINDS[1], 2, 3))
    runs = {
        i: lambda p, i=i, agreed_on=agreed_on: KINDS[1]().reshare(
            p, agreed_on, parts[i].share, stream(f"bind/{i}")
        )
        for i, agreed_on in ((1, parameters), (2, replace(parameters, context=b"epoch 2")))
    }
    assert not delivered(runs, "bind").outcomes
