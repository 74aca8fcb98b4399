"""Base types of events: a name that never changes, evidence, group keys."""

from dataclasses import dataclass
from typing import ClassVar

from console.domain.ids import MemberId
from console.domain.values import SignatureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A member's signed statement: canonical body, signer, 64-byte P-256 signature."""

    kind: str
    body: bytes
    signer: MemberId
    signature: bytes


@dataclass(frozen=True, slots=True)
class GroupKey:
    """One group key of a wallet; `package` is the public key package as the protocol encodes it."""

    kind: SignatureKind
    public_key: bytes
    package: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """A fact. `NAME` is its stable name in every ledger, never a class path."""

    NAME: ClassVar[str] = ""
