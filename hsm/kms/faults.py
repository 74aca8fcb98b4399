"""What AWS KMS and boto3 answer when something fails, as ours: one table, used around every call.

Their texts are not quoted: they may hold what was asked. Error codes and types are.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore import exceptions as boto
from botocore.exceptions import ClientError

from console.application.errors import HsmError, KeyCheckFailed, TokenMissing
from hsm.kms.calls import Asked, KmsFault

_CODE = re.compile(r"[^A-Za-z0-9._-]")
_MOST_SKEW_S = 240


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What an answer means, in words. `lost`: the keys cannot be used until somebody acts."""

    words: str
    lost: bool = True
    kind: type[HsmError] = HsmError


_ACCESS = _Meaning("the credentials do not permit it; the key's policy must allow kms:{operation}")
_UNKNOWN_CREDENTIALS = _Meaning(
    "the credentials are not known there: wrong ones, withdrawn ones, or of another kind of account"
)
_EXPIRED = _Meaning("the credentials have expired; renew them")
_THROTTLED = _Meaning("too many requests; wait, and try again", lost=False)
_INSIDE = _Meaning("it failed inside AWS; try again", lost=False)
_SIGNATURE = _Meaning("the secret access key is wrong, or this machine's clock is")
_CLOCK = _Meaning("this machine's clock differs from that of AWS by {skew} s; set it right")
_ANSWERS = {
    "NotFoundException": _Meaning(
        "there is no such key for these credentials in this region: a wrong ARN, account or "
        "region, or the key was deleted",
        kind=TokenMissing,
    ),
    "DisabledException": _Meaning("the key is disabled; enable it"),
    "KMSInvalidStateException": _Meaning(
        "the key is pending deletion, or in another state in which it is not used; cancel its "
        "deletion while there is time"
    ),
    "KeyUnavailableException": _Meaning("the key is not available now; try again", lost=False),
    "InvalidKeyUsageException": _Meaning("the key is of another kind than is needed"),
    "IncorrectKeyException": _Meaning("it was sealed by another key", kind=KeyCheckFailed),
    "InvalidCiphertextException": _Meaning("it does not open", lost=False),
    "AccessDeniedException": _ACCESS,
    "AccessDenied": _ACCESS,
    "ThrottlingException": _THROTTLED,
    "Throttling": _THROTTLED,
    "LimitExceededException": _THROTTLED,
    "RequestLimitExceeded": _THROTTLED,
    "TooManyRequestsException": _THROTTLED,
    "ExpiredTokenException": _EXPIRED,
    "ExpiredToken": _EXPIRED,
    "UnrecognizedClientException": _UNKNOWN_CREDENTIALS,
    "InvalidClientTokenId": _UNKNOWN_CREDENTIALS,
    "MissingAuthenticationToken": _UNKNOWN_CREDENTIALS,
    "MissingAuthenticationTokenException": _UNKNOWN_CREDENTIALS,
    "IncompleteSignature": _UNKNOWN_CREDENTIALS,
    "InvalidSignatureException": _SIGNATURE,
    "SignatureDoesNotMatch": _SIGNATURE,
    "RequestExpired": _SIGNATURE,
    "RequestTimeTooSkewed": _SIGNATURE,
    "DependencyTimeoutException": _INSIDE,
    "KMSInternalException": _INSIDE,
    "InternalFailure": _INSIDE,
    "ServiceUnavailable": _INSIDE,
    "ServiceUnavailableException": _INSIDE,
}
_UNKNOWN_ANSWER = _Meaning("that is not an answer this program knows")

_NO_CREDENTIALS = _Meaning(
    "no usable credentials were found in the environment, the AWS configuration or this machine's "
    "role"
)
_SLOW = _Meaning("no answer came in time; check the network")
_AWAY = _Meaning("it is not reached; check the network, its name service and its proxy")
_TLS = _Meaning("the other side's certificate was not accepted; check the network and the clock")
# The first that fits counts.
_FAILURES: tuple[tuple[tuple[type[Exception], ...], _Meaning], ...] = (
    (
        (
            boto.NoCredentialsError,
            boto.PartialCredentialsError,
            boto.CredentialRetrievalError,
            boto.MetadataRetrievalError,
            boto.ProfileNotFound,
            boto.ConfigNotFound,
            boto.ConfigParseError,
            boto.InvalidConfigError,
            boto.UnknownCredentialError,
            boto.RefreshWithMFAUnsupportedError,
            boto.MissingDependencyException,
            boto.NoAuthTokenError,
            boto.TokenRetrievalError,
            boto.SSOError,
            boto.LoginError,
        ),
        _NO_CREDENTIALS,
    ),
    ((boto.ConnectTimeoutError, boto.ReadTimeoutError), _SLOW),
    ((boto.SSLError,), _TLS),
    ((boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError), _AWAY),
)
_UNKNOWN_FAILURE = _Meaning("this program does not know why")


def translated(error: Exception, asked: Asked) -> KmsFault:
    """Return our fault for boto3's or KMS's, without its text."""
    if isinstance(error, ClientError):
        return _answered(error, asked)
    name = _CODE.sub("", type(error).__name__)[:64]
    meaning = next((m for kinds, m in _FAILURES if isinstance(error, kinds)), _UNKNOWN_FAILURE)
    text = f"{asked.words} failed with {name}: {meaning.words}"
    return KmsFault(name, meaning.kind(text), lost=meaning.lost, answered=False)


def _answered(error: ClientError, asked: Asked) -> KmsFault:
    response: dict[str, Any] = error.response
    code = _CODE.sub("", str(response.get("Error", {}).get("Code", "")))[:64] or "nothing"
    facts = response.get("ResponseMetadata", {})
    status = facts.get("HTTPStatusCode", 0)
    unknown = _INSIDE if isinstance(status, int) and status >= 500 else _UNKNOWN_ANSWER
    meaning = _ANSWERS.get(code, unknown)
    skew_s = _skew_s(facts.get("HTTPHeaders", {}))
    if meaning is _SIGNATURE and abs(skew_s) > _MOST_SKEW_S:
        meaning = _CLOCK
    # Credentials may be fetched by a call of their own, which is then the one that failed.
    operation = _CODE.sub("", str(error.operation_name))[:64] or asked.operation
    words = meaning.words.format(operation=operation, skew=abs(skew_s))
    told = meaning.kind(f"{asked.of(operation).words} was answered with {code}: {words}")
    return KmsFault(code, told, lost=meaning.lost, answered=True)


def _skew_s(headers: dict[str, str]) -> int:
    """Return by how many seconds this clock is ahead of an answer's date, 0 if it has none."""
    try:
        told = parsedate_to_datetime(headers["date"])
        return int((datetime.now(UTC) - told).total_seconds())
    except (KeyError, ValueError, TypeError, OverflowError):
        return 0
