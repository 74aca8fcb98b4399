"""The calls to KMS that a vault needs, and how one fails; `hsm.kms.client` makes them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol, Self

from console.application.errors import HsmError


@dataclass(frozen=True, slots=True)
class CallTimes:
    """How long one attempt at a call may take, and how many attempts there are."""

    connect_s: float = 2.0
    read_s: float = 5.0
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A call in words: the operation, the key's ARN or what else it is about, the region."""

    operation: str
    about: str
    region: str

    @property
    def words(self) -> str:
        return f"AWS KMS {self.operation} ({self.about}, region {self.region})"

    def of(self, operation: str) -> Self:
        """Return the same for another operation."""
        return replace(self, operation=operation)


class KmsFault(Exception):
    """A call failed: `code` is what was answered, or the kind of failure; `told` our error for it.

    `lost`: the keys cannot be used until somebody acts, so the vault locks. `answered`: KMS told
    of the failure itself.
    """

    def __init__(self, code: str, told: HsmError, *, lost: bool, answered: bool) -> None:
        super().__init__(code)
        self.code = code
        self.told = told
        self.lost = lost
        self.answered = answered


class KeyKind(Enum):
    """A member's two keys: KMS's names of what they are, and ours."""

    SEALING = ("sealing", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    IDENTITY = ("identity", "ECC_NIST_P256", "SIGN_VERIFY")

    def __init__(self, word: str, spec: str, usage: str) -> None:
        self.word = word
        self.spec = spec
        self.usage = usage


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySeen:
    """What KMS tells of a key. `deleted_on` is a date, "" if its deletion is not scheduled."""

    arn: str
    state: str
    spec: str
    usage: str
    origin: str
    deleted_on: str = ""

    @property
    def enabled(self) -> bool:
        return self.state == "Enabled"


class KmsCalls(Protocol):
    """Blocking, for one thread. All raise KmsFault; what differs from the settings, HsmError."""

    def encrypt(self, context: Mapping[str, str], secret: bytes) -> bytes:
        """Wrap at most 4 KB under the sealing key, bound to the context."""
        ...

    def decrypt(self, context: Mapping[str, str], wrapped: bytes) -> bytes | None:
        """Return what `encrypt` wrapped; None if it is altered or of another context."""
        ...

    def sign(self, digest: bytes) -> bytes:
        """Sign 32 bytes with the identity key: r || s, 64 bytes."""
        ...

    def public_point(self) -> bytes:
        """Return the identity key's public point, 65 bytes."""
        ...

    def describe(self, name: str) -> KeySeen:
        """Return what is told of a key by its ARN or alias."""
        ...

    def credentials(self) -> str:
        """Return where credentials were found, in boto3's word for it; "" if nowhere."""
        ...

    def make_key(self, kind: KeyKind, tags: Mapping[str, str]) -> str:
        """Make a key with tags; return its ARN."""
        ...

    def name_key(self, alias: str, arn: str) -> None:
        """Give a key an alias."""
        ...

    def forget_name(self, alias: str) -> None:
        """Remove an alias; none is no error."""
        ...

    def tagged(self, name: str, value: str, most: int) -> dict[str, dict[str, str]]:
        """Return the keys with this tag, each with all its tags, among the account's first keys."""
        ...

    def schedule_deletion(self, arn: str, days: int) -> None:
        """Have a key deleted after so many days; until then it cannot be used."""
        ...
