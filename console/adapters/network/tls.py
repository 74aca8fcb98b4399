"""TLS key pairs and their pins: P-256 keys, each trusted by itself."""

import datetime as dt
import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 3650
_MAX_PEM = 16_384
_MAX_PEER_PEM = 8_192
_UNREADABLE = (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm)
"""What the library raises for bytes that are no certificate, or one of a kind it does not know."""


class TlsMaterialUnusable(Exception):
    """A key or certificate file is missing, damaged, or does not match the other."""


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """A private key and its certificate, both PEM. The key never leaves the member's directory."""

    key_pem: bytes
    certificate_pem: bytes

    def __repr__(self) -> str:
        """Show the pin only."""
        return f"<TlsIdentity {spki_pin(self.certificate_pem).hex()[:16]}>"


def create_identity(directory: Path, name: str, dns_name: str) -> TlsIdentity:
    """Create a key pair, with `dns_name` in its certificate, and write `name`.key and `name`.crt.

    Raises: FileExistsError rather than replacing a key.
    """
    identity = generate_identity(dns_name)
    directory.mkdir(parents=True, exist_ok=True)
    _write_new(directory / f"{name}.key", identity.key_pem, 0o600)
    _write_new(directory / f"{name}.crt", identity.certificate_pem, 0o644)
    return identity


def generate_identity(dns_name: str) -> TlsIdentity:
    """Generate a key pair with a self-signed certificate, as a member's entry has it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = subject_of(dns_name)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return TlsIdentity(key_pem, build_certificate(key, subject, subject))


def build_certificate(
    key: ec.EllipticCurvePrivateKey, subject: x509.Name, issuer: x509.Name, days: int = VALID_DAYS
) -> bytes:
    """Return a certificate of a key by itself, PEM, from now on for `days`.

    The subject is `subject_of` a DNS name, which stands in the certificate once more.
    """
    now = dt.datetime.now(dt.UTC)
    end = now + dt.timedelta(days=days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, end) - dt.timedelta(minutes=5))
        .not_valid_after(end)
    )
    (common_name,) = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    for extension in _extensions(str(common_name.value)):
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def load_identity(directory: Path, name: str) -> TlsIdentity:
    """Read a key pair. Raises: TlsMaterialUnusable."""
    key_pem = _read(directory / f"{name}.key")
    certificate_pem = _read(directory / f"{name}.crt")
    try:
        key = serialization.load_pem_private_key(key_pem, None)
    except (ValueError, TypeError):
        raise TlsMaterialUnusable(f"{name}.key is damaged") from None
    if _spki(key.public_key()) != spki_pin(certificate_pem):
        raise TlsMaterialUnusable(f"{name}.crt does not belong to {name}.key")
    return TlsIdentity(key_pem, certificate_pem)


def load_certificate(directory: Path, name: str) -> bytes:
    """Read a certificate without its key. Raises: TlsMaterialUnusable."""
    return _read(directory / f"{name}.crt")


def spki_pin(certificate_pem: bytes) -> bytes:
    """Return SHA-256 of the certificate's SubjectPublicKeyInfo. Raises: TlsMaterialUnusable."""
    try:
        return _spki(x509.load_pem_x509_certificate(certificate_pem).public_key())
    except _UNREADABLE:
        raise TlsMaterialUnusable("this is no certificate") from None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a link's certificate says: the pin of its key, and its last moment in UTC ms."""

    tls_pin: bytes
    ends_ms: int


@lru_cache(maxsize=1024)
def read_shown(certificate_pem: bytes) -> Shown:
    """Read a certificate as a peer showed it. Raises: TlsMaterialUnusable."""
    pin = spki_pin(certificate_pem)
    end = x509.load_pem_x509_certificate(certificate_pem).not_valid_after_utc
    return Shown(pin, int(end.timestamp()) * 1000)


def peer_pin(certificate_pem: bytes, dns_name: str) -> bytes:
    """Return the pin of a member's certificate, which must be as `create_identity` makes it.

    It becomes a root of trust beside the other members' certificates, and is read by two TLS
    libraries. So nothing is left to differ between readers: one PEM block in canonical form, the
    member's name alone, exactly the extensions of our own, signed by its own P-256 key.
    Raises: TlsMaterialUnusable.
    """
    if len(certificate_pem) > _MAX_PEER_PEM:
        raise TlsMaterialUnusable("a member's certificate has 8192 bytes at most")
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        pin = _spki(certificate.public_key())
        alike = (
            certificate.public_bytes(serialization.Encoding.PEM) == certificate_pem
            and certificate.subject == certificate.issuer == subject_of(dns_name)
            and list(certificate.extensions) == _extensions(dns_name)
        )
        certificate.verify_directly_issued_by(certificate)
    except (*_UNREADABLE, x509.DuplicateExtension, InvalidSignature):
        raise TlsMaterialUnusable("this is no certificate of a member's link") from None
    if not alike:
        raise TlsMaterialUnusable(f"the certificate is not one for {dns_name} and nothing else")
    return pin


def subject_of(dns_name: str) -> x509.Name:
    """Return the subject of a certificate for a DNS name: nothing but that."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, dns_name)])


def _extensions(dns_name: str) -> list[x509.Extension[x509.ExtensionType]]:
    values: tuple[tuple[bool, x509.ExtensionType], ...] = (
        (False, x509.SubjectAlternativeName([x509.DNSName(dns_name)])),
        (True, x509.BasicConstraints(ca=True, path_length=0)),
        (
            False,
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
        ),
    )
    return [x509.Extension(value.oid, critical, value) for critical, value in values]


def _spki(public_key: object) -> bytes:
    if not (
        isinstance(public_key, ec.EllipticCurvePublicKey)
        and isinstance(public_key.curve, ec.SECP256R1)
    ):
        raise TlsMaterialUnusable("only P-256 keys are used for links")
    der = public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).digest()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_PEM)
    except OSError:
        raise TlsMaterialUnusable(f"{path.name} cannot be read") from None


def write_anew(path: Path, data: bytes) -> None:
    """Replace a file that is no secret, whole or not at all. Raises: OSError."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    _write_new(beside, data, 0o644)
    beside.replace(path)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
