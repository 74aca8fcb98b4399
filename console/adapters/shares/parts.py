"""The parts of the file vault: identity, shares, wrapping and the ledger's anchor."""

import struct
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from console.adapters.shares.session import FileSession
from console.application.errors import HsmError, SealBroken
from console.application.ports.share_storage import ShareLabel
from console.application.ports.vault import HeadAnchor
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.sealed_record import (
    ShareFiles,
    replace_file,
    unwrap_secret,
    wrap_secret,
)

_HEAD = struct.Struct(">Q32s")
_HEAD_PURPOSE = "ledger-head"
_MAX_HEAD_FILE = 256


class FileIdentity:
    """Implements `IdentityPort`."""

    def __init__(self, session: FileSession) -> None:
        self._session = session

    async def public_key(self) -> bytes:
        """Return the public key, 65 bytes; works while locked."""
        return await self._session.call(lambda: self._session.read().public_key)

    async def sign(self, message: bytes) -> bytes:
        """Sign SHA-256(message); 64 bytes."""
        return await self._session.call(lambda: self._sign(message))

    def _sign(self, message: bytes) -> bytes:
        key = self._session.keys().identity
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class FileShares:
    """Implements `ShareStoragePort`."""

    def __init__(self, session: FileSession, files: ShareFiles) -> None:
        self._session = session
        self._files = files

    async def seal(self, label: ShareLabel, share: SecretBytes) -> None:
        """Seal and store durably; the same share again is no error."""
        await self._session.call(lambda: self._seal(label, share))

    async def replace(self, label: ShareLabel, share: SecretBytes) -> None:
        """Replace what is stored; a crash leaves the old record or the new."""
        await self._session.call(lambda: self._replace(label, share))

    async def unseal(self, label: ShareLabel) -> SecretBytes:
        """Open a share; the caller wipes it."""
        return await self._session.call(lambda: self._unseal(label))

    async def labels(self) -> tuple[ShareLabel, ...]:
        """Return what is stored; works while locked."""
        return await self._session.call(self._files.labels)

    async def erase(self, label: ShareLabel) -> None:
        """Erase a share."""
        await self._session.call(lambda: self._files.erase(label))

    def _seal(self, label: ShareLabel, share: SecretBytes) -> None:
        self._session.keys()
        self._files.seal(label, share, self._session)

    def _replace(self, label: ShareLabel, share: SecretBytes) -> None:
        self._session.keys()
        self._files.replace(label, share, self._session)

    def _unseal(self, label: ShareLabel) -> SecretBytes:
        self._session.keys()
        return self._files.unseal(label, self._session)


class FileWrapping:
    """Implements `KeyWrapPort`."""

    def __init__(self, session: FileSession, member: MemberId) -> None:
        self._session = session
        self._member = member

    async def wrap(self, purpose: str, secret: SecretBytes) -> bytes:
        """Seal `secret` bound to member and purpose."""
        return await self._session.call(
            lambda: wrap_secret(self._session, self._member, purpose, secret)
        )

    async def unwrap(self, purpose: str, blob: bytes) -> SecretBytes:
        """Open what `wrap` sealed."""
        return await self._session.call(
            lambda: unwrap_secret(self._session, self._member, purpose, blob)
        )


class FileAnchor:
    """Implements `HeadAnchorPort` in a sealed file. A copy of the disk includes it."""

    def __init__(self, session: FileSession, member: MemberId, path: Path) -> None:
        self._session = session
        self._member = member
        self._path = path

    async def read(self) -> HeadAnchor | None:
        """Return the anchor, None if none was ever written."""
        return await self._session.call(self._read)

    async def write(self, head: HeadAnchor) -> None:
        """Replace the anchor's file atomically."""
        if head.sequence < 0 or len(head.hash) != 32:
            raise ValueError("an anchor is a sequence and a hash of 32 bytes")
        await self._session.call(lambda: self._write(head))

    def _read(self) -> HeadAnchor | None:
        self._session.keys()
        try:
            with self._path.open("rb") as stream:
                blob = stream.read(_MAX_HEAD_FILE)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise HsmError(f"the ledger's head cannot be read: {error.strerror}") from None
        with unwrap_secret(self._session, self._member, _HEAD_PURPOSE, blob) as view:
            if len(view) != _HEAD.size:
                raise SealBroken("the ledger's head has a wrong length")
            sequence, digest = _HEAD.unpack(view)
        return HeadAnchor(sequence, digest)

    def _write(self, head: HeadAnchor) -> None:
        body = SecretBytes(_HEAD.pack(head.sequence, head.hash))
        blob = wrap_secret(self._session, self._member, _HEAD_PURPOSE, body)
        try:
            replace_file(self._path, blob)
        except OSError as error:
            raise HsmError(f"the ledger's head cannot be stored: {error.strerror}") from None
