"""What two parties of a key share for multiplying secrets: one state per peer, sealed as one.

A peer that fails a secret-dependent check may have learnt a bit of this state. It is destroyed at
once, and the peer stays banned until the parties run a new setup (docs/spec 0.3, 12).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

from console.protocols.kernel.abort import AbortKind, ProtocolAbort
from console.protocols.kernel.secret import SecretBytes
from console.protocols.ot.endemic import BothKeys, ChosenKeys
from console.protocols.ot.parameters import KAPPA, KEY
from console.protocols.ot.vole import Gadget, gadget

_MAGIC = b"QDP1"
_HEAD = 12 + 32
_SIZES = (32, 32, KAPPA // 8, 2 * KAPPA * KEY, KAPPA * KEY)
_RECORD = 5 + sum(_SIZES)
_MAX_PEERS = 1023


class BadPairStates(Exception):
    """Stored pair states are malformed. Never quotes them."""


class PeerBanned(Exception):
    """A peer's state was destroyed after a failed check, or never made: run a new setup."""


@dataclass(frozen=True, slots=True, eq=False)
class PairState:
    """What we share with one peer.

    `both_keys` are for multiplications in which we are the receiver, `chosen_keys` for those in
    which we are the sender; `zero_seed` makes shares of zero; `gadget_id`, which is public, is what
    the gadgets of both directions are drawn from.
    """

    gadget_id: bytes
    zero_seed: SecretBytes
    both_keys: BothKeys
    chosen_keys: ChosenKeys

    def wipe(self) -> None:
        for secret in self.secrets():
            secret.wipe()

    def secrets(self) -> tuple[SecretBytes, ...]:
        chosen = self.chosen_keys
        return (self.zero_seed, chosen.choices, self.both_keys.keys, chosen.keys)


@dataclass(slots=True, eq=False)
class PairStates:
    """Our states with all peers of a key; `setup_id` has 32 bytes and is the same at all parties.

    Changes by `ban` and `keep` only. The caller stores it anew, before it sends anything, when a
    run has ended with a ban.
    """

    me: int
    setup_id: bytes
    states: list[tuple[int, PairState | None]]

    @property
    def peers(self) -> tuple[int, ...]:
        return tuple(peer for peer, _ in self.states)

    @property
    def banned(self) -> frozenset[int]:
        return frozenset(peer for peer, state in self.states if state is None)

    def state(self, peer: int) -> PairState:
        """Return the state with a peer. Raises: PeerBanned."""
        for known, state in self.states:
            if known == peer and state is not None:
                return state
        raise PeerBanned(f"there is no state with party {peer}")

    def gadget_from(self, peer: int) -> Gadget:
        """Return the gadget of multiplications that the peer puts its inputs into."""
        return gadget(self.state(peer).gadget_id, self.me, peer)

    def gadget_to(self, peer: int) -> Gadget:
        """Return the gadget of multiplications that we put our inputs into."""
        return gadget(self.state(peer).gadget_id, peer, self.me)

    def ban(self, peers: Iterable[int]) -> None:
        """Destroy the states with these peers, irrevocably."""
        banned = set(peers)
        for place, (peer, state) in enumerate(self.states):
            if peer in banned and state is not None:
                state.wipe()
                self.states[place] = (peer, None)

    def keep(self, peers: Iterable[int]) -> None:
        """Destroy and drop the states with all but these peers, the key's owners from now on."""
        kept = set(peers)
        self.ban(peer for peer in self.peers if peer not in kept)
        self.states[:] = [(peer, state) for peer, state in self.states if peer in kept]

    def wipe(self) -> None:
        """Erase all secrets; nothing can be signed afterwards."""
        self.ban(self.peers)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise BadPairStates("pair states are neither copied nor pickled; encode them to seal")


def ban_all(cheats: Mapping[int, str], reason: str) -> ProtocolAbort:
    """Build an abort that bans each peer for the check it failed."""
    checks = ",".join(sorted(set(cheats.values())))
    return ProtocolAbort(AbortKind.BAN, reason, frozenset(cheats), checks)


def encode_pairs(pairs: PairStates) -> SecretBytes:
    """Encode for sealing: magic, our index, count, setup id; a record of one size per peer.

    A record: index (4), banned (1), gadget id, zero seed, choices, both keys, chosen keys. That
    of a banned peer is zero after the flag.
    """
    encoded = SecretBytes.zeros(_HEAD + _RECORD * len(pairs.states))
    view = encoded.view()
    view[:4] = _MAGIC
    view[4:8] = pairs.me.to_bytes(4, "big")
    view[8:12] = len(pairs.states).to_bytes(4, "big")
    view[12:_HEAD] = pairs.setup_id
    for place, (peer, state) in enumerate(pairs.states):
        record = view[_HEAD + _RECORD * place :][:_RECORD]
        record[:4] = peer.to_bytes(4, "big")
        record[4] = state is None
        if state is not None:
            record[5:37] = state.gadget_id
            at = 37
            for secret in state.secrets():
                record[at : at + len(secret)] = secret.view()
                at += len(secret)
    return encoded


def decode_pairs(encoded: SecretBytes | memoryview) -> PairStates:
    """Decode strictly; the caller still owns, and wipes, `encoded`. Raises: BadPairStates."""
    view = encoded.view() if isinstance(encoded, SecretBytes) else encoded
    if len(view) < _HEAD or view[:4] != _MAGIC:
        raise BadPairStates("these are not pair states")
    me, count = int.from_bytes(view[4:8], "big"), int.from_bytes(view[8:12], "big")
    if not 1 <= count <= _MAX_PEERS or len(view) != _HEAD + _RECORD * count:
        raise BadPairStates("the pair states have the wrong size")
    records = [view[at : at + _RECORD] for at in range(_HEAD, len(view), _RECORD)]
    peers = [int.from_bytes(record[:4], "big") for record in records]
    if sorted({*peers}) != peers or not 1 <= peers[0] <= peers[-1] <= 0xFFFF:
        raise BadPairStates("the peers are repeated, unsorted or out of range")
    if not 1 <= me <= 0xFFFF or me in peers:
        raise BadPairStates("our index is out of range, or that of a peer")
    for record in records:
        if record[4] > 1 or (record[4] == 1 and any(record[5:])):
            raise BadPairStates("a record is not canonical")
    states = [
        (peer, None if record[4] else _decode_state(record))
        for peer, record in zip(peers, records, strict=True)
    ]
    return PairStates(me, bytes(view[12:_HEAD]), states)


def _decode_state(record: memoryview) -> PairState:
    pieces = []
    at = 5
    for size in _SIZES:
        pieces.append(record[at : at + size])
        at += size
    held = partial(map, lambda piece: SecretBytes(bytearray(piece)))
    zero_seed, choices, both, chosen = held(pieces[1:])
    return PairState(bytes(pieces[0]), zero_seed, BothKeys(both), ChosenKeys(choices, chosen))
