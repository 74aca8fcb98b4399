"""KmsClient: the calls to AWS KMS through boto3, each with its limits, each answer checked.

Imported by name when a vault first needs it: boto3 takes a while, and most vaults have no KMS.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from console.application.errors import HsmError, KeyCheckFailed
from hsm.kms.calls import Asked, CallTimes, KeyKind, KeySeen, KmsFault
from hsm.kms.faults import translated
from hsm.kms.place import KmsPlace

# What goes through these loggers may be what is sealed.
logging.getLogger("boto3").setLevel(logging.CRITICAL)
logging.getLogger("botocore").setLevel(logging.CRITICAL)

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of P-256's group."""
_LONGEST_WRAPPED = 900
_PAGE = 100


class KmsClient:
    """Implements `KmsCalls`. Blocking, for one thread."""

    def __init__(self, place: KmsPlace, times: CallTimes) -> None:
        self._place = place
        self._times = times
        self._session: Any = None
        self._client: Any = None

    def encrypt(self, context: Mapping[str, str], secret: bytes) -> bytes:
        """Wrap a secret under the sealing key, bound to the context."""
        key = self._place.sealing_key
        answer = self._ask(
            "Encrypt", key, KeyId=key, Plaintext=secret, EncryptionContext=dict(context)
        )
        self._require_key(answer, key, "Encrypt")
        return self._bytes(answer, "CiphertextBlob", "Encrypt", _LONGEST_WRAPPED)

    def decrypt(self, context: Mapping[str, str], wrapped: bytes) -> bytes | None:
        """Return what `encrypt` wrapped; None if it is altered or of another context."""
        key = self._place.sealing_key
        if not 1 <= len(wrapped) <= _LONGEST_WRAPPED:
            return None
        try:
            answer = self._ask(
                "Decrypt", key, KeyId=key, CiphertextBlob=wrapped, EncryptionContext=dict(context)
            )
        except KmsFault as fault:
            if fault.code == "InvalidCiphertextException":
                return None
            raise
        self._require_key(answer, key, "Decrypt")
        return self._bytes(answer, "Plaintext", "Decrypt", _LONGEST_WRAPPED)

    def sign(self, digest: bytes) -> bytes:
        """Sign 32 bytes with the identity key: r || s, 64 bytes."""
        key = self._place.identity_key
        answer = self._ask(
            "Sign",
            key,
            KeyId=key,
            Message=digest,
            MessageType="DIGEST",
            SigningAlgorithm="ECDSA_SHA_256",
        )
        self._require_key(answer, key, "Sign")
        return raw_signature(self._bytes(answer, "Signature", "Sign", 72))

    def public_point(self) -> bytes:
        """Return the identity key's public point, 65 bytes."""
        key = self._place.identity_key
        answer = self._ask("GetPublicKey", key, KeyId=key)
        self._require_key(answer, key, "GetPublicKey")
        return point_of(self._bytes(answer, "PublicKey", "GetPublicKey", 512))

    def describe(self, name: str) -> KeySeen:
        """Return what is told of a key by its ARN or alias."""
        told = self._ask("DescribeKey", name, KeyId=name).get("KeyMetadata")
        if not isinstance(told, dict):
            raise self._nonsense("DescribeKey", "KeyMetadata")
        deleted_on = told.get("DeletionDate")
        return KeySeen(
            arn=str(told.get("Arn", ""))[:256],
            state=str(told.get("KeyState", ""))[:64],
            spec=str(told.get("KeySpec", ""))[:64],
            usage=str(told.get("KeyUsage", ""))[:64],
            origin=str(told.get("Origin", ""))[:64],
            deleted_on=f"{deleted_on:%Y-%m-%d}" if hasattr(deleted_on, "strftime") else "",
        )

    def credentials(self) -> str:
        """Return where credentials were found, in boto3's word for it; "" if nowhere."""
        found = self._guarded("credentials", "this machine", self._find_credentials)
        return "" if found is None else str(found.method)[:64]

    def make_key(self, kind: KeyKind, tags: Mapping[str, str]) -> str:
        """Make a key with tags; return its ARN."""
        answer = self._ask(
            "CreateKey",
            f"a new {kind.word} key",
            KeySpec=kind.spec,
            KeyUsage=kind.usage,
            Description=f"Quorate: {kind.word} key of a member",
            Tags=[{"TagKey": name, "TagValue": value} for name, value in tags.items()],
        )
        arn = (answer.get("KeyMetadata") or {}).get("Arn")
        if not isinstance(arn, str):
            raise self._nonsense("CreateKey", "Arn")
        return arn

    def name_key(self, alias: str, arn: str) -> None:
        """Give a key an alias."""
        self._ask("CreateAlias", arn, AliasName=alias, TargetKeyId=arn)

    def forget_name(self, alias: str) -> None:
        """Remove an alias; none is no error."""
        try:
            self._ask("DeleteAlias", alias, AliasName=alias)
        except KmsFault as fault:
            if fault.code != "NotFoundException":
                raise

    def tagged(self, name: str, value: str, most: int) -> dict[str, dict[str, str]]:
        """Return the keys with this tag, each with all its tags, among the account's first keys."""
        found: dict[str, dict[str, str]] = {}
        more: dict[str, object] = {}
        seen = 0
        while seen < most:
            page = self._ask("ListKeys", "all keys", Limit=_PAGE, **more)
            arns = [str(key["KeyArn"]) for key in page.get("Keys", ()) if "KeyArn" in key]
            for arn in arns:
                tags = self._tags(arn)
                if tags.get(name) == value:
                    found[arn] = tags
            seen += len(arns)
            if not page.get("Truncated") or not arns:
                break
            more = {"Marker": page.get("NextMarker", "")}
        return found

    def schedule_deletion(self, arn: str, days: int) -> None:
        """Have a key deleted after so many days; until then it cannot be used."""
        # By the identifier alone: keys of other accounts are not ours to delete.
        key = arn.rpartition("/")[2]
        self._ask("ScheduleKeyDeletion", arn, KeyId=key, PendingWindowInDays=days)

    def _tags(self, arn: str) -> dict[str, str]:
        try:
            told = self._ask("ListResourceTags", arn, KeyId=arn, Limit=50).get("Tags", ())
        except KmsFault as fault:
            # Keys of others: what is not ours to see is not ours.
            if fault.code in {"AccessDeniedException", "NotFoundException"}:
                return {}
            raise
        return {str(tag.get("TagKey")): str(tag.get("TagValue")) for tag in told}

    def _ask(self, operation: str, about: str, **what: object) -> dict[str, Any]:
        answer = self._guarded(operation, about, lambda: self._made(operation, what))
        if not isinstance(answer, dict):
            raise self._nonsense(operation, "answer")
        return answer

    def _made(self, operation: str, what: dict[str, object]) -> Any:
        if self._client is None:
            self._client = self._connected()
        # boto3's own name of it: GetPublicKey is get_public_key.
        name = "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_")
        return getattr(self._client, name)(**what)

    def _guarded(self, operation: str, about: str, work: Callable[[], Any]) -> Any:
        asked = Asked(operation, about, self._place.region)
        try:
            return work()
        # Credentials are found by other programs and files, and answers may be of any form: both
        # fail in ways of their own, which must end no task.
        except Exception as error:  # noqa: BLE001
            fault = translated(error, asked)
        # Raised outside the handler, so that it references no frame that has what was sealed.
        raise fault

    def _connected(self) -> Any:
        times = self._times
        limits = Config(
            connect_timeout=times.connect_s,
            read_timeout=times.read_s,
            retries={"mode": "standard", "total_max_attempts": times.attempts},
            # Where calls go is in the member's settings only, whatever else this user has set.
            ignore_configured_endpoint_urls=True,
            proxies={} if self._place.plain_http else None,
            max_pool_connections=1,
            tcp_keepalive=True,
        )
        return self._found_session().client(
            "kms",
            region_name=self._place.region,
            endpoint_url=self._place.endpoint_url or None,
            config=limits,
        )

    def _find_credentials(self) -> Any:
        return self._found_session().get_credentials()

    def _found_session(self) -> Any:
        if self._session is None:
            core = botocore.session.Session(profile=self._place.profile or None)
            # This user's own descriptions of services (~/.aws/models, AWS_DATA_PATH) would send
            # calls elsewhere, whatever endpoint is told.
            loader = Loader(
                extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False
            )
            core.register_component("data_loader", loader)
            self._session = boto3.session.Session(
                botocore_session=core, region_name=self._place.region
            )
        return self._session

    def _require_key(self, answer: dict[str, Any], key: str, operation: str) -> None:
        if answer.get("KeyId") != key:
            raise KeyCheckFailed(
                f"AWS KMS {operation} was done with another key than {key}, which was asked for"
            )

    def _bytes(self, answer: dict[str, Any], name: str, operation: str, most: int) -> bytes:
        value = answer.get(name)
        if not isinstance(value, bytes) or not 1 <= len(value) <= most:
            raise self._nonsense(operation, name)
        return value

    def _nonsense(self, operation: str, name: str) -> HsmError:
        return HsmError(
            f"AWS KMS {operation} (region {self._place.region}) was answered without a fit {name}"
        )


def raw_signature(der: bytes) -> bytes:
    """Return a signature's r || s, 64 bytes; strict. Raises: HsmError."""
    try:
        r, s = decode_dss_signature(der)
    except ValueError:
        r = s = 0
    if not (0 < r < _ORDER and 0 < s < _ORDER) or encode_dss_signature(r, s) != der:
        raise HsmError("AWS KMS answered with a signature that is none of P-256 in DER")
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def point_of(der: bytes) -> bytes:
    """Return the uncompressed P-256 point of a public key in DER. Raises: HsmError."""
    try:
        key = serialization.load_der_public_key(der)
    except Exception:  # noqa: BLE001 - the library has several errors for bytes that are no key.
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise HsmError("AWS KMS answered with a public key that is none of P-256")
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
