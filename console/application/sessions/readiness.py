"""What makes a session: an invitation, and the signed readiness of everybody invited."""

import hashlib
from collections.abc import Mapping

from console.application.peers.signed_statements import StatementRefused, Verified
from console.application.peers.statements import Readiness
from console.domain.ids import MemberId, SessionId, session_id

NONCE_BYTES = 32


def channel_keys(
    verified: Verified,
    ready: Mapping[MemberId, Verified],
    indices: Mapping[MemberId, int],
) -> dict[int, bytes]:
    """Check that exactly the invited are ready; return their channel keys by share index.

    Raises: StatementRefused.
    """
    if set(ready) != set(indices):
        raise StatementRefused("the session needs the readiness of exactly the invited members")
    keys: dict[int, bytes] = {}
    for member, answer in ready.items():
        statement = answer.statement
        if not isinstance(statement, Readiness) or statement.invitation != verified.digest:
            raise StatementRefused(f"{member} is ready for another invitation")
        if len(statement.nonce) != NONCE_BYTES:
            raise StatementRefused(f"{member} sent a nonce of the wrong size")
        keys[indices[member]] = statement.channel_key
    return keys


def name_session(verified: Verified, ready: Mapping[MemberId, Verified]) -> SessionId:
    """Hash the invitation and every party's fresh nonce: no two sessions share an id."""
    digest = hashlib.sha256(b"quorate/session/v1" + verified.digest)
    for member in sorted(ready):
        name = member.encode()
        digest.update(len(name).to_bytes(2, "big") + name + ready[member].digest)
    return session_id(digest.digest())
