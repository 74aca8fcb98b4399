"""Every field of every message, changed by its sender: who is named, for which check.

Party 2 changes one field of one message to all who hear it. The table has a row for each field of
each kind that a protocol run sends; a new field without a row fails the last test.
"""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from console.protocols.dkls23 import messages as dkls
from console.protocols.frost import nonces, signing
from console.protocols.kernel.evidence import Told
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.wire import message_type, registered_kinds
from console.protocols.keygen import messages
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.network import Network, cheating
from tests.adversary.runs import (
    BENCH,
    Runs,
    dkg,
    ecdsa,
    frost,
    late,
    pairing,
    refreshing,
    repaired,
    repairing,
    resharing,
    unwatchful,
)

Protocol = Callable[[], Runs]
Change = Callable[[Any], Any]
Verdict = tuple[str, frozenset[int], str]

TWO = frozenset({2})


def flipped(value: Any) -> Any:
    """Change one bit, in the middle, of the last item; what is empty stays so."""
    match value:
        case bytes() if value:
            at = len(value) // 2
            return value[:at] + bytes((value[at] ^ 1,)) + value[at + 1 :]
        case SecretBytes():
            return SecretBytes(flipped(bytes(value.view())))
        case tuple() if value:
            return (*value[:-1], flipped(value[-1]))
        case dkls.Fragment():
            return replace(value, value=flipped(value.value))
        case _:
            return value


def moved(value: Any) -> Any:
    """Put another point in the place of the last one."""
    if isinstance(value, tuple):
        return (*value[:-1], moved(value[-1]))
    return ED25519.generator if len(value) == 32 else SECP256K1.generator


def cut(value: Any) -> Any:
    """Put something in the place of the last point that is none."""
    return (*value[:-1], cut(value[-1])) if isinstance(value, tuple) else b"\x05" + value[1:]


def at(path: str, change: Change) -> Change:
    name, _, rest = path.partition(".")
    inside = at(rest, change) if rest else change
    return lambda message: replace(message, **{name: inside(getattr(message, name))})


def accused(value: tuple[messages.Complaint, ...]) -> tuple[messages.Complaint, ...]:
    """Accuse oneself as well."""
    return (*value, messages.Complaint(2, Told(b"", b"")))


def blinded() -> Runs:
    """A signature in which party 2 uses another share than its own, so that fragments are shown."""
    bench = BENCH.copy()
    bench.keys = {**bench.keys, 2: replace(bench.keys[2], secret=SecretBytes(b"\x07" * 32))}
    return {i: bench.signing(i) for i in (1, 2, 3)}


def blame(check: str) -> Verdict:
    return "blame", TWO, check


def ban(check: str) -> Verdict:
    return "ban", TWO, check


def nobody(kind: str, check: str) -> Verdict:
    return kind, frozenset(), check


OPENING, DEALER, HOLDER = blame("commitment-opening"), blame("dealer-proof"), blame("share-proof")
FALSE, NONCE = blame("false-complaint"), blame("nonce-commitment")
ROWS, INPUTS, POINTS = ban("ot-rows"), ban("vole-inputs"), ban("vole-points")
WRONG = nobody("freeze", "group-signature")
SHARE = blame("share")

Row = tuple[Protocol, type, str, Change, Verdict]


def commit_rows(protocol: Protocol, opening: type) -> list[Row]:
    """What key generation and its relatives have in common."""
    return [
        (protocol, messages.Commitment, "nonce", flipped, DEALER),
        (protocol, messages.Commitment, "digest", flipped, OPENING),
        (protocol, opening, "points", moved, OPENING),
        (protocol, opening, "points", cut, OPENING),
        (protocol, opening, "proof_point", moved, OPENING),
        (protocol, opening, "proof_scalar", flipped, DEALER),
        (protocol, opening, "blind", flipped, OPENING),
        (protocol, messages.Subshare, "share", flipped, SHARE),
        (protocol, messages.Complaints, "complaints", accused, FALSE),
        (protocol, messages.ShareProof, "proof_point", moved, HOLDER),
        (protocol, messages.ShareProof, "proof_scalar", flipped, HOLDER),
    ]


