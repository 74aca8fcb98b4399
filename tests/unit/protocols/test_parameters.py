"""What is fixed for good: the parameter sheet, and the form of every message on the wire."""

from typing import Any

from console.protocols.derivation import path
from console.protocols.dkls23 import messages as dkls
from console.protocols.frost import pool, roast
from console.protocols.kernel import channel, envelope, inbox, wire
from console.protocols.kernel.transcript import enc
from console.protocols.keygen import messages, share
from console.protocols.ot import endemic, extension, parameters


def test_parameters_are_those_of_the_sheet() -> None:
    """Sizes that peers of other versions rely on (docs/spec 3.1 and 11)."""
    p = parameters
    sizes = (p.KAPPA, p.XI, p.WIDTH, p.KEY, p.ROW, p.CHOICE, p.HASHED)
    assert sizes == (256, 416, 3, 32, 80, 52, 16)
    assert p.XI == 256 + 2 * 80
    assert endemic.POINTS == 16_896
    assert extension.MATRIX == 256 * 80
    assert pool.MAX_NONCES == 100
    assert (dkls.MAX_SIGNERS, messages.MAX_DEALERS, share.MAX_PARTIES) == (64, 256, 1024)
    assert path.MAX_DEPTH == 255
    assert (envelope.MAX_PAYLOAD, channel.MAX_MESSAGES, inbox.MAX_KINDS) == (1 << 20, 1 << 16, 4)


def form(codec: Any) -> str:
    """Describe a field with its bounds: s secret, b other bytes, i a number, a list, a record."""
    match codec:
        case wire.BytesCodec(size=size, secret=secret):
            return f"{'s' if secret else 'b'}{size.minimum}-{size.maximum}"
        case wire.NumberCodec(bounds=bounds):
            return f"i{bounds.minimum}-{bounds.maximum}"
        case wire.ItemsCodec(item=item, count=count):
            return f"[{count.minimum}-{count.maximum} {form(item)}]"
        case _:
            return "(" + " ".join(form(part) for _, part in codec.codecs) + ")"


REQUEST = "(b20480-20480 b16-16 b4096-4096)"
REPLY = "(b39936-39936 b32-32 b32-32)"
POINT, SCALAR, INDEX = "b0-96", "b0-64", "i1-65535"
POINTS = f"[0-256 {POINT}]"
NONCES = "(b1-96 b1-96)"

FORMS = {
    "dkg.commitment": "(b32-32 b32-32)",
    "dkg.opening": f"({POINTS} {POINT} {SCALAR} b32-32 b32-32)",
    "dkg.subshare": "(s0-64)",
    "dkg.complaints": f"([0-256 ({INDEX} (b0-512 b0-128))])",
    "dkg.share-proof": f"({POINT} {SCALAR})",
    "redeal.opening": f"({POINTS} {POINT} {SCALAR} b32-32)",
    "repair.split": f"({POINTS})",
    "repair.sum": "(s0-64)",
    "frost.commitment": NONCES,
    "frost.signature-share": "(b1-64)",
    "frost.roast-row": f"({INDEX} {NONCES})",
    "frost.roast-request": f"({INDEX} [1-1024 ({INDEX} {NONCES})])",
    "frost.roast-answer": f"({INDEX} b1-64 {NONCES})",
    "dkls23.setup-opening": "(b32-32 b32-32)",
    "dkls23.setup-promise": "(b32-32 b32-32)",
    "dkls23.setup-choices": "(b32-32 b16896-16896 s32-32)",
    "dkls23.setup-answer": f"(b32-32 b16896-16896 b32-32 {REQUEST})",
    "dkls23.setup-trial": f"(b32-32 {REPLY} b64-64 b64-64)",
    "dkls23.setup-confirmation": "(b32-32)",
    "dkls23.commitment": "(b32-32 b32-32 b32-32)",
    "dkls23.vole-request": f"({REQUEST})",
    "dkls23.opening": "(b33-33 b32-32 b33-33 b32-32)",
    "dkls23.vole-reply": f"(b32-32 {REPLY} b33-33 b33-33 b32-32)",
    "dkls23.partial": "(b32-32 b32-32 b32-32)",
    "dkls23.fragments": f"([1-64 ({INDEX} b32-32)])",
    "keygen.public-share": f"({INDEX} b1-96)",
    "keygen.public-key-package": f"(b1-20 i1-1024 b1-96 [1-1024 ({INDEX} b1-96)] b32-32)",
}

CONFIDENTIAL = {
    "dkg.subshare",
    "repair.sum",
    "frost.roast-request",
    "frost.roast-answer",
    "dkls23.setup-promise",
    "dkls23.setup-choices",
    "dkls23.setup-answer",
    "dkls23.setup-trial",
    "dkls23.setup-confirmation",
    "dkls23.vole-request",
    "dkls23.vole-reply",
}


def test_every_message_has_the_form_it_always_had() -> None:
    assert roast.Answer.__dataclass_fields__.keys() == {"attempt", "z", "next"}
    kinds = {kind for kind in wire.registered_kinds() if not kind.startswith("test.")}
    assert {kind: form(wire.message_type(kind).record) for kind in kinds} == FORMS
    direct = {k for k in kinds if wire.message_type(k).delivery is wire.Delivery.DIRECT}
    assert direct == CONFIDENTIAL


def test_bounds_of_a_byte_string_are_exact_where_one_number_is_given() -> None:
    assert wire.Size(7) == wire.Size(7, 7)
    assert wire.Size(0) == wire.Size(0, 0)
    assert wire.Size(1, 0).maximum == 0


def test_framing_is_the_one_it_always_was() -> None:
    """Tag, count, then of each value its type, length and body."""
    framed = (
        "00000001 74 0000000a"
        "62 00000002 6162"
        "73 00000001 63"
        "69 00000001 2b"
        "69 00000002 2b01"
        "69 00000002 2d01"
        "69 00000002 2bff"
        "69 00000003 2b0100"
        "69 00000003 2d0100"
        "6c 0000001a 00000002 62 00000001 78 6c 0000000b 00000001 69 00000002 2b02"
        "6c 00000004 00000000"
    )
    values = (b"ab", "c", 0, 1, -1, 255, 256, -256, (b"x", (2,)), ())
    assert enc("t", *values) == bytes.fromhex(framed)
