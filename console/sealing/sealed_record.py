"""Sealed records: the encoding and the files of shares, for every vault.

A share record is `version(1) | header length(2) | header | envelope`; the header is the label in
clear. In records of version 1 the vault's own `nonce(12) | ciphertext | tag(16)` stands in place of
the envelope; in those of version 3 the number of the method that sealed the envelope's key stands
before it. Records of version 1, or of another method than the vault's, are sealed anew when they
are opened. A wrapped secret is `version(1) | nonce(12) | ciphertext | tag(16)`; one of version 3 is
`version(1) | method(1) | envelope`.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

import structlog

from console.application.errors import HsmError, SealBroken, ShareUnavailable, ShareUnreadable
from console.application.ports.share_storage import SEAL_VERSION, ShareLabel
from console.domain.ids import MemberId, WalletId
from console.domain.values import SignatureKind
from console.protocols.kernel.secret import SecretBytes
from console.sealing.envelope import MAX_OVERHEAD, open_envelope, seal_envelope
from console.sealing.sealer import OWN_GCM, SEAL_OVERHEAD, Sealer, length_prefixed

MAX_SHARE = 1 << 20
MAX_WRAPPED = 512
MAX_HEADER = 512
MAX_RECORD = 4 + MAX_HEADER + MAX_OVERHEAD + MAX_SHARE
MAX_WRAPPED_BLOB = 2 + MAX_OVERHEAD + MAX_WRAPPED

DIRECT, ENVELOPE, NAMED = SEAL_VERSION, 2, 3
"""The versions of a record: sealed by the vault itself; under a key that it sealed by GCM with a
nonce of ours; under a key that it sealed by the method that the record names."""

log = structlog.get_logger(__name__)

_SHARE_DOMAIN = b"quorate/share"
_WRAP_DOMAIN = b"quorate/wrap"


def share_associated_data(label: ShareLabel, version: int = ENVELOPE) -> bytes:
    """Return a share's associated data: purpose, version, and every field of the label."""
    return length_prefixed(_SHARE_DOMAIN, bytes([version]), _encode_label(label))


def wrap_associated_data(member: MemberId, purpose: str, version: int = DIRECT) -> bytes:
    """Return a wrapped secret's associated data."""
    if not 1 <= len(purpose) <= 64:
        raise ValueError("a purpose has 1 to 64 characters")
    return length_prefixed(_WRAP_DOMAIN, bytes([version]), member.encode(), purpose.encode("utf-8"))


class ShareRecord(NamedTuple):
    """A decoded share record: its version, its label, and what is sealed."""

    version: int
    label: ShareLabel
    sealed: bytes


def encode_share_record(label: ShareLabel, sealed: bytes, version: int = ENVELOPE) -> bytes:
    """Encode a share record from its label and its sealed bytes."""
    header = _encode_label(label)
    return struct.pack(">BH", version, len(header)) + header + sealed


def decode_share_record(record: bytes) -> ShareRecord:
    """Return version, label and sealed bytes; strict. Raises: SealBroken."""
    if not 3 + SEAL_OVERHEAD < len(record) <= MAX_RECORD:
        raise SealBroken("a share record has an impossible size")
    version, header_size = struct.unpack_from(">BH", record)
    if version not in {DIRECT, ENVELOPE, NAMED}:
        raise SealBroken(f"a share record has version {version}, which is not known here")
    body = 3 + header_size
    if header_size > MAX_HEADER or len(record) <= body + SEAL_OVERHEAD:
        raise SealBroken("a share record is cut off")
    return ShareRecord(version, _decode_label(record[3:body]), record[body:])


def record_name(label: ShareLabel) -> str:
    """Return a label's file name: a hash, so that no label can reach outside its folder."""
    return hashlib.sha256(share_associated_data(label, DIRECT)).hexdigest()[:40] + ".share"


def wrap_secret(sealer: Sealer, member: MemberId, purpose: str, secret: SecretBytes) -> bytes:
    """Seal a small secret bound to member and purpose."""
    if not 1 <= len(secret) <= MAX_WRAPPED:
        raise ValueError(f"a wrapped secret has 1 to {MAX_WRAPPED} bytes")
    version = DIRECT if sealer.method == OWN_GCM else NAMED
    associated = wrap_associated_data(member, purpose, version)
    if version == DIRECT:
        return bytes([DIRECT]) + sealer.seal(associated, secret)
    return bytes([NAMED, sealer.method]) + seal_envelope(sealer, associated, secret)


