"""Setup of all pairs of a key's owners, in one run: once per key and epoch (docs/spec 3.2).

Rounds: commit; base transfers chosen; base transfers answered, and a trial multiplication begun;
trial answered; confirmations. Every ordered pair has its own transfers, in which the roles of the
multiplications they serve are reversed. Nobody finishes unless every pair has passed its trials,
so that a corrupt state does not look like an attack later.
"""

from collections.abc import Mapping
from contextlib import ExitStack

from console.protocols.dkls23.messages import (
    SetupAnswer,
    SetupChoices,
    SetupConfirmation,
    SetupOpening,
    SetupPromise,
    SetupTrial,
)
from console.protocols.dkls23.pair_setup import PairSetup, promise
from console.protocols.dkls23.pairs import PairState, PairStates
from console.protocols.kernel.abort import retry
from console.protocols.kernel.party import Party, Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import H, Tag
from console.protocols.ot import endemic, extension


async def setup(party: Party, context: bytes, random: Random) -> PairStates:
    """Make the pair states of all parties. `context` names key, epoch and group key.

    All owners of the key take part, also after a ban: states of two setups do not sign together.
    Raises: ProtocolAbort BLAME naming all who sent bad points or broke a promise; BAN naming all
    who failed a secret-dependent check of a trial; RETRY if the parties disagree on the parameters.
    """
    if len(party.parties) < 2:
        raise ValueError("a setup needs two parties")
    parameters = H(Tag.DKLS_SETUP_TERMS, party.session_id, party.parties, context)
    with ExitStack() as dropped, ExitStack() as kept:
        # Round 1: fresh randomness of all, and promises, so that nobody chooses after the others.
        zeros = {j: SecretBytes(random(32)) for j in party.others}
        for zero in zeros.values():
            dropped.callback(zero.wipe)
        gadgets = {j: random(32) for j in party.others}
        pair_setup, promises = await _open(party, parameters, zeros, gadgets, random)

        # Round 2: choose the bits of base transfers in which we are the receiver.
        choices = {j: endemic.choose(pair_setup.id(j, party.me), random) for j in party.others}
        for j, choice in choices.items():
            dropped.callback(choice.wipe)
            await party.send(j, SetupChoices(choice.session, choice.points, zeros[j]))
        chosen = await party.gather(SetupChoices)
        for message in chosen.values():
            dropped.callback(message.zero.wipe)
        answers = pair_setup.answer(promises, chosen, kept, random)
        zero_seeds = {j: pair_setup.zero_seed(j, zeros[j], chosen[j].zero) for j in party.others}
        for zero in zero_seeds.values():
            kept.callback(zero.wipe)

        # Round 3: answer the others' choices, and begin a trial with the keys they made.
        trials = {}
        for j, (keys, points) in answers.items():
            trials[j] = extension.request(keys, pair_setup.vole(party.me, j), random)
            choosing, request = trials[j]
            dropped.callback(choosing.wipe)
            await party.send(
                j, SetupAnswer(pair_setup.id(party.me, j), points, gadgets[j], request)
            )
        answered = await party.gather(SetupAnswer)
        received = pair_setup.receive(promises, choices, answered, kept)
        seeds = {j: pair_setup.gadget_id(j, gadgets[j], answered[j].gadget) for j in party.others}
        states = {
            j: PairState(seeds[j], zero_seeds[j], answers[j][0], received[j]) for j in party.others
        }
        pairs = PairStates(party.me, pair_setup.session, sorted(states.items()))

        # Round 4: answer the others' trials with throw-away inputs, and reveal these.
        for j, trial in pair_setup.join(pairs, answered, random).items():
            await party.send(j, trial)
        pair_setup.judge(pairs, trials, await party.gather(SetupTrial))

        # Round 5: confirm that all our trials were right, and what the pair holds.
        for j in party.others:
            await party.send(j, SetupConfirmation(pair_setup.confirmation(pairs, party.me, j)))
        pair_setup.confirm(pairs, await party.gather(SetupConfirmation))
        kept.pop_all()
        return pairs


async def _open(
    party: Party,
    parameters: bytes,
    zeros: Mapping[int, SecretBytes],
    gadgets: Mapping[int, bytes],
    random: Random,
) -> tuple[PairSetup, dict[int, SetupPromise]]:
    """Round 1: promise our parts of the seeds, and name the session."""
    ours = SetupOpening(parameters, random(32))
    await party.broadcast(ours)
    for j in party.others:
        zero = promise(parameters, party.me, j, "zero", bytes(zeros[j].view()))
        gadget = promise(parameters, party.me, j, "gadget", gadgets[j])
        await party.send(j, SetupPromise(zero, gadget))
    openings = {party.me: ours, **await party.gather(SetupOpening)}
    promises = await party.gather(SetupPromise)
    if any(opening.parameters != parameters for opening in openings.values()):
        raise retry("the parties do not agree on what the setup is for", check="terms")
    nonces = [(i, openings[i].nonce) for i in sorted(openings)]
    return PairSetup(party.me, H(Tag.DKLS_SETUP, parameters, nonces), parameters), promises
