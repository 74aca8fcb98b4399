"""The messages of setup, signing and presigning (PROTOCOLS 3.2, 3.3, 3.6, 3.7).

Points and scalars are bounded here and parsed in the protocol. What travels to one peer is masked
with keys of the pair.
"""

from dataclasses import dataclass
from typing import Annotated

from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.wire import Count, Delivery, PartyIndex, Size, message
from console.protocols.ot.endemic import POINTS
from console.protocols.ot.extension import Request
from console.protocols.ot.vole import Reply

MAX_SIGNERS = 64

Bytes32 = Annotated[bytes, Size(32)]
EncodedPoint = Annotated[bytes, Size(33)]
BasePoints = Annotated[bytes, Size(POINTS)]


@message("dkls23.setup-opening")
@dataclass(frozen=True, slots=True)
class SetupOpening:
    """Setup 1: what we believe to agree on, and fresh randomness for the session."""

    parameters: Bytes32
    nonce: Bytes32


@message("dkls23.setup-promise", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class SetupPromise:
    """Setup 1: hashes of what we add to the zero-share seed and to the gadget seed."""

    zero: Bytes32
    gadget: Bytes32


@message("dkls23.setup-choices", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class SetupChoices:
    """Setup 2: base transfers with us as the receiver; our part of the zero-share seed."""

    session: Bytes32
    points: BasePoints
    zero: Annotated[SecretBytes, Size(32)]


@message("dkls23.setup-answer", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class SetupAnswer:
    """Setup 3: base transfers with us as the sender; our part of the gadget; a trial begins."""

    session: Bytes32
    points: BasePoints
    gadget: Bytes32
    request: Request


@message("dkls23.setup-trial", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class SetupTrial:
    """Setup 4: a multiplication of throw-away inputs a_1, a_2, opened with c_1, c_2."""

    nonce: Bytes32
    reply: Reply
    inputs: Annotated[bytes, Size(64)]
    outputs: Annotated[bytes, Size(64)]


@message("dkls23.setup-confirmation", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class SetupConfirmation:
    """Setup 5: all our trials were right, and this is what the pair holds, hashed."""

    digest: Bytes32


@message("dkls23.commitment")
@dataclass(frozen=True, slots=True)
class Commitment:
    """Round 1: what we believe to sign, fresh randomness, and a hash of our nonce point."""

    parameters: Bytes32
    nonce: Bytes32
    digest: Bytes32


@message("dkls23.vole-request", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class VoleRequest:
    """Round 1, to one peer: a multiplication begins in which the peer puts its inputs in."""

    request: Request


@message("dkls23.opening")
@dataclass(frozen=True, slots=True)
class Opening:
    """Round 2: R_i and its blind, pk_i, and a digest of all commitments heard."""

    nonce_point: EncodedPoint
    blind: Bytes32
    key_point: EncodedPoint
    commitments: Bytes32


@message("dkls23.vole-reply", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class VoleReply:
    """Round 2, to one peer: our inputs, masked; c_u*G, c_v*G, and psi."""

    nonce: Bytes32
    reply: Reply
    nonce_product: EncodedPoint
    key_product: EncodedPoint
    difference: Bytes32


@message("dkls23.partial")
@dataclass(frozen=True, slots=True)
class Partial:
    """Round 3: w_i and u_i; `binding` stands for R, or for the presignature and the digest."""

    numerator: Bytes32
    denominator: Bytes32
    binding: Bytes32


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one pair adds to its members' shares of zero in a session."""

    peer: PartyIndex
    value: Bytes32


@message("dkls23.fragments")
@dataclass(frozen=True, slots=True)
class Fragments:
    """Round 3, instead of a partial signature, if the key points do not make the key."""

    fragments: Annotated[tuple[Fragment, ...], Count(1, MAX_SIGNERS)]
