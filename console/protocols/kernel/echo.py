"""Echo broadcast: proof that all parties received the same broadcasts.

Each party hashes the broadcasts of a round and sends the digest with its next message. Digests
that differ end the session and blame nobody. To name who equivocated, the parties would have to
exchange the signed originals, which no protocol of ours does: `find_equivocation` is library only.
"""

from collections.abc import Iterable, Mapping

from console.protocols.kernel.envelope import Envelope
from console.protocols.kernel.transcript import H, Tag

ECHO_KIND = "echo"
"""The kind of an envelope that carries nothing but the digest, after the last round."""


def echo_digest(session_id: bytes, round_: int, received: Mapping[tuple[int, str], bytes]) -> bytes:
    """Digest a round: `received` maps (sender, kind) to the digest of the broadcast envelope."""
    rows = [(sender, kind, received[sender, kind]) for sender, kind in sorted(received)]
    return H(Tag.ECHO, session_id, round_, rows)


def find_equivocation(a: Iterable[Envelope], b: Iterable[Envelope]) -> frozenset[int]:
    """Name the senders of different broadcasts for one (session, round, kind).

    `a` and `b` are what two parties received; the caller has checked the senders' signatures.
    If it names nobody, the party whose echo differs from the agreed originals is at fault.
    """
    first: dict[tuple[bytes, int, int, str], bytes] = {}
    culprits = set()
    for envelope in (*a, *b):
        if envelope.confidential or envelope.kind == ECHO_KIND:
            continue
        key = (envelope.session_id, envelope.sender, envelope.round, envelope.kind)
        if first.setdefault(key, envelope.digest) != envelope.digest:
            culprits.add(envelope.sender)
    return frozenset(culprits)