def unwrap_secret(sealer: Sealer, member: MemberId, purpose: str, blob: bytes) -> SecretBytes:
    """Open what `wrap_secret` sealed. Raises: SealBroken."""
    if not 1 + SEAL_OVERHEAD < len(blob) <= MAX_WRAPPED_BLOB:
        raise SealBroken("a wrapped secret has an impossible size")
    if blob[0] not in {DIRECT, NAMED}:
        raise SealBroken(f"a wrapped secret has version {blob[0]}, which is not known here")
    associated = wrap_associated_data(member, purpose, blob[0])
    if blob[0] == NAMED:
        return open_envelope(sealer.by(blob[1]), associated, blob[2:])
    return sealer.by(OWN_GCM).open(associated, blob[1:])


class ShareFiles:
    """A folder of share records, one file each. Blocking, for one thread.

    Files whose name does not match their label are not listed; opening such a label raises
    SealBroken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def seal(self, label: ShareLabel, share: SecretBytes, sealer: Sealer) -> None:
        """Seal, prove that it opens, and store. Raises: FileExistsError, SealBroken, HsmError."""
        _check_size(share)
        path = self._folder / record_name(label)
        if path.exists():
            self._require_same(label, share, sealer)
            return
        record = _proven_record(label, share, sealer)
        try:
            create_file(path, record)
        except FileExistsError:
            self._require_same(label, share, sealer)
        except OSError as error:
            raise HsmError(f"a share cannot be stored: {error.strerror}") from None

    def replace(self, label: ShareLabel, share: SecretBytes, sealer: Sealer) -> None:
        """Seal, prove that it opens, and only then replace the old record atomically.

        A crash leaves the old record or the new. The old one is overwritten afterwards, as far
        as the disk allows. Raises: ShareUnavailable, SealBroken, HsmError.
        """
        _check_size(share)
        path = self._folder / record_name(label)
        if not path.exists():
            raise ShareUnavailable("no share is stored under this label")
        record = _proven_record(label, share, sealer)
        try:
            if os.name == "nt":  # Windows replaces no open file.
                replace_file(path, record)
                return
            with path.open("r+b") as old:
                replace_file(path, record)
                with contextlib.suppress(OSError):  # The new record is already in place.
                    overwrite(old)
        except OSError as error:
            raise HsmError(f"a share cannot be replaced: {error.strerror}") from None

    def unseal(self, label: ShareLabel, sealer: Sealer) -> SecretBytes:
        """Open the share under `label`. Raises: ShareUnavailable, SealBroken."""
        record = decode_share_record(self._read(self._folder / record_name(label)))
        if record.label != label:
            raise SealBroken("a share record carries another label than its place")
        associated = share_associated_data(label, record.version)
        method, envelope = OWN_GCM, record.sealed
        if record.version == NAMED:
            method, envelope = envelope[0], envelope[1:]
        opener = sealer.by(method)
        if record.version == DIRECT:
            share = opener.open(associated, record.sealed)
        else:
            share = open_envelope(opener, associated, envelope)
            if method == sealer.method:
                return share
        # Until a disk that is full or read-only lets it be sealed anew, the old record serves.
        try:
            self.replace(label, share, sealer)
        except (ShareUnavailable, HsmError) as trouble:
            log.warning("share-not-sealed-anew", why=str(trouble))
        return share

    def labels(self) -> tuple[ShareLabel, ...]:
        """Return the labels of all records that can be read under their names, sorted."""
        found = []
        for path in self._folder.glob("*.share"):
            try:
                label = decode_share_record(self._read(path)).label
            except (SealBroken, ShareUnavailable):
                continue
            if path.name == record_name(label):
                found.append(label)
        return tuple(sorted(found))

    def erase(self, label: ShareLabel) -> None:
        """Overwrite and remove a record, and any temporary file of it that a crash left.

        Flash storage may keep old blocks; the seal stays.
        """
        path = self._folder / record_name(label)
        try:
            for found in (path, *self._folder.glob(f"{path.name}.*.tmp")):
                if found.exists():
                    with found.open("r+b") as stream:
                        overwrite(stream)
                    found.unlink()
                    sync_folder(self._folder)
        except OSError as error:
            raise HsmError(f"a share cannot be erased: {error.strerror}") from None

    def _require_same(self, label: ShareLabel, share: SecretBytes, sealer: Sealer) -> None:
        with self.unseal(label, sealer) as stored:
            if not hmac.compare_digest(stored, share.view()):
                raise FileExistsError("another share is already stored under this label")

    def _read(self, path: Path) -> bytes:
        try:
            with path.open("rb") as stream:
                return stream.read(MAX_RECORD + 1)
        except FileNotFoundError:
            raise ShareUnavailable("no share is stored under this label") from None
        except OSError as error:
            raise ShareUnreadable(f"a share cannot be read: {error.strerror}") from None


def replace_file(path: Path, data: bytes) -> None:
    """Write `data` to `path` durably and atomically: a crash leaves the old content or the new."""
    temporary = write_temporary(path, data)
    try:
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def create_file(path: Path, data: bytes) -> None:
    """Write `data` to `path` durably. Raises: FileExistsError if the path exists."""
    temporary = write_temporary(path, data)
    try:
        os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_temporary(path: Path, data: bytes) -> Path:
    """Write and sync `data` beside `path`, readable by the owner only; return that path."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def sync_folder(folder: Path) -> None:
    """Sync a rename in `folder`; Windows cannot open folders and needs no such step."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_size(share: SecretBytes) -> None:
    if not 1 <= len(share) <= MAX_SHARE:
        raise ValueError(f"a share has 1 to {MAX_SHARE} bytes")


def _proven_record(label: ShareLabel, share: SecretBytes, sealer: Sealer) -> bytes:
    """Seal a share, and open it again before it is used. Raises: SealBroken, HsmError."""
    version = ENVELOPE if sealer.method == OWN_GCM else NAMED
    associated = share_associated_data(label, version)
    sealed = seal_envelope(sealer, associated, share)
    with open_envelope(sealer, associated, sealed) as opened:
        # A token with a damaged key must be detected before the share in memory is wiped.
        if not hmac.compare_digest(opened, share.view()):
            raise SealBroken("a fresh seal does not open to what was sealed")
    named = bytes([sealer.method]) if version == NAMED else b""
    return encode_share_record(label, named + sealed, version)


def overwrite(stream: BinaryIO) -> None:
    """Write zeros over all of an open file, durably."""
    size = os.fstat(stream.fileno()).st_size
    stream.write(bytes(size))
    stream.flush()
    os.fsync(stream.fileno())


def _encode_label(label: ShareLabel) -> bytes:
    if not 0 <= label.epoch < 1 << 63:
        raise ValueError("an epoch is a number from 0 to 2^63 - 1")
    header = length_prefixed(
        label.wallet.encode("utf-8"),
        label.member.encode("utf-8"),
        label.kind.value.encode("ascii"),
        struct.pack(">Q", label.epoch),
    )
    if len(header) > MAX_HEADER:
        raise ValueError("a share's label is too long")
    return header


def _decode_label(header: bytes) -> ShareLabel:
    try:
        wallet, member, kind, epoch = _split(header, 4)
        (number,) = struct.unpack(">Q", epoch)
        label = ShareLabel(
            WalletId(wallet.decode("utf-8")),
            MemberId(member.decode("utf-8")),
            SignatureKind(kind.decode("ascii")),
            number,
        )
        canonical = _encode_label(label)
    except (ValueError, struct.error):
        raise SealBroken("a share record's label is malformed") from None
    if canonical != header:
        raise SealBroken("a share record's label is not in the canonical encoding")
    return label


def _split(data: bytes, count: int) -> list[bytes]:
    parts: list[bytes] = []
    position = 0
    for _ in range(count):
        (size,) = struct.unpack_from(">I", data, position)
        position += 4
        parts.append(data[position : position + size])
        position += size
    if position != len(data):
        raise ValueError("lengths do not add up")
    return parts
