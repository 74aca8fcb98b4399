"""The messages of setup, signing and presigning (docs/spec 3.2, 3.3, 3.6, 3.7).

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
    """Setup 1: a digest of the parameters as we see them, and fresh randomness for the session."""

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
    """Setup 5: all our trials were right; a hash of what the pair holds."""

    digest: Bytes32


@message("dkls23.commitment")
@dataclass(frozen=True, slots=True)
class Commitment:
    """Round 1: a digest of the parameters as we see them, fresh randomness, a commitment to R_i."""

    parameters: Bytes32
    nonce: Bytes32
    digest: Bytes32


@message("dkls23.vole-request", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class VoleRequest:
    """Round 1, to one peer: begins a multiplication of the peer's inputs."""

    request: Request


@message("dkls23.opening")
@dataclass(frozen=True, slots=True)
class Opening:
    """Round 2: R_i (`nonce_point`), its blind, pk_i (`key_point`), a digest of all commitments."""

    nonce_point: EncodedPoint
    blind: Bytes32
    key_point: EncodedPoint
    commitments: Bytes32


@message("dkls23.vole-reply", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class VoleReply:
    """Round 2, to one peer: our inputs, masked; Gamma_u, Gamma_v and psi.

    `nonce_product` is Gamma_u = c_u * G, `key_product` is Gamma_v = c_v * G, `difference` is psi.
    """

    nonce: Bytes32
    reply: Reply
    nonce_product: EncodedPoint
    key_product: EncodedPoint
    difference: Bytes32


@message("dkls23.partial")
@dataclass(frozen=True, slots=True)
class Partial:
    """Round 3: w_i (`numerator`) and u_i (`denominator`).

    `binding` is a hash of R, or of the presignature and the digest.
    """

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
    """Round 3, instead of a partial signature, if the pk_j do not add up to the key."""

    fragments: Annotated[tuple[Fragment, ...], Count(1, MAX_SIGNERS)]
