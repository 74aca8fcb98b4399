from dataclasses import replace

import pytest

from console.protocols.keygen.certificate import (
    Certificate,
    CertificateIncomplete,
    certificate_message,
)
from tests.adversary.keys import dealt

PUBLIC = dealt(2, 3)[1].public
FIELDS = {
    "session_id": b"s" * 32,
    "key_id": "key",
    "epoch": 1,
    "transcript": b"t" * 32,
    "public": PUBLIC,
}
MESSAGE = certificate_message(**FIELDS)


class SignatureWrong(Exception):
    pass


def verify_one(index: int, message: bytes, signature: bytes) -> None:
    if signature != b"%d" % index + message[-4:]:
        raise SignatureWrong


def signed(*parties: int) -> Certificate:
    return Certificate(MESSAGE, tuple((i, b"%d" % i + MESSAGE[-4:]) for i in parties))


def test_certificate_of_all_parties_is_accepted() -> None:
    signed(1, 2, 3).verify([3, 1, 2], verify_one)


@pytest.mark.parametrize("signers", [(), (1, 2), (1, 2, 2), (1, 2, 3, 4), (2, 1, 3), (1, 2, 3, 3)])
def test_certificate_needs_each_party_once(signers) -> None:
    with pytest.raises(CertificateIncomplete):
        signed(*signers).verify([1, 2, 3], verify_one)
    with pytest.raises(CertificateIncomplete):
        signed().verify([], verify_one)


def test_certificate_with_a_wrong_signature_is_refused() -> None:
    good = signed(1, 2, 3)
    for bad in (
        replace(good, signatures=(*good.signatures[:2], (3, b"forged"))),
        replace(good, message=good.message[:-1] + b"?"),
    ):
        with pytest.raises(SignatureWrong):
            bad.verify([1, 2, 3], verify_one)


@pytest.mark.parametrize(
    "changes",
    [
        {"session_id": b"x" * 32},
        {"key_id": "other"},
        {"epoch": 2},
        {"epoch": 0},
        {"transcript": b"x" * 32},
        {"public": replace(PUBLIC, threshold=3)},
        {"public": replace(PUBLIC, group_key=bytes(32))},
        {"public": replace(PUBLIC, chain_code=b"c" * 32)},
        {"public": replace(PUBLIC, public_shares=PUBLIC.public_shares[:2])},
        {"public": replace(PUBLIC, group_name="other")},
    ],
    ids=str,
)
def test_certificate_message_covers_every_field(changes) -> None:
    assert certificate_message(**{**FIELDS, **changes}) != MESSAGE


@pytest.mark.parametrize("changes", [{"session_id": b""}, {"transcript": b""}, {"epoch": -1}])
def test_certificate_message_refuses_what_cannot_be(changes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        certificate_message(**{**FIELDS, **changes})
