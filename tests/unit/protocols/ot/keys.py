"""Base keys from a trusted dealer, for tests that start where base transfers end."""

from console.protocols.kernel.secret import SecretBytes
from console.protocols.ot.endemic import BothKeys, ChosenKeys
from console.protocols.ot.parameters import KAPPA, KEY
from tests.adversary.network import stream


def dealt_keys(seed: str = "base") -> tuple[BothKeys, ChosenKeys]:
    random = stream(seed)
    choices, both = random(KAPPA // 8), random(2 * KAPPA * KEY)
    chosen = b"".join(key_of(both, bit(choices, i), i) for i in range(KAPPA))
    return BothKeys(SecretBytes(both)), ChosenKeys(SecretBytes(choices), SecretBytes(chosen))


def bit(data: bytes | memoryview, at: int) -> int:
    return data[at // 8] >> (7 - at % 8) & 1


def key_of(both: bytes | memoryview, choice: int, index: int) -> bytes:
    place = KEY * (choice * KAPPA + index)
    return bytes(both[place : place + KEY])


def flipped(data: bytes, at: int = 0) -> bytes:
    """Change one bit."""
    out = bytearray(data)
    out[at // 8] ^= 0x80 >> at % 8
    return bytes(out)
