"""What a party was told in confidence, in the form in which it can prove it to the others."""

from dataclasses import dataclass, field
from typing import Annotated

from console.protocols.kernel.wire import Size

MAX_TOLD = 512
"""The largest envelope that can be shown to the others, in bytes: room for a share."""


class NotTold(Exception):
    """The sender did not sign these bytes for that receiver, in that round."""


@dataclass(frozen=True, slots=True)
class Told:
    """An encoded envelope with one recipient, and its sender's signature of it.

    Signed before it is encrypted, so that whoever holds the plain text can show it. Until then it
    is confidential, and no part of the representation.
    """

    envelope: Annotated[bytes, Size(0, MAX_TOLD)] = field(repr=False)
    signature: Annotated[bytes, Size(0, 128)]
