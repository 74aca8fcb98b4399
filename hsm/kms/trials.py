"""Trials: what a member's keys need of KMS, tried with the named keys; nothing is left there."""

import hashlib
import secrets
from collections.abc import Callable

from console.application.errors import HsmError
from console.domain.ids import MemberId
from hsm.capabilities import (
    IDENTITY_KEY,
    KEY_RECORD,
    LEDGER_HEAD,
    PRESENCE_KEY,
    SEAL,
    Capabilities,
    Capability,
)
from hsm.keys import is_signed_by
from hsm.kms.calls import KeyKind, KmsCalls, KmsFault
from hsm.kms.context import context_of
from hsm.kms.looks import problem_of
from hsm.kms.place import KmsPlace
from hsm.signed_files import IN_FILES
from hsm.vendors import Standing

CREDENTIALS, SERVICE = "Credentials", "Service"
_TRIAL = b"quorate/trial"
_ORIGINS = ("AWS_KMS", "AWS_CLOUDHSM")
_NO_KEY = "no key is named, so nothing was tried; the set-up makes one"


class _Unfit(Exception):
    """KMS does something else than is needed; the message says what."""


def probe(calls: KmsCalls, place: KmsPlace, member: MemberId) -> Capabilities:
    """Return the whole table; keys that are not named are not tried.

    Raises: KmsFault if KMS does not answer.
    """
    credentials = _credentials(calls)
    asked = bool(credentials.fits)
    rows = (
        credentials,
        _service(place),
        _tried(_SEALING, place.sealing_key, lambda: _seal(calls, place, member), asked=asked),
        _tried(_IDENTITY, place.identity_key, lambda: _sign(calls, place), asked=asked),
        *_REPLACED,
    )
    name = place.short or "keys that are still to be made"
    return Capabilities(f"AWS KMS, region {place.region}: {name}", rows, in_files=True)


_SEALING = Capability(
    name=SEAL,
    need="a symmetric key that wraps 32 bytes, bound to member and label",
    found=_NO_KEY,
    used="Encrypt and Decrypt with an encryption context, sealed once more by the passphrase's key",
    fits=None,
)
_IDENTITY = Capability(
    name=IDENTITY_KEY,
    need="a P-256 key that is made in KMS, cannot leave it, and signs",
    found=_NO_KEY,
    used="Sign, a digest by ECDSA_SHA_256",
    fits=None,
)
_IN_A_FILE = f"a file signed by the identity key; {IN_FILES}"
_REPLACED = (
    Capability(
        name=PRESENCE_KEY,
        need="the operator's presence can be checked again while the keys are in use",
        found="KMS knows no operator: whoever has the credentials may use the keys",
        used="a passphrase (Argon2id); its key seals what KMS wrapped. Signatures do not need it",
        fits=True,
    ),
    *(
        Capability(name=name, need=need, found="KMS keeps no data", used=_IN_A_FILE, fits=True)
        for name, need in (
            (LEDGER_HEAD, "a place that holds the ledger's head"),
            (KEY_RECORD, "a record of the keys that is read without the passphrase"),
        )
    ),
)


def _credentials(calls: KmsCalls) -> Capability:
    found, fits = "none were found", False
    try:
        method = calls.credentials()
    except KmsFault as fault:
        found = str(fault.told)
    else:
        if method:
            found, fits = f"found: {method}", True
    return Capability(
        name=CREDENTIALS,
        need="credentials for AWS, from the environment, the AWS configuration or a machine's role",
        found=found,
        used="as they are found; none are stored here",
        fits=fits,
    )


def _service(place: KmsPlace) -> Capability:
    tests = place.standing is Standing.FOR_TESTS
    return Capability(
        name=SERVICE,
        need="AWS KMS, whose keys are in hardware",
        found=f"{place.endpoint_url} is not AWS's own" if tests else "AWS's own endpoint",
        used="for tests only" if tests else "not run against the real service yet: unproven",
        fits=True,
    )


def _tried(row: Capability, arn: str, trial: Callable[[], str], *, asked: bool) -> Capability:
    if not arn:
        return row
    fits: bool | None = False
    if not asked:
        found, fits = "not tried without credentials", None
    else:
        try:
            found, fits = trial(), True
        except KmsFault as fault:
            if not fault.answered:
                raise
            found = str(fault.told)
        except (_Unfit, HsmError) as unfit:
            found = str(unfit)
    return Capability(name=row.name, need=row.need, found=found, used=row.used, fits=fits)


def _require_kind(calls: KmsCalls, arn: str, kind: KeyKind) -> str:
    """Check what a key is; return where it was made, in words."""
    key = calls.describe(arn)
    if problem := problem_of(key):
        raise _Unfit(problem)
    if key.arn != arn:
        raise _Unfit(f"KMS tells of another key than {arn}")
    if (key.spec, key.usage) != (kind.spec, kind.usage):
        raise _Unfit(f"the key is {key.spec} for {key.usage}; needed is {kind.spec}, {kind.usage}")
    if key.origin not in _ORIGINS:
        raise _Unfit(f"the key was not made in KMS: its origin is {key.origin}")
    return f"made in {key.origin}"


def _seal(calls: KmsCalls, place: KmsPlace, member: MemberId) -> str:
    made = _require_kind(calls, place.sealing_key, KeyKind.SEALING)
    context, secret = context_of(member, _TRIAL), secrets.token_bytes(32)
    wrapped = calls.encrypt(context, secret)
    if calls.decrypt(context, wrapped) != secret:
        raise _Unfit("what was wrapped is not opened to the same")
    if calls.decrypt(context_of(member, _TRIAL + b"/other"), wrapped) is not None:
        raise _Unfit("what was wrapped is opened with another context too")
    if calls.decrypt(context, wrapped[:-1] + bytes([wrapped[-1] ^ 1])) is not None:
        raise _Unfit("what was altered is opened all the same")
    return f"{made}; wrapped and opened; another context and altered data were refused"


def _sign(calls: KmsCalls, place: KmsPlace) -> str:
    made = _require_kind(calls, place.identity_key, KeyKind.IDENTITY)
    message = _TRIAL + secrets.token_bytes(32)
    signature = calls.sign(hashlib.sha256(message).digest())
    if not is_signed_by(calls.public_point(), message, signature):
        raise _Unfit("the signature does not verify under the key's public key")
    return f"{made}; signed and verified"
