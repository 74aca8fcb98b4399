"""The identity part: signs with a P-256 key that was generated in the token and stays there."""

from hsm.keys import sign_checked
from hsm.session import VaultSession


class TokenIdentity:
    """Implements `IdentityPort`."""

    def __init__(self, token: VaultSession) -> None:
        self._token = token

    async def public_key(self) -> bytes:
        """Return the recorded public key, 65 bytes; works while locked."""
        return await self._token.call(
            "reading the key record", lambda: self._token.public_record().identity_point
        )

    async def sign(self, message: bytes) -> bytes:
        """Sign SHA-256(message); the signature is verified before it is returned."""
        return await self._token.call("signing", lambda: self._sign(message))

    def _sign(self, message: bytes) -> bytes:
        keys = self._token.keys()
        return sign_checked(keys.identity, keys.record.identity_point, message)
