"""The certificate of a key: all parties' signatures on the same transcript and public key.

A key, or an epoch of it, becomes active only with signatures of all n parties: acknowledgements
sent to some and not to others could split the group (docs/spec 0.4).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from console.protocols.kernel.transcript import Tag, enc
from console.protocols.keygen.share import PublicKeyPackage


class CertificateIncomplete(Exception):
    """A signature is missing, foreign or given twice."""


def certificate_message(
    *, session_id: bytes, key_id: str, epoch: int, transcript: bytes, public: PublicKeyPackage
) -> bytes:
    """Return what every party signs; `transcript` has 32 bytes, `epoch` is the one that begins."""
    if len(session_id) != 32 or len(transcript) != 32 or epoch < 0:
        raise ValueError("session id and transcript have 32 bytes, an epoch is not negative")
    return enc(
        Tag.CERTIFICATE,
        session_id,
        key_id,
        epoch,
        transcript,
        public.group_name,
        public.threshold,
        public.group_key,
        public.public_shares,
        public.chain_code,
    )


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate message with (index, signature) of each party, sorted by index.

    Library only: the application records each signature as it comes, and counts them itself.
    """

    message: bytes
    signatures: tuple[tuple[int, bytes], ...]

    def verify(
        self, parties: Iterable[int], verify_one: Callable[[int, bytes, bytes], None]
    ) -> None:
        """Check that every party, and no other, has signed.

        `verify_one(index, message, signature)` raises if that signature is not valid.
        Raises: CertificateIncomplete, or what `verify_one` raises.
        """
        expected = sorted(set(parties))
        if not expected or [index for index, _ in self.signatures] != expected:
            raise CertificateIncomplete("a certificate needs one signature of each party, in order")
        for index, signature in self.signatures:
            verify_one(index, self.message, signature)
