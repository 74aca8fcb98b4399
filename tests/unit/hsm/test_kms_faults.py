"""What KMS and boto3 answer, as we understand it: in words, without theirs."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError

from console.application.errors import HsmError, KeyCheckFailed, TokenMissing
from hsm.kms.calls import Asked, KmsFault
from hsm.kms.client import point_of, raw_signature
from hsm.kms.faults import translated

KEY = "arn:aws:kms:eu-central-1:111122223333:key/12345678-90ab-cdef-1234-567890abcdef"
ASKED = Asked("Decrypt", KEY, "eu-central-1")
SECRET = "a secret in their words"
URL = {"endpoint_url": f"https://{SECRET}"}


def answered(
    code: object, *, status: int = 400, ahead_s: int = 0, operation: str = "Decrypt"
) -> KmsFault:
    date = format_datetime(datetime.now(UTC) - timedelta(seconds=ahead_s))
    response = {
        "Error": {"Code": code, "Message": SECRET},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {"date": date}},
    }
    return translated(ClientError(response, operation), ASKED)


@pytest.mark.parametrize(
    ("code", "kind", "lost", "words"),
    [
        ("NotFoundException", TokenMissing, True, "wrong ARN, account or region"),
        ("DisabledException", HsmError, True, "the key is disabled"),
        ("KMSInvalidStateException", HsmError, True, "pending deletion"),
        ("KeyUnavailableException", HsmError, False, "not available now"),
        ("InvalidKeyUsageException", HsmError, True, "another kind"),
        ("IncorrectKeyException", KeyCheckFailed, True, "another key"),
        ("AccessDeniedException", HsmError, True, "must allow kms:Decrypt"),
        ("ThrottlingException", HsmError, False, "too many requests"),
        ("LimitExceededException", HsmError, False, "too many requests"),
        ("ExpiredTokenException", HsmError, True, "have expired"),
        ("UnrecognizedClientException", HsmError, True, "not known there"),
        ("InvalidClientTokenId", HsmError, True, "not known there"),
        ("InvalidSignatureException", HsmError, True, "secret access key is wrong, or"),
        ("KMSInternalException", HsmError, False, "inside AWS"),
        ("SomethingNew", HsmError, True, "not an answer this program knows"),
    ],
)
def test_each_answer_has_one_meaning(
    code: str, kind: type[HsmError], lost: bool, words: str
) -> None:
    fault = answered(code)
    assert (type(fault.told), fault.lost, fault.answered) == (kind, lost, True)
    for part in (words, code, "Decrypt", KEY, "eu-central-1"):
        assert part in str(fault.told)
    assert SECRET not in str(fault.told)
    assert "{" not in str(fault.told)


def test_an_unknown_answer_with_a_status_above_500_may_be_tried_again() -> None:
    assert not answered("SomethingNew", status=503).lost


@pytest.mark.parametrize("code", ["InvalidSignatureException", "RequestExpired"])
@pytest.mark.parametrize("ahead_s", [-3600, 3600])
def test_a_wrong_clock_is_told_with_its_difference(code: str, ahead_s: int) -> None:
    text = str(answered(code, ahead_s=ahead_s).told)
    assert "this machine's clock differs from that of AWS by 3" in text
    assert "secret access key" not in text


def test_the_call_for_credentials_that_failed_is_named() -> None:
    text = str(answered("AccessDenied", operation="AssumeRole").told)
    assert "AWS KMS AssumeRole" in text
    assert "kms:Decrypt" not in text


@pytest.mark.parametrize("code", [f"{SECRET}\n\x1b[2J", None, 7, "x" * 5000, {}])
def test_a_code_is_short_plain_text(code: object) -> None:
    text = str(answered(code).told)
    assert len(text) < 400
    assert text.isprintable()
    assert SECRET not in text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (boto.NoCredentialsError(), "no usable credentials"),
        (boto.PartialCredentialsError(provider=SECRET, cred_var=SECRET), "no usable credentials"),
        (boto.ProfileNotFound(profile=SECRET), "no usable credentials"),
        (boto.CredentialRetrievalError(provider=SECRET, error_msg=SECRET), "no usable credent"),
        (boto.UnauthorizedSSOTokenError(), "no usable credentials"),
        (boto.ConnectTimeoutError(**URL), "no answer came in time"),
        (boto.ReadTimeoutError(**URL), "no answer came in time"),
        (boto.SSLError(**URL, error=SECRET), "certificate was not accepted"),
        (boto.EndpointConnectionError(**URL, error=SECRET), "is not reached"),
        (boto.ConnectionClosedError(**URL), "is not reached"),
        (boto.ProxyConnectionError(proxy_url=SECRET, error=SECRET), "is not reached"),
        (boto.ParamValidationError(report=SECRET), "does not know why"),
        (ValueError(SECRET), "does not know why"),
    ],
)
def test_each_failure_is_told_without_its_text(error: Exception, words: str) -> None:
    fault = translated(error, ASKED)
    assert fault.lost
    assert not fault.answered
    assert words in str(fault.told)
    assert type(error).__name__ in str(fault.told)
    assert SECRET not in str(fault.told)


@pytest.mark.parametrize(
    "der",
    [
        "",
        "3006020100020101",  # r = 0
        "30060201010201ff",  # s < 0
        "3007020200010201ff",
        "300602010102010100",  # a byte too many
        "30810602010102 0101".replace(" ", ""),  # a length in a longer form
        "3026022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551020101",
    ],
)
def test_a_signature_that_is_not_strict_der_is_refused(der: str) -> None:
    with pytest.raises(HsmError, match="signature"):
        raw_signature(bytes.fromhex(der))


def test_a_signature_of_der_becomes_64_bytes() -> None:
    assert raw_signature(bytes.fromhex("3006020101020102")) == bytes(31) + b"\1" + bytes(31) + b"\2"


@pytest.mark.parametrize("der", [b"", b"no key", bytes(91)])
def test_what_is_no_public_key_is_refused(der: bytes) -> None:
    with pytest.raises(HsmError, match="public key"):
        point_of(der)
