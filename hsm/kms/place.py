"""Where a member's KMS keys are, checked before anything is asked there."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from console.application.errors import HsmError
from hsm.vendors import Standing

_REGION = re.compile(r"\A[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}\Z")
_ARN = re.compile(
    r"\Aarn:(?P<partition>aws|aws-cn|aws-us-gov|aws-[a-z-]{1,12}):kms:(?P<region>[a-z0-9-]{1,32}):"
    r"(?P<account>[0-9]{12}):key/(?P<key>(?:mrk-)?[0-9a-f-]{32,36})\Z"
)
_PROFILE = re.compile(r"\A[^\x00-\x1f\x7f]{1,128}\Z")
_OWN_HOST = re.compile(
    r"\A(?:vpce-[a-z0-9-]+\.)?kms(?:-fips)?\.[a-z0-9-]+(?:\.vpce)?"
    r"\.(?:amazonaws\.(?:com|com\.cn|eu)|api\.aws|api\.amazonwebservices\.com\.cn)\Z"
)
_LONGEST_URL = 256


class PlaceInvalid(HsmError):
    """The settings of a KMS vault are wrong; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsPlace:
    """The keys' ARNs and region. No credentials: those are found by boto3's own chain.

    `sealing_key` wraps data keys, `identity_key` signs; both are "" until a set-up has made them.
    With an `endpoint_url` that is not AWS's own, the vault is for tests. `profile` names one in the
    user's AWS configuration. Raises: PlaceInvalid.
    """

    region: str
    sealing_key: str = ""
    identity_key: str = ""
    endpoint_url: str = ""
    profile: str = ""

    def __post_init__(self) -> None:
        if not _REGION.match(self.region):
            raise PlaceInvalid(f"{self.region[:64]!r} is not the name of an AWS region")
        if self.profile and not _PROFILE.match(self.profile):
            raise PlaceInvalid("the name of the AWS profile has characters that it cannot have")
        accounts = {self._account_of(arn) for arn in (self.sealing_key, self.identity_key) if arn}
        if len(accounts) > 1:
            raise PlaceInvalid("the two KMS keys are in different AWS accounts")
        if self.sealing_key and self.sealing_key == self.identity_key:
            raise PlaceInvalid("the sealing key and the identity key are one; two are needed")
        if self.endpoint_url:
            _require_endpoint(self.endpoint_url)

    @property
    def whole(self) -> bool:
        """Whether both keys are named."""
        return bool(self.sealing_key and self.identity_key)

    @property
    def plain_http(self) -> bool:
        """Whether calls are not encrypted: on this machine's loopback only."""
        return urlsplit(self.endpoint_url).scheme == "http"

    @property
    def standing(self) -> Standing:
        """What is known of it: nothing was tried against the real service."""
        return Standing.UNPROVEN if is_own_endpoint(self.endpoint_url) else Standing.FOR_TESTS

    @property
    def short(self) -> str:
        """The sealing key's identifier without account and region, for the operator."""
        return self.sealing_key.rpartition("/")[2]

    def _account_of(self, arn: str) -> str:
        found = _ARN.match(arn)
        if found is None:
            raise PlaceInvalid(
                f"{arn[:128]!r} is not the ARN of a KMS key (arn:aws:kms:...:key/...)"
            )
        if found["region"] != self.region:
            raise PlaceInvalid(f"the KMS key {arn} is in another region than {self.region}")
        return found["account"]


def is_own_endpoint(url: str) -> bool:
    """Return whether an endpoint is AWS's own; none given is."""
    if not url:
        return True
    parts = urlsplit(url)
    return parts.scheme == "https" and _OWN_HOST.match(parts.hostname or "") is not None


def _require_endpoint(url: str) -> None:
    problem = "the endpoint's URL is https://HOST, or http:// on this machine's loopback address"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise PlaceInvalid(problem) from None
    # Names are not looked up: what a resolver calls localhost may be elsewhere.
    if parts.scheme == "http" and not _is_loopback(host):
        raise PlaceInvalid(problem)
    if (
        parts.scheme not in {"http", "https"}
        or not host
        or len(url) > _LONGEST_URL
        or parts.username is not None
        or parts.password is not None
        or parts.query
        or parts.fragment
        or parts.path not in {"", "/"}
    ):
        raise PlaceInvalid(problem)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