TABLE: list[Row] = [
    *commit_rows(dkg, messages.Opening),
    (dkg, messages.Opening, "chain_code", flipped, OPENING),
    *commit_rows(refreshing, messages.RedealOpening),
    *commit_rows(resharing, messages.RedealOpening),
    (repairing, messages.Split, "points", moved, blame("split-sum")),
    (repairing, messages.Split, "points", cut, blame("split-point")),
    (repairing, messages.Subshare, "share", flipped, SHARE),
    (repairing, messages.Complaints, "complaints", accused, FALSE),
    (repairing, messages.SplitSum, "share", flipped, blame("repair-sum")),
    (repaired, messages.ShareProof, "proof_point", moved, HOLDER),
    (repaired, messages.ShareProof, "proof_scalar", flipped, HOLDER),
    (frost, nonces.Commitment, "hiding", moved, blame("signature-share")),
    (frost, nonces.Commitment, "binding", moved, blame("signature-share")),
    (frost, nonces.Commitment, "hiding", cut, NONCE),
    (frost, nonces.Commitment, "binding", cut, NONCE),
    (frost, signing.SignatureShare, "z", flipped, blame("signature-share")),
    (pairing, dkls.SetupOpening, "parameters", flipped, nobody("retry", "terms")),
    (pairing, dkls.SetupOpening, "nonce", flipped, blame("base-session")),
    (pairing, dkls.SetupPromise, "zero", flipped, blame("zero-promise")),
    (pairing, dkls.SetupPromise, "gadget", flipped, blame("gadget-promise")),
    (pairing, dkls.SetupChoices, "session", flipped, blame("base-session")),
    (pairing, dkls.SetupChoices, "points", cut, blame("base-choices")),
    (pairing, dkls.SetupChoices, "zero", flipped, blame("zero-promise")),
    (pairing, dkls.SetupAnswer, "session", flipped, blame("base-session")),
    (pairing, dkls.SetupAnswer, "points", cut, blame("base-answer")),
    (pairing, dkls.SetupAnswer, "gadget", flipped, blame("gadget-promise")),
    (pairing, dkls.SetupAnswer, "request.correction", flipped, ROWS),
    (pairing, dkls.SetupAnswer, "request.hashed_choice", flipped, ROWS),
    (pairing, dkls.SetupAnswer, "request.hashed_rows", flipped, ROWS),
    (pairing, dkls.SetupTrial, "nonce", flipped, INPUTS),
    (pairing, dkls.SetupTrial, "reply.corrections", flipped, INPUTS),
    (pairing, dkls.SetupTrial, "reply.combined", flipped, INPUTS),
    (pairing, dkls.SetupTrial, "reply.digest", flipped, INPUTS),
    (pairing, dkls.SetupTrial, "inputs", flipped, ban("trial-product")),
    (pairing, dkls.SetupTrial, "outputs", flipped, ban("trial-product")),
    (pairing, dkls.SetupConfirmation, "digest", flipped, blame("setup-confirmation")),
    (ecdsa, dkls.Commitment, "parameters", flipped, nobody("retry", "terms")),
    (ecdsa, dkls.Commitment, "nonce", flipped, ROWS),
    (ecdsa, dkls.Commitment, "digest", flipped, OPENING),
    (ecdsa, dkls.VoleRequest, "request.correction", flipped, ROWS),
    (ecdsa, dkls.VoleRequest, "request.hashed_choice", flipped, ROWS),
    (ecdsa, dkls.VoleRequest, "request.hashed_rows", flipped, ROWS),
    (ecdsa, dkls.Opening, "nonce_point", moved, OPENING),
    (ecdsa, dkls.Opening, "blind", flipped, OPENING),
    (ecdsa, dkls.Opening, "key_point", cut, blame("opening-point")),
    (ecdsa, dkls.Opening, "key_point", moved, POINTS),
    (ecdsa, dkls.Opening, "commitments", flipped, blame("commitments-digest")),
    (ecdsa, dkls.VoleReply, "nonce", flipped, INPUTS),
    (ecdsa, dkls.VoleReply, "reply.corrections", flipped, INPUTS),
    (ecdsa, dkls.VoleReply, "reply.combined", flipped, INPUTS),
    (ecdsa, dkls.VoleReply, "reply.digest", flipped, INPUTS),
    (ecdsa, dkls.VoleReply, "nonce_product", cut, blame("reply-encoding")),
    (ecdsa, dkls.VoleReply, "nonce_product", moved, POINTS),
    (ecdsa, dkls.VoleReply, "key_product", cut, blame("reply-encoding")),
    (ecdsa, dkls.VoleReply, "key_product", moved, POINTS),
    (ecdsa, dkls.VoleReply, "difference", flipped, WRONG),
    (ecdsa, dkls.Partial, "numerator", flipped, WRONG),
    (ecdsa, dkls.Partial, "denominator", flipped, WRONG),
    (ecdsa, dkls.Partial, "binding", flipped, blame("group-nonce")),
    (blinded, dkls.Fragments, "fragments", flipped, blame("key-points")),
    (late, dkls.Partial, "numerator", flipped, WRONG),
    (late, dkls.Partial, "denominator", flipped, WRONG),
    (late, dkls.Partial, "binding", flipped, nobody("retry", "terms")),
]


@pytest.mark.parametrize(
    ("protocol", "kind", "path", "change", "expected"),
    TABLE,
    ids=[f"{p.__name__}-{k.__name__}-{path}-{c.__name__}" for p, k, path, c, _ in TABLE],
)
def test_a_changed_field_names_its_sender(
    protocol: Protocol, kind: type, path: str, change: Change, expected: Verdict
) -> None:
    runs = protocol()
    runs[2] = unwatchful(cheating(runs[2], kind, at(path, change)))
    network = Network(runs).deliver()
    honest = set(network.runs) - {2}
    # The sum of a repair is for the one who is repaired alone.
    judges = {3} if kind is messages.SplitSum else honest
    assert network.verdicts(2) == dict.fromkeys(sorted(judges), expected)
    assert not honest & set(network.outcomes)


def test_the_table_has_every_field_of_every_message() -> None:
    # Parts of messages; and ROAST's, which has no session: tests.adversary.test_roast.
    others = {"frost.roast-row", "frost.roast-request", "frost.roast-answer"}
    families = ("dkg.", "redeal.", "repair.", "frost.", "dkls23.")
    kinds = {k for k in registered_kinds() if k.startswith(families)} - others
    wanted = {(kind, path) for kind in kinds for path in paths(message_type(kind).record.type_)}
    assert {(message_type(kind).kind, path) for _, kind, path, _, _ in TABLE} == wanted


def paths(kind: type) -> Iterator[str]:
    for field in fields(kind):
        inner = fields(field.type) if is_dataclass(field.type) else ()
        yield from [f"{field.name}.{part.name}" for part in inner] or [field.name]
