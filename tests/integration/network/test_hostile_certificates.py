"""A member's certificate is a root of trust for the others: nothing odd gets in, and none escapes.

Every certificate here is refused by `MachineUnusable` and by nothing else.
"""

import base64
import random
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding

from console.adapters.clock import SystemClock
from console.adapters.network.grpc_peers import GrpcNetwork, tls_name
from console.adapters.network.tls import TlsIdentity, create_identity, peer_pin, spki_pin
from console.application.ports.link_keys import MachineUnusable
from console.domain.ids import MemberId
from tests.integration.network.certificates import certificate, extensions, name, odd_signers

ANA, EVE = MemberId("ana"), MemberId("eve")
EVES = tls_name(EVE)
KEY = ec.generate_private_key(ec.SECP256R1())
GOOD = certificate(KEY, name(EVES), extensions(EVES))


@pytest.fixture(scope="module")
def ana(tmp_path_factory: pytest.TempPathFactory) -> GrpcNetwork:
    own = create_identity(tmp_path_factory.mktemp("ana"), "peer", tls_name(ANA))
    return GrpcNetwork(ANA, "127.0.0.1:0", own, (), SystemClock())


def pem_of(der: bytes) -> bytes:
    text = base64.encodebytes(der).replace(b"\n", b"")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    body = b"\n".join(lines)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"\n-----END CERTIFICATE-----\n"


def der_of(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def versioned(version: int) -> bytes:
    """Return the good certificate with another version number, which no library expects."""
    der = der_of(GOOD)
    marked = bytes.fromhex("a003020102")
    assert der.count(marked) == 1
    return pem_of(der.replace(marked, marked[:-1] + bytes([version])))


def test_a_certificate_of_our_own_making_is_pinned(ana: GrpcNetwork, tmp_path: Path) -> None:
    made = create_identity(tmp_path, "eve", EVES)
    assert ana.pin_of(EVE, made.certificate_pem) == spki_pin(made.certificate_pem)
    assert peer_pin(GOOD, EVES) == spki_pin(GOOD)


@pytest.mark.parametrize("kind", ["rsa", "dsa", "p384", "secp256k1", "ed25519", "ed448"])
def test_another_kind_of_key_is_refused(ana: GrpcNetwork, kind: str) -> None:
    odd = certificate(odd_signers()[kind], name(EVES), extensions(EVES))
    with pytest.raises(MachineUnusable):
        ana.pin_of(EVE, odd)


def test_a_key_that_cannot_sign_is_refused(ana: GrpcNetwork) -> None:
    agreement = x25519.X25519PrivateKey.generate().public_key()
    with pytest.raises(MachineUnusable):
        ana.pin_of(EVE, certificate(KEY, name(EVES), extensions(EVES), key=agreement))


@pytest.mark.parametrize("version", [0, 1, 3, 4, 127])
def test_another_version_is_refused(ana: GrpcNetwork, version: int) -> None:
    with pytest.raises(MachineUnusable):
        ana.pin_of(EVE, versioned(version))


ANAS = tls_name(ANA)
_SAN = x509.SubjectAlternativeName
ODD = {
    "the victim's subject": certificate(KEY, name(ANAS), extensions(EVES)),
    "the victim's alternative name": certificate(KEY, name(EVES), extensions(ANAS)),
    "both names": certificate(KEY, name(ANAS, EVES), extensions(EVES)),
    "a second name": certificate(KEY, name(EVES, EVES), extensions(EVES)),
    "one alternative name more": certificate(
        KEY,
        name(EVES),
        [(_SAN([x509.DNSName(EVES), x509.DNSName(ANAS)]), False), *extensions(EVES)[1:]],
    ),
    "a wildcard": certificate(
        KEY, name(EVES), [(_SAN([x509.DNSName("*.quorate")]), False), *extensions(EVES)[1:]]
    ),
    "no alternative name": certificate(KEY, name(EVES), extensions(EVES)[1:]),
    "no extension": certificate(KEY, name(EVES), []),
    "an extension more": certificate(
        KEY,
        name(EVES),
        [
            *extensions(EVES),
            (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True),
        ],
    ),
    "a longer path": certificate(
        KEY,
        name(EVES),
        [
            extensions(EVES)[0],
            (x509.BasicConstraints(ca=True, path_length=5), True),
            extensions(EVES)[2],
        ],
    ),
    "an issuer": certificate(KEY, name(EVES), extensions(EVES), issuer=name(ANAS)),
    "somebody else's signature": certificate(
        ec.generate_private_key(ec.SECP256R1()), name(EVES), extensions(EVES), key=KEY.public_key()
    ),
    "a second block": GOOD + GOOD,
    "a second, broken block": GOOD + b"-----BEGIN CERTIFICATE-----\nAAAA\n",
    "a second block of another kind": GOOD + b"-----BEGIN PRIVATE KEY-----\n",
    "text before it": b"Certificate:\n" + GOOD,
    "text after it": GOOD + b"\n",
    "other line ends": GOOD.replace(b"\n", b"\r\n"),
    "one long line": GOOD.replace(b"\n", b"", 5),
    "another label": GOOD.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"),
    "no certificate": b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "nothing": b"",
    "zeros": bytes(64),
    "too long": GOOD + b"\n" * 9000,
    "a cut end": pem_of(der_of(GOOD)[:-1]),
    "bytes after its end": pem_of(der_of(GOOD) + b"\x00"),
    "a key off the curve": pem_of(
        der_of(GOOD).replace(KEY.public_key().public_numbers().y.to_bytes(32, "big"), b"\x01" * 32)
    ),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_an_odd_certificate_is_refused(ana: GrpcNetwork, odd: bytes) -> None:
    with pytest.raises(MachineUnusable):
        ana.pin_of(EVE, odd)


def test_no_changed_byte_is_accepted_and_nothing_unexpected_is_raised(ana: GrpcNetwork) -> None:
    der, chance = der_of(GOOD), random.Random(20)  # noqa: S311
    for at in range(len(der)):
        changed = der[:at] + bytes([der[at] ^ chance.randrange(1, 256)]) + der[at + 1 :]
        with pytest.raises(MachineUnusable):
            ana.pin_of(EVE, pem_of(changed))


def test_bytes_inserted_and_left_out_are_refused(ana: GrpcNetwork) -> None:
    der, chance = der_of(GOOD), random.Random(21)  # noqa: S311
    for _ in range(500):
        at, length = chance.randrange(len(der)), chance.randrange(1, 40)
        for changed in (der[:at] + chance.randbytes(length) + der[at:], der[:at] + der[at + 1 :]):
            with pytest.raises(MachineUnusable):
                ana.pin_of(EVE, pem_of(changed))


def test_a_key_under_another_name_is_the_same_key(ana: GrpcNetwork) -> None:
    own = ana.identity.certificate_pem
    assert isinstance(ana.identity, TlsIdentity)
    assert spki_pin(own) != spki_pin(GOOD)
    twin = certificate(KEY, name(ANAS), extensions(ANAS))
    assert peer_pin(twin, ANAS) == peer_pin(GOOD, EVES)
