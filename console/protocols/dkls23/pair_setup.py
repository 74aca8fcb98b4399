"""The steps of a setup, seen from one party: all its pairs at once, checked before they are used.

Every hash names the session, both parties and who of them receives the multiplication, so nothing
sent for one pair, direction or session fits another (docs/spec 3.2).
"""

import hmac
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from console.protocols.dkls23.messages import (
    SetupAnswer,
    SetupChoices,
    SetupConfirmation,
    SetupPromise,
    SetupTrial,
)
from console.protocols.dkls23.pairs import PairStates, ban_all
from console.protocols.dkls23.parameters import reply_session
from console.protocols.kernel.abort import Accusations
from console.protocols.kernel.party import Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import Field, H, Tag
from console.protocols.math.group import Scalar
from console.protocols.math.secp256k1 import SECP256K1
from console.protocols.ot import endemic, extension, vole
from console.protocols.ot.endemic import BadTransfer, BothKeys, Choice, ChosenKeys
from console.protocols.ot.extension import ChoicesInconsistent, Choosing, Request
from console.protocols.ot.vole import BadReply, InputsInconsistent


def promise(parameters: bytes, sender: int, receiver: int, purpose: str, value: bytes) -> bytes:
    """Commit to 32 random bytes; they need no blind."""
    return H(Tag.DKLS_SETUP_PROMISE, parameters, sender, receiver, purpose, value)


