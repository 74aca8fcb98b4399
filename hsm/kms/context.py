"""The encryption context: what KMS binds to each wrapped key, and writes into its account's log."""

import hashlib

from console.domain.ids import MemberId

MEMBER, LABEL = "quorate-member", "quorate-label"


def context_of(member: MemberId, associated: bytes) -> dict[str, str]:
    """Return the context of what is sealed with `associated`: the log sees a hash of the label."""
    if not associated:
        raise ValueError("a seal is always bound to associated data")
    return {MEMBER: member, LABEL: hashlib.sha256(associated).hexdigest()}
