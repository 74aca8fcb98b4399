"""Trust in a key and not in one certificate: each pinned key is a trust anchor of its own.

A trust anchor is a name and a public key (RFC 5280, section 6.1.1 (d)); the TLS library wants it
as a certificate. Each node makes that of its peers' keys itself, named by the key's pin, and
never sends it. What a peer then shows is any certificate that its key has issued under that name:
it may be renewed as often as its owner likes, and two keys of one member stand side by side,
which two self-signed certificates with one subject cannot.
"""

import datetime as dt
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from console.adapters.network.tls import (
    VALID_DAYS,
    TlsIdentity,
    TlsMaterialUnusable,
    build_certificate,
    spki_pin,
    subject_of,
)

_BEGINNING = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_END = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


@lru_cache(maxsize=1024)
def anchor_of(certificate_pem: bytes) -> bytes:
    """Return the trust anchor of a certificate's key, PEM. Raises: TlsMaterialUnusable.

    Its own signature is by nobody: of a trust anchor only name and key are read.
    """
    name = _name_of(spki_pin(certificate_pem))
    key = x509.load_pem_x509_certificate(certificate_pem).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TlsMaterialUnusable("only P-256 keys are used for links")
    anchor = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key)
        .serial_number(1)
        .not_valid_before(_BEGINNING)
        .not_valid_after(_END)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    return anchor.public_bytes(serialization.Encoding.PEM)


def renewed(identity: TlsIdentity, dns_name: str, days: int = VALID_DAYS) -> TlsIdentity:
    """Return the same key with a fresh certificate under its anchor, valid for `days`."""
    key = serialization.load_pem_private_key(identity.key_pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TlsMaterialUnusable("only P-256 keys are used for links")
    issuer = _name_of(spki_pin(identity.certificate_pem))
    issued = build_certificate(key, subject_of(dns_name), issuer, days=days)
    return TlsIdentity(identity.key_pem, issued)


def _name_of(pin: bytes) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, pin.hex())])
