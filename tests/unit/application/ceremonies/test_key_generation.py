"""What a session runs, what it seals in which order, and what certifies it."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.adapters.schemes.schnorr_bip340 import SchnorrBip340
from console.application.ceremonies.certificates import joined_message
from console.application.errors import (
    ShareUnavailable,
    VaultLocked,
)
from console.application.peers.statements import (
    CeremonyCancellation,
    CeremonyRefusal,
    CodeConfirmation,
    SessionFailure,
)
from console.application.ports.threshold import KeygenOutput
from console.domain.errors import (
    Conflict,
    NotYetPossible,
)
from console.domain.ids import CeremonyId, SessionId
from console.domain.key_ceremony import CeremonyState
from console.domain.short_code import short_code
from console.protocols.kernel.party import Party
from console.protocols.keygen.repair import RepairParameters
from console.protocols.keygen.reshare import ReshareParameters
from console.protocols.keygen.share import decode_public
from tests.adversary.keys import dealt
from tests.adversary.network import Network, stream
from tests.unit.application.ceremonies.scenes import (
    CHANGE,
    LATER,
    RESHARE,
    TIMEOUT,
    TRANSCRIPT,
    accept,
    accepted,
    ceremony_of,
    change_accepted,
    info,
    outcome,
    proposal,
    proposed,
    running,
    seal_of,
    sealed,
)
from tests.unit.application.desk import Desk
from tests.unit.domain.facts import ANA, BEN, CEREMONY, CHIARA, CUSTODIANS, EVE, FIRST, KIND, WALLET


def contexts(desk: Desk, ceremony: CeremonyId = CEREMONY) -> bytes:
    body = ceremony_of(desk, ceremony).proposal.evidence.body
    return hashlib.sha256(body).digest() + KIND.value.encode()


async def test_the_protocol_makes_a_key_in_the_context_of_exactly_this_proposal() -> None:
    desk = await accepted()
    ours = await desk.key_generation.open(info())
    scheme, context = EddsaEd25519(), contexts(desk)

    def party(number: int) -> Callable[[Party], Any]:
        return lambda party: scheme.generate(party, 2, context, stream(f"party {number}"))

    network = Network({1: ours, 2: party(2), 3: party(3)}).deliver()
    assert not network.aborts
    ((kind, made),) = network.outcomes[1]
    assert kind is KIND
    assert (made.public, made.transcript) == (
        network.outcomes[2].public,
        network.outcomes[3].transcript,
    )
    await desk.key_generation.succeeded(info(), network.outcomes[1])
    assert await desk.shares.holds(WALLET, KIND, 0)


async def test_every_change_is_run_with_the_parameters_that_all_derive() -> None:
    scheme, public = EddsaEd25519(), dealt(2, 3)[1].public
    everybody: dict[str, Callable[[int, bytes], Callable[[Party], Any]]] = {
        "refresh": lambda i, context: (
            lambda p: scheme.refresh(p, dealt(2, 3)[i], context, stream(str(i)))
        ),
        "repair": lambda i, context: (
            lambda p: scheme.repair(
                p,
                RepairParameters(public, 3, (1, 2), context),
                None if i == 3 else dealt(2, 3)[i],
                stream(str(i)),
            )
        ),
        "reshare": lambda i, context: (
            lambda p: scheme.reshare(
                p,
                ReshareParameters(public, (1, 2), (1, 3, 4), 2, context),
                dealt(2, 3)[i] if i in {1, 2} else None,
                stream(str(i)),
            )
        ),
    }
    changes: dict[str, dict[str, object]] = {
        "refresh": {},
        "repair": {"purpose": "repair", "repaired": CHIARA},
        "reshare": RESHARE,
    }
    for purpose, party in everybody.items():
        desk = await change_accepted(**changes[purpose])
        ours = await desk.key_generation.open(info(LATER, CHANGE))
        context = contexts(desk, CHANGE)
        others = set(ceremony_of(desk, CHANGE).indices.values()) - {1}
        network = Network({1: ours} | {i: party(i, context) for i in others}).deliver()
        assert not network.aborts, purpose
        ((_, made),) = network.outcomes[1]
        assert {o.public for i, o in network.outcomes.items() if i != 1} == {made.public}, purpose
        assert made.public.group_key == public.group_key


async def test_whoever_lost_its_share_brings_none() -> None:
    desk = await change_accepted(purpose="repair", repaired=ANA)
    desk.storage.trouble = ShareUnavailable("it is lost")
    await desk.key_generation.open(info(LATER, CHANGE))
    assert ceremony_of(desk, CHANGE).state is CeremonyState.RUNNING


async def test_who_deals_in_a_reshare_brings_its_share_and_who_does_not_brings_none() -> None:
    desk = await change_accepted(**RESHARE | {"dealers": (BEN, CHIARA)})
    desk.storage.trouble = ShareUnavailable("it is lost")
    await desk.key_generation.open(info(LATER, CHANGE))
    desk = await change_accepted(**RESHARE)
    desk.storage.trouble = ShareUnavailable("it is lost")
    with pytest.raises(ShareUnavailable):
        await desk.key_generation.open(info(LATER, CHANGE))


async def run_of(desk: Desk, ceremony: CeremonyId = CHANGE) -> Callable[[Party], Awaitable[Any]]:
    return await desk.key_generation.open(info(LATER, ceremony))


async def test_a_wallet_that_is_not_known_is_not_changed() -> None:
    desk = await change_accepted()
    del desk.aggregates.wallets[WALLET]
    run = await run_of(desk)
    with pytest.raises(NotYetPossible, match="this wallet is not known here yet"):
        await run(None)  # type: ignore[arg-type]


class HalfDone(EddsaEd25519):
    """Makes a first key, and fails with the second; `wiped` is the share of the first."""

    def __init__(self) -> None:
        self.made: list[KeygenOutput] = []

    async def generate(self, *_how: object) -> KeygenOutput:
        if self.made:
            raise RuntimeError("the second key failed")
        self.made.append(outcome()[0][1])
        return self.made[0]


async def test_a_key_is_wiped_if_the_one_after_it_is_not_made() -> None:
    scheme = HalfDone()
    desk = await Desk(schemes={KIND: scheme, SchnorrBip340.kind: scheme}).open()
    await desk.hear(ANA, proposal(desk, kinds=(KIND.value, "schnorr-bip340")))
    await accept(desk, *CUSTODIANS)
    run = await desk.key_generation.open(info())
    with pytest.raises(RuntimeError):
        await run(None)  # type: ignore[arg-type]
    held = scheme.made[0].held
    assert held is not None
    assert held.share.secret.wiped


async def test_a_share_is_sealed_before_it_is_on_record() -> None:
    desk = await running()
    desk.steps.clear()
    await desk.key_generation.succeeded(info(), outcome())
    assert desk.taken() == [f"sealed {KIND.value} 0", "recorded CeremonyShareSealed"]
    found = seal_of(desk)
    public = dealt(2, 3)[1].public
    message = joined_message(WALLET, SessionId(FIRST), 0, ((KIND, public, TRANSCRIPT),))
    assert (found.session, found.certificate_message) == (FIRST, message)
    assert found.code == short_code(hashlib.sha256(message).digest())
    assert found.transcript == TRANSCRIPT
    assert decode_public(found.keys[0].package) == public
    assert found.keys[0].public_key == public.group_key


async def test_what_a_crash_left_under_the_label_gives_way() -> None:
    desk = await running()
    left = outcome(seed="before the crash")[0][1].held
    assert left is not None
    await desk.shares.seal(WALLET, KIND, 0, left)
    desk.steps.clear()
    await desk.key_generation.succeeded(info(), outcome())
    assert desk.taken()[:2] == [f"erased {KIND.value} 0", f"sealed {KIND.value} 0"]
    opened = await desk.shares.unseal(WALLET, KIND, 0)
    assert opened.share.public == dealt(2, 3)[1].public


async def test_a_share_that_the_vault_does_not_take_is_wiped_and_not_on_record() -> None:
    desk = await running()
    made = outcome()
    await desk.vault.lock()
    with pytest.raises(VaultLocked):
        await desk.key_generation.succeeded(info(), made)
    assert ceremony_of(desk).sealed is None
    held = made[0][1].held
    assert held is not None
    assert held.share.secret.wiped


async def test_the_second_share_is_wiped_if_the_first_is_not_sealed() -> None:
    schemes = {s.kind: s for s in (EddsaEd25519(), SchnorrBip340())}
    desk = await Desk(schemes=schemes).open()
    await desk.hear(ANA, proposal(desk, kinds=(KIND.value, "schnorr-bip340")))
    await accept(desk, *CUSTODIANS)
    await desk.key_generation.open(info())
    made = outcome(kinds=(KIND, SchnorrBip340.kind))
    await desk.vault.lock()
    with pytest.raises(VaultLocked):
        await desk.key_generation.succeeded(info(), made)
    for _, key in made:
        assert key.held is not None
        assert key.held.share.secret.wiped


async def test_who_holds_no_share_afterwards_seals_none_and_knows_the_keys() -> None:
    desk = await change_accepted(
        purpose="reshare", custodians=(BEN, CHIARA, EVE), dealers=(ANA, BEN)
    )
    await desk.key_generation.open(info(LATER, CHANGE))
    desk.steps.clear()
    await desk.key_generation.succeeded(info(LATER, CHANGE), outcome(None, owners=(2, 3, 4)))
    assert desk.taken() == ["recorded CeremonyShareSealed"]
    await desk.key_generation.confirm_code(CHANGE, seal_of(desk, CHANGE).code)


async def test_an_outcome_of_a_session_that_ended_meanwhile_is_refused() -> None:
    desk = await running()
    await desk.hear(
        BEN,
        SessionFailure(at_ms=1, subject=CEREMONY, session=FIRST, reason="too late", blamed=()),
    )
    with pytest.raises(NotYetPossible, match="only the session under way"):
        await desk.key_generation.succeeded(info(), outcome())
    # What was sealed all the same goes with the session's end.
    await desk.key_generation.failed(info(), TIMEOUT)
    assert not await desk.shares.holds(WALLET, KIND, 0)


async def test_the_operator_s_code_certifies_the_sealed_keys() -> None:
    desk = await sealed()
    await desk.key_generation.confirm_code(CEREMONY, seal_of(desk).code)
    (told,) = desk.told
    assert isinstance(told, CodeConfirmation)
    assert (told.session, told.ceremony) == (FIRST, CEREMONY)
    assert ceremony_of(desk).has_confirmed(ANA)
    assert desk.taken() == ["recorded CeremonyCodeConfirmed", "told CodeConfirmation"]


async def test_another_code_certifies_nothing() -> None:
    desk = await sealed()
    code = seal_of(desk).code
    for wrong in ("", code.upper(), code[:-1], f"{code} "):
        with pytest.raises(Conflict, match="not the one of this ceremony"):
            await desk.key_generation.confirm_code(CEREMONY, wrong)
    assert desk.told == []


@pytest.mark.parametrize("scene", [proposed, accepted, running])
async def test_before_anything_is_sealed_there_is_no_code(
    scene: Callable[[], Awaitable[Desk]],
) -> None:
    desk = await scene()
    with pytest.raises(NotYetPossible, match="no code to confirm"):
        await desk.key_generation.confirm_code(CEREMONY, "")


async def test_a_cancelled_ceremony_is_not_certified() -> None:
    desk = await sealed()
    code = seal_of(desk).code
    await desk.hear(BEN, CeremonyCancellation(desk.now_ms, CEREMONY, "stop"))
    with pytest.raises(NotYetPossible, match="no code to confirm"):
        await desk.key_generation.confirm_code(CEREMONY, code)
    assert desk.told == []


async def test_keys_whose_share_is_gone_are_not_certified() -> None:
    desk = await sealed()
    await desk.shares.erase(WALLET, KIND, 0)
    with pytest.raises(NotYetPossible, match="not in its vault; cancel the ceremony"):
        await desk.key_generation.confirm_code(CEREMONY, seal_of(desk).code)
    assert desk.told == []


async def test_a_declined_ceremony_cannot_be_confirmed_without_keys() -> None:
    desk = await proposed()
    await desk.hear(BEN, CeremonyRefusal(desk.now_ms, CEREMONY, "no"))
    with pytest.raises(NotYetPossible):
        await desk.key_generation.confirm_code(CEREMONY, "code")
