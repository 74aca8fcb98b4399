"""Encoding of key material for sealing: the share, and its kind's setup.

`magic QHK1 | share length (4) | setup length (4) | share | setup`; an empty setup is none.
Records from before setups existed are a bare share, with a magic of its own.
"""

from console.application.ports.threshold import KeyMaterial
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.share import BadShare, decode_share, encode_share

_MAGIC = b"QHK1"
_BARE_SHARE = b"QKS1"
_HEAD = 12


def encode_key_material(held: KeyMaterial) -> SecretBytes:
    """Encode into one buffer of the right size; the caller still owns, and wipes, both."""
    share = encode_share(held.share)
    try:
        size, rest = len(share), 0 if held.setup is None else len(held.setup)
        if held.setup is not None and not rest:
            raise ValueError("a setup is not empty")
        encoded = SecretBytes.zeros(_HEAD + size + rest)
        view = encoded.view()
        view[:4] = _MAGIC
        view[4:8] = size.to_bytes(4, "big")
        view[8:12] = rest.to_bytes(4, "big")
        view[_HEAD : _HEAD + size] = share.view()
        if held.setup is not None:
            view[_HEAD + size :] = held.setup.view()
        return encoded
    finally:
        share.wipe()


def decode_key_material(encoded: SecretBytes) -> KeyMaterial:
    """Decode strictly and check the share; the caller still owns, and wipes, `encoded`.

    The setup is for its kind to decode. Raises: BadShare.
    """
    view = encoded.view()
    if view[:4] == _BARE_SHARE:
        return KeyMaterial(decode_share(view))
    if len(view) < _HEAD or view[:4] != _MAGIC:
        raise BadShare("this is not a part of a key")
    size, rest = int.from_bytes(view[4:8], "big"), int.from_bytes(view[8:12], "big")
    if len(view) != _HEAD + size + rest:
        raise BadShare("the lengths do not add up")
    share = decode_share(view[_HEAD : _HEAD + size])
    setup = SecretBytes(bytearray(view[_HEAD + size :])) if rest else None
    return KeyMaterial(share, setup)
