"""The wrapping part: small secrets sealed by the token and bound to a purpose."""

from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.sealed_record import unwrap_secret, wrap_secret
from console.sealing.sealer import Sealer
from hsm.session import VaultSession


class TokenWrapping:
    """Implements `KeyWrapPort`."""

    def __init__(self, token: VaultSession, member: MemberId, sealer: Sealer) -> None:
        self._token = token
        self._member = member
        self._sealer = sealer

    async def wrap(self, purpose: str, secret: SecretBytes) -> bytes:
        """Seal `secret` bound to member and purpose."""
        return await self._token.call(
            "sealing a key", lambda: wrap_secret(self._sealer, self._member, purpose, secret)
        )

    async def unwrap(self, purpose: str, blob: bytes) -> SecretBytes:
        """Open what `wrap` sealed."""
        return await self._token.call(
            "opening a sealed key", lambda: unwrap_secret(self._sealer, self._member, purpose, blob)
        )
