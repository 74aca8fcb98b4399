"""Ceremonies of a key over one group, for every kind; each ends in shares of a new epoch."""

import hashlib

from console.application.ports.threshold import KeygenOutput, KeyMaterial
from console.domain.values import CeremonyPurpose
from console.protocols.kernel.party import Party, Random
from console.protocols.kernel.transcript import enc
from console.protocols.keygen import (
    KeygenParameters,
    KeyShare,
    PublicKeyPackage,
    Redealt,
    RepairParameters,
    ReshareParameters,
)
from console.protocols.keygen import generate as run_generation
from console.protocols.keygen import refresh as run_refresh
from console.protocols.keygen import repair as run_repair
from console.protocols.keygen import reshare as run_reshare
from console.protocols.math.group import Group

CONFIRM = "Confirm"
"""The echo of a last broadcast round; the next protocol of the session carries it."""

_DEALING = ("Commit", "Deal", "Verify", "Prove")
_REPAIR = ("Split", "Compare", "Add up", "Restore")


def rounds(purpose: CeremonyPurpose) -> tuple[str, ...]:
    """Return the rounds' names for people, without `CONFIRM`."""
    return (*_REPAIR, *_DEALING) if purpose is CeremonyPurpose.REPAIR else _DEALING


async def generate(
    group: Group, party: Party, threshold: int, context: bytes, random: Random
) -> KeygenOutput:
    """Generate a key of which no party ever holds more than a share. Raises: ProtocolAbort."""
    _check_threshold(threshold)
    result = await run_generation(party, KeygenParameters(group, threshold, context), random)
    return KeygenOutput(result.share.public, KeyMaterial(result.share), result.transcript)


async def refresh(
    group: Group, party: Party, share: KeyShare, context: bytes, random: Random
) -> KeygenOutput:
    """Generate new shares for the same owners. Raises: ProtocolAbort."""
    _check_group(group, share.public)
    return _made(await run_refresh(party, share, context, random))


async def repair(
    group: Group,
    party: Party,
    parameters: RepairParameters,
    share: KeyShare | None,
    random: Random,
) -> KeygenOutput:
    """Restore the lost share with the help of all other owners, then refresh immediately.

    A thief of the lost machine holds the same share of the old epoch, so the repaired share is
    used only for the refresh. Raises: ProtocolAbort.
    """
    _check_group(group, parameters.public)
    if party.parties != parameters.public.indices:
        raise ValueError("all owners of the key take part")
    repaired = await run_repair(party, parameters, share, random)
    try:
        context = enc("quorate/refresh-after-repair/v1", parameters.context)
        ours = share if repaired.share is None else repaired.share
        if ours is None:
            raise ValueError("every helper brings its share")
        made = await refresh(group, party, ours, context, random)
    finally:
        if repaired.share is not None:
            repaired.share.wipe()
    return KeygenOutput(made.public, made.held, joined(repaired.transcript, made.transcript))


async def reshare(
    group: Group,
    party: Party,
    parameters: ReshareParameters,
    share: KeyShare | None,
    random: Random,
) -> KeygenOutput:
    """Generate shares for the next quorum; leaving members keep none. Raises: ProtocolAbort."""
    _check_group(group, parameters.public)
    _check_threshold(parameters.threshold)
    return _made(await run_reshare(party, parameters, share, random))


def joined(*transcripts: bytes) -> bytes:
    """Return one transcript for several protocols that followed each other in a session."""
    return hashlib.sha256(enc("quorate/transcripts/v1", *transcripts)).digest()


def _made(changed: Redealt) -> KeygenOutput:
    held = None if changed.share is None else KeyMaterial(changed.share)
    return KeygenOutput(changed.public, held, changed.transcript)


def _check_group(group: Group, public: PublicKeyPackage) -> None:
    if public.group_name != group.name:
        raise ValueError("the key belongs to another group")


def _check_threshold(threshold: int) -> None:
    # A key with a threshold of one can be neither refreshed nor used by DKLs23.
    if threshold < 2:
        raise ValueError("the threshold must be at least 2")
