"""End-to-end encryption of point-to-point payloads between the parties of one session.

X25519 key pairs live for one session; the public keys travel signed by their owners' identities.
Each direction of each pair has its own key, so a counter is enough for a nonce.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from console.protocols.kernel.party import Random
from console.protocols.kernel.transcript import Tag, enc

MAX_MESSAGES = 1 << 16
"""How many payloads one direction of a pair carries in one session."""

_COUNTER = 8


class ChannelRefused(Exception):
    """A key or a ciphertext is not acceptable: a transport fault, which blames nobody."""


@dataclass(frozen=True, slots=True)
class ChannelKeys:
    """Our key pair for one session; `public` has 32 bytes."""

    private: X25519PrivateKey = field(repr=False)
    public: bytes

    @classmethod
    def generate(cls, random: Random) -> "ChannelKeys":
        private = X25519PrivateKey.from_private_bytes(random(32))
        return cls(private, private.public_key().public_bytes_raw())


class _Direction:
    """The key of one direction, and the counters used with it."""

    __slots__ = ("cipher", "next", "seen")

    def __init__(self, key: bytes) -> None:
        self.cipher = ChaCha20Poly1305(key)
        self.next = 0
        self.seen: set[int] = set()


class PairwiseChannels:
    """Seals and opens payloads for all peers of one session.

    `peers_public` maps each peer's index to its 32-byte public key; our own is ignored.
    Raises: ChannelRefused for a key of the wrong size, of low order, or equal to ours.
    """

    def __init__(
        self, me: int, keys: ChannelKeys, peers_public: Mapping[int, bytes], session_id: bytes
    ) -> None:
        if len(session_id) != 32:
            raise ValueError("a session id has 32 bytes")
        self._out: dict[int, _Direction] = {}
        self._in: dict[int, _Direction] = {}
        for peer, public in peers_public.items():
            if peer == me:
                continue
            shared = _agree(peer, keys, public)
            mine, theirs = (me, keys.public), (peer, public)
            self._out[peer] = _Direction(_derive(shared, session_id, mine, theirs))
            self._in[peer] = _Direction(_derive(shared, session_id, theirs, mine))

    def seal(self, recipient: int, plaintext: bytes, header: bytes) -> bytes:
        """Encrypt for one peer: 8 bytes of counter, then ciphertext and tag (24 bytes longer).

        Two calls never give the same bytes: to send again, send the stored ciphertext.
        """
        direction = self._direction(self._out, recipient)
        if direction.next >= MAX_MESSAGES:
            raise ChannelRefused(f"the channel to party {recipient} is used up")
        nonce = direction.next.to_bytes(12, "big")
        direction.next += 1
        return nonce[-_COUNTER:] + direction.cipher.encrypt(nonce, plaintext, header)

    def open(self, sender: int, ciphertext: bytes, header: bytes) -> bytes:
        """Decrypt from one peer; `header` must be what the sender sealed with.

        Raises: ChannelRefused if the tag is wrong or the counter was used before.
        """
        direction = self._direction(self._in, sender)
        counter = int.from_bytes(ciphertext[:_COUNTER], "big")
        if counter >= MAX_MESSAGES or counter in direction.seen:
            raise ChannelRefused(f"party {sender} used a nonce again")
        nonce = counter.to_bytes(12, "big")
        try:
            plaintext = direction.cipher.decrypt(nonce, ciphertext[_COUNTER:], header)
        except InvalidTag:
            raise ChannelRefused(f"a payload of party {sender} does not decrypt") from None
        direction.seen.add(counter)
        return plaintext

    @staticmethod
    def _direction(directions: Mapping[int, _Direction], peer: int) -> _Direction:
        if peer not in directions:
            raise ChannelRefused(f"there is no channel with party {peer}")
        return directions[peer]


def _agree(peer: int, keys: ChannelKeys, public: bytes) -> bytes:
    if public == keys.public:
        raise ChannelRefused(f"party {peer} reflects our key")
    try:
        # The library refuses an all-zero result, which is what low-order keys give.
        return keys.private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise ChannelRefused(f"the channel key of party {peer} is not acceptable") from None


def _derive(
    shared: bytes, session_id: bytes, source: tuple[int, bytes], target: tuple[int, bytes]
) -> bytes:
    info = enc(Tag.CHANNEL_KEY, session_id, source, target)
    return HKDF(SHA256(), 32, salt=session_id, info=info).derive(shared)
