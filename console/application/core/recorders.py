"""Which service records which statement."""

from console.application.ceremonies.epochs import Epochs
from console.application.ceremonies.records import CeremonyRecords
from console.application.peers.exchange import Handler
from console.application.peers.machines import MachineService
from console.application.peers.roster_decisions import RosterDecisions
from console.application.peers.statements import (
    Approval,
    CeremonyAcceptance,
    CeremonyCancellation,
    CeremonyProposal,
    CeremonyRefusal,
    CodeConfirmation,
    Denial,
    DrillResult,
    Erasure,
    KeyCertificate,
    KeyChangeProposal,
    RosterDecision,
    SessionFailure,
    SignatureResult,
    TransferProposal,
    Withdrawal,
)
from console.application.signing.drills import DrillService
from console.application.signing.requests import RequestRecords


def recorders(
    *,
    ceremonies: CeremonyRecords,
    epochs: Epochs,
    drills: DrillService,
    machines: MachineService,
    decisions: RosterDecisions,
    requests: RequestRecords,
) -> dict[type, Handler]:
    """Return the handler of every kind of statement that is kept."""
    return {
        CeremonyProposal: ceremonies.on_proposal,
        KeyChangeProposal: ceremonies.on_change,
        CeremonyAcceptance: ceremonies.on_acceptance,
        CeremonyRefusal: ceremonies.on_refusal,
        CeremonyCancellation: ceremonies.on_cancellation,
        CodeConfirmation: ceremonies.on_confirmation,
        SessionFailure: ceremonies.on_session_failure,
        KeyCertificate: epochs.on_certificate,
        Erasure: epochs.on_erasure,
        DrillResult: drills.on_result,
        **machines.handlers,
        RosterDecision: decisions.on_decision,
        TransferProposal: requests.on_proposal,
        Approval: requests.on_approval,
        Denial: requests.on_denial,
        Withdrawal: requests.on_withdrawal,
        SignatureResult: requests.on_signature,
    }
