"""Certificates as a hostile member would make them."""

import datetime as dt
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificatePublicKeyTypes,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Signer = CertificateIssuerPrivateKeyTypes
Extension = tuple[x509.ExtensionType, bool]


def name(*common_names: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text) for text in common_names])


def extensions(dns_name: str) -> list[Extension]:
    """Return those that a member's certificate has."""
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return [
        (x509.SubjectAlternativeName([x509.DNSName(dns_name)]), False),
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (x509.ExtendedKeyUsage(uses), False),
    ]


def certificate(
    signer: Signer,
    subject: x509.Name,
    added: Sequence[Extension],
    *,
    issuer: x509.Name | None = None,
    key: CertificatePublicKeyTypes | None = None,
) -> bytes:
    """Return a certificate, PEM; it is the signer's own unless `key` is another's."""
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key or signer.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=30))
    )
    for value, critical in added:
        builder = builder.add_extension(value, critical)
    unhashed = isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    signed = builder.sign(signer, None if unhashed else hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def odd_signers() -> dict[str, Signer]:
    """Return a key of every kind that a certificate may have and a member's may not."""
    return {
        "rsa": rsa.generate_private_key(65537, 2048),
        "dsa": dsa.generate_private_key(2048),
        "p384": ec.generate_private_key(ec.SECP384R1()),
        "secp256k1": ec.generate_private_key(ec.SECP256K1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
        "ed448": ed448.Ed448PrivateKey.generate(),
    }
