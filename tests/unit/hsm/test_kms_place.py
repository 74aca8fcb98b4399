"""Where KMS keys may be: ARNs of one account in the named region, and endpoints that are AWS's."""

from dataclasses import replace

import pytest

from hsm.kms.place import KmsPlace, PlaceInvalid, is_own_endpoint
from hsm.vendors import Standing

KEY = "12345678-90ab-cdef-1234-567890abcdef"
SEALING = f"arn:aws:kms:eu-central-1:111122223333:key/{KEY}"
IDENTITY = f"arn:aws:kms:eu-central-1:111122223333:key/mrk-{KEY.replace('-', '')}"
PLACE = KmsPlace(region="eu-central-1", sealing_key=SEALING, identity_key=IDENTITY)


def test_keys_of_one_account_and_region_are_taken() -> None:
    assert PLACE.whole
    assert PLACE.short == KEY
    assert PLACE.standing is Standing.UNPROVEN
    for region in ("us-gov-west-1", "us-iso-east-1", "eusc-de-east-1", "ap-southeast-2"):
        assert not KmsPlace(region=region).whole


@pytest.mark.parametrize(
    "arn",
    [
        KEY,
        "alias/quorate",
        SEALING.replace(":key/", ":alias/"),
        SEALING.replace("kms", "iam"),
        SEALING + "\n",
        SEALING.replace("111122223333", "11112222333"),
        SEALING.replace("eu-central-1", "eu-west-1"),
        SEALING.replace("111122223333", "999922223333"),
        IDENTITY,
    ],
)
def test_other_keys_are_refused(arn: str) -> None:
    with pytest.raises(PlaceInvalid):
        replace(PLACE, sealing_key=arn)


@pytest.mark.parametrize("region", ["", "eu", "eu-central", "EU-CENTRAL-1", "eu-central-1.evil"])
def test_what_is_no_region_is_refused(region: str) -> None:
    with pytest.raises(PlaceInvalid):
        KmsPlace(region=region)


@pytest.mark.parametrize("profile", ["a\nb", "\x00", "x" * 129])
def test_what_is_no_profile_is_refused(profile: str) -> None:
    with pytest.raises(PlaceInvalid):
        replace(PLACE, profile=profile)


@pytest.mark.parametrize(
    "url",
    [
        "http://kms.eu-central-1.amazonaws.com",
        "http://localhost:4566",
        "http://10.0.0.1:4566",
        "ftp://127.0.0.1",
        "https://",
        "https://user:word@kms.eu-central-1.amazonaws.com",
        "https://kms.eu-central-1.amazonaws.com/path",
        "https://kms.eu-central-1.amazonaws.com?x",
        "https://kms.eu-central-1.amazonaws.com:port",
        "https://[::1",
    ],
)
def test_endpoints_without_encryption_or_with_more_than_a_host_are_refused(url: str) -> None:
    with pytest.raises(PlaceInvalid):
        replace(PLACE, endpoint_url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:5000", "http://[::1]:5000", "HTTP://127.0.0.1"])
def test_loopback_may_be_without_encryption_and_is_for_tests(url: str) -> None:
    place = replace(PLACE, endpoint_url=url)
    assert place.plain_http
    assert place.standing is Standing.FOR_TESTS


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("", True),
        ("https://kms.eu-central-1.amazonaws.com", True),
        ("https://kms-fips.us-east-1.amazonaws.com", True),
        ("https://kms.cn-north-1.amazonaws.com.cn", True),
        ("https://kms.eu-central-1.api.aws", True),
        ("https://vpce-0a1b-2c3d.kms.eu-central-1.vpce.amazonaws.com", True),
        ("https://kms.eu-central-1.amazonaws.com.example.org", False),
        ("https://kms-evil.s3.eu-central-1.amazonaws.com", False),
        ("https://kms.s3.amazonaws.com.", False),
        ("https://example.org", False),
        ("http://kms.eu-central-1.amazonaws.com", False),
    ],
)
def test_only_aws_s_own_endpoints_are_not_for_tests(url: str, own: bool) -> None:
    assert is_own_endpoint(url) is own