@dataclass(frozen=True, slots=True)
class PairSetup:
    """Our part in one setup session, with all peers; `session` covers the randomness of all."""

    me: int
    session: bytes
    parameters: bytes

    def id(self, receiver: int, sender: int) -> bytes:
        """Name the base transfers that serve multiplications from `sender` to `receiver`."""
        return H(Tag.DKLS_SETUP_PAIR, self.session, receiver, sender)

    def vole(self, receiver: int, sender: int) -> bytes:
        """Name the trial of one direction."""
        return H(Tag.DKLS_VOLE, self.session, receiver, sender)

    def zero_seed(self, peer: int, ours: SecretBytes, theirs: SecretBytes) -> SecretBytes:
        """Join both parts of the seed for shares of zero, in order of the parties."""
        return SecretBytes(
            self._join(Tag.DKLS_ZERO_SEED, peer, bytes(ours.view()), bytes(theirs.view()))
        )

    def gadget_id(self, peer: int, ours: bytes, theirs: bytes) -> bytes:
        """Join both parts of what the gadgets are drawn from, which is public."""
        return self._join(Tag.DKLS_GADGET_ID, peer, ours, theirs)

    def answer(
        self,
        promises: Mapping[int, SetupPromise],
        chosen: Mapping[int, SetupChoices],
        held: ExitStack,
        random: Random,
    ) -> dict[int, tuple[BothKeys, bytes]]:
        """Answer the transfers that the others receive; `held` wipes the keys.

        Raises: ProtocolAbort BLAME.
        """
        accusations = Accusations()
        for j, message in chosen.items():
            promised = promise(self.parameters, j, self.me, "zero", bytes(message.zero.view()))
            if not hmac.compare_digest(promised, promises[j].zero):
                accusations.add(j, "zero-promise")
            if message.session != self.id(self.me, j):
                accusations.add(j, "base-session")
        accusations.raise_if_any()

        answers: dict[int, tuple[BothKeys, bytes]] = {}
        for j, message in chosen.items():
            try:
                answers[j] = endemic.answer(message.session, message.points, random)
                held.callback(answers[j][0].wipe)
            except BadTransfer:
                accusations.add(j, "base-choices")
        accusations.raise_if_any()
        return answers

    def receive(
        self,
        promises: Mapping[int, SetupPromise],
        choices: Mapping[int, Choice],
        answered: Mapping[int, SetupAnswer],
        held: ExitStack,
    ) -> dict[int, ChosenKeys]:
        """Take the keys we chose; `held` wipes them. Raises: ProtocolAbort BLAME."""
        accusations = Accusations()
        for j, message in answered.items():
            promised = promise(self.parameters, j, self.me, "gadget", message.gadget)
            if not hmac.compare_digest(promised, promises[j].gadget):
                accusations.add(j, "gadget-promise")
            if message.session != self.id(j, self.me):
                accusations.add(j, "base-session")
        accusations.raise_if_any()

        received: dict[int, ChosenKeys] = {}
        for j, message in answered.items():
            try:
                received[j] = endemic.receive(choices[j], message.points)
                held.callback(received[j].wipe)
            except BadTransfer:
                accusations.add(j, "base-answer")
        accusations.raise_if_any()
        return received

    def join(
        self, pairs: PairStates, answered: Mapping[int, SetupAnswer], random: Random
    ) -> dict[int, SetupTrial]:
        """Check the others' requests, and answer with trial inputs. Raises: ProtocolAbort BAN."""
        matrices: dict[int, SecretBytes] = {}
        cheats: dict[int, str] = {}
        for j, message in answered.items():
            keys = pairs.state(j).chosen_keys
            try:
                matrices[j] = extension.accept(keys, self.vole(j, self.me), message.request)
            except ChoicesInconsistent:
                cheats[j] = "ot-rows"
        try:
            if cheats:
                raise ban_all(cheats, "the trial request is inconsistent")
            return {
                j: self._trial(pairs, j, matrix, answered[j].request, random)
                for j, matrix in matrices.items()
            }
        finally:
            for matrix in matrices.values():
                matrix.wipe()

    def judge(
        self,
        pairs: PairStates,
        trials: Mapping[int, tuple[Choosing, Request]],
        shown: Mapping[int, SetupTrial],
    ) -> None:
        """Check c_i + d_i = a_i * b in every trial we began. Raises: ProtocolAbort BLAME or BAN."""
        accusations = Accusations()
        cheats: dict[int, str] = {}
        for j, trial in shown.items():
            choosing, request = trials[j]
            weights = pairs.gadget_from(j)
            session = self._reply_session(self.me, j, trial.nonce, request)
            try:
                d = vole.finish(choosing, weights, session, trial.reply)
            except BadReply:
                accusations.add(j, "trial-scalar")
                continue
            except InputsInconsistent:
                cheats[j] = "vole-inputs"
                continue
            b = vole.share_of(choosing, weights)
            a, c = _pair(trial.inputs), _pair(trial.outputs)
            if any(_add(c[i], d[i]) != _multiply(a[i], b) for i in (0, 1)):
                cheats[j] = "trial-product"
        # Bans first: they are about secrets, and the state is about to be thrown away either way.
        if cheats:
            raise ban_all(cheats, "the trial multiplication is wrong")
        accusations.raise_if_any()

    def confirmation(self, pairs: PairStates, sender: int, receiver: int) -> bytes:
        """Hash what the pair holds, with a direction, so that it cannot be sent back."""
        state = pairs.state(receiver if sender == self.me else sender)
        return H(
            Tag.DKLS_SETUP_CONFIRMATION,
            self.session,
            sender,
            receiver,
            bytes(state.zero_seed.view()),
            state.gadget_id,
        )

    def confirm(self, pairs: PairStates, confirmations: Mapping[int, SetupConfirmation]) -> None:
        """Check that every peer holds what we hold. Raises: ProtocolAbort BLAME."""
        accusations = Accusations()
        for j, message in confirmations.items():
            if not hmac.compare_digest(message.digest, self.confirmation(pairs, j, self.me)):
                accusations.add(j, "setup-confirmation")
        accusations.raise_if_any()

    def _trial(
        self, pairs: PairStates, peer: int, matrix: SecretBytes, request: Request, random: Random
    ) -> SetupTrial:
        nonce = random(32)
        first, second = (SECP256K1.random_scalar(random) for _ in range(2))
        reply, c1, c2 = vole.reply(
            pairs.state(peer).chosen_keys,
            pairs.gadget_to(peer),
            self._reply_session(peer, self.me, nonce, request),
            matrix,
            (first, second),
            random,
        )
        return SetupTrial(nonce, reply, first + second, c1 + c2)

    def _reply_session(self, receiver: int, sender: int, nonce: bytes, request: Request) -> bytes:
        return reply_session(self.vole(receiver, sender), self.session, nonce, request)

    def _join(self, tag: Tag, peer: int, ours: bytes, theirs: bytes) -> bytes:
        parts: list[Field] = [(self.me, ours), (peer, theirs)]
        parts = parts if self.me < peer else parts[::-1]
        return H(tag, self.session, parts)


_add, _multiply = SECP256K1.add_scalars, SECP256K1.multiply_scalars


def _pair(data: bytes) -> tuple[Scalar, Scalar]:
    """Read two numbers that a trial has made public, modulo the order."""
    first, second = (int.from_bytes(half, "big") for half in (data[:32], data[32:]))
    return SECP256K1.scalar(first), SECP256K1.scalar(second)
