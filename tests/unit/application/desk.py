"""One member's services over a ledger, a vault and a clock in memory; the others only speak."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from console.adapters.bus.in_process import InProcessBus
from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.application.aggregates import Aggregates
from console.application.ceremonies.epochs import Epochs
from console.application.ceremonies.key_generation import KeyGenerationService
from console.application.ceremonies.records import CeremonyRecords
from console.application.peers import statements as s
from console.application.peers.signed_statements import Statements, Verified
from console.application.ports.event_store import RecordedEvent
from console.application.ports.share_storage import ShareLabel
from console.application.ports.threshold import KeyMaterial, ThresholdScheme
from console.application.sessions.protocol_session import SessionFailed
from console.application.sessions.verdicts import Verdicts
from console.application.shares.share_manager import ShareManager
from console.application.signing.coordinator import SigningCoordinator
from console.application.signing.drills import DrillService
from console.application.signing.requests import RequestRecords
from console.application.signing.reservations import Reservations
from console.application.signing.transactions import Transactions
from console.domain.events import Event
from console.domain.ids import MemberId, WalletId
from console.domain.member import Enrol
from console.domain.values import Chain, SignatureKind
from console.protocols.kernel.secret import SecretBytes
from tests.fakes.chain import FakeChain, FakeCluster
from tests.fakes.clock import FakeClock
from tests.fakes.event_store import MemoryEventStore
from tests.fakes.vault import DEFAULT_PIN, FakeShares, FakeVault
from tests.unit.domain.facts import ANA, BEN, CHIARA, EVE

MEMBERS = (ANA, BEN, CHIARA, EVE)
HOUR_MS = 3_600_000


class NotedLedger(MemoryEventStore):
    """Says what was recorded, once it is durable; fails for good where a test wants it to."""

    def __init__(self, member: MemberId, clock: FakeClock, steps: list[str]) -> None:
        super().__init__(member, clock.now_ms)
        self.steps = steps
        self._left: dict[str, int] = {}

    def fail_after(self, event: str, times: int = 1) -> None:
        """Let an event be recorded so many times more, and nothing after that."""
        self._left[event] = times

    async def append(
        self, stream: str, expected_version: int, events: Sequence[Event]
    ) -> tuple[RecordedEvent, ...]:
        recorded = await super().append(stream, expected_version, events)
        names = [type(record.event).__name__ for record in recorded]
        self.steps += [f"recorded {name}" for name in names]
        for name in set(names) & set(self._left):
            self._left[name] -= names.count(name)
            self.fail_next = self.fail_next or self._left[name] <= 0
        return recorded


@dataclass
class NotedShares:
    """Says which share was stored or erased; `trouble` is raised in place of opening one."""

    inner: FakeShares
    steps: list[str]
    trouble: Exception | None = None
    opened: list[SecretBytes] = field(default_factory=list)

    async def seal(self, label: ShareLabel, share: SecretBytes) -> None:
        await self.inner.seal(label, share)
        self._note("sealed", label)

    async def replace(self, label: ShareLabel, share: SecretBytes) -> None:
        await self.inner.replace(label, share)
        self._note("replaced", label)

    async def unseal(self, label: ShareLabel) -> SecretBytes:
        if self.trouble:
            raise self.trouble
        return await self.inner.unseal(label)

    async def labels(self) -> tuple[ShareLabel, ...]:
        return await self.inner.labels()

    async def erase(self, label: ShareLabel) -> None:
        known = label in self.inner.records
        await self.inner.erase(label)
        if known:
            self._note("erased", label)

    def _note(self, done: str, label: ShareLabel) -> None:
        self.steps.append(f"{done} {label.kind.value} {label.epoch}")


@dataclass
class Desk:
    """`steps` tells what was recorded, sealed, erased and told, in order."""

    me: MemberId = ANA
    schemes: dict[SignatureKind, ThresholdScheme] = field(
        default_factory=lambda: {EddsaEd25519.kind: EddsaEd25519()}
    )
    clock: FakeClock = field(default_factory=FakeClock)
    steps: list[str] = field(default_factory=list)
    told: list[s.AnyStatement] = field(default_factory=list)
    stopped: list[tuple[frozenset[MemberId], SessionFailed]] = field(default_factory=list)
    """Whose sessions were to be ended, and what was said of it."""

    async def open(self, vaults: dict[MemberId, FakeVault] | None = None) -> "Desk":
        """Enrol everybody and unlock all tokens: new ones, or those of another member's desk."""
        self.vaults = vaults or {member: FakeVault(member) for member in MEMBERS}
        for vault in self.vaults.values():
            await vault.unlock(SecretBytes(DEFAULT_PIN))
        self.voices = {m: Statements(m, v.identity, b"vault") for m, v in self.vaults.items()}
        self.vault = self.vaults[self.me]
        self.storage = NotedShares(self.vault.shares, self.steps)
        self.ledger = NotedLedger(self.me, self.clock, self.steps)
        self.aggregates = Aggregates(self.ledger, InProcessBus())
        self.shares = ShareManager(self.me, self.storage)
        for member, vault in self.vaults.items():
            key = await vault.identity.public_key()
            enrol = Enrol(
                member=member, display_name=member, identity_key=key, tls_pin=b"", address=""
            )
            await self.aggregates.record_member(member, enrol)
        self.steps.clear()
        return self

    async def neighbour(self, me: MemberId) -> "Desk":
        """Open the desk of another member of the same vault."""
        return await Desk(me, self.schemes, self.clock).open(self.vaults)

    @property
    def now_ms(self) -> int:
        return self.clock.now_ms()

    async def publish(self, statement: s.AnyStatement) -> Verified:
        """Sign, record, tell: the order that the exchange keeps."""
        verified = await self.hear(self.me, statement)
        self.told.append(statement)
        self.steps.append(f"told {type(statement).__name__}")
        return verified

    async def hear(self, member: MemberId, statement: s.AnyStatement) -> Verified:
        """Take what a member has signed."""
        verified = await self.voices[member].sign(statement)
        await self.handlers[type(statement)](verified)
        return verified

    def taken(self) -> list[str]:
        """Give the steps since this was asked last."""
        steps = self.steps.copy()
        self.steps.clear()
        return steps

    async def reopened(self) -> "Desk":
        """Start anew over the same ledger and token, as after a crash."""
        after = replace(self, steps=[], told=[], stopped=[])
        after.vaults, after.voices, after.vault = self.vaults, self.voices, self.vault
        after.ledger = NotedLedger(self.me, self.clock, after.steps)
        after.ledger.records = self.ledger.records
        after.storage = NotedShares(self.vault.shares, after.steps)
        after.aggregates = Aggregates(after.ledger, InProcessBus())
        after.shares = ShareManager(self.me, after.storage)
        await after.aggregates.load()
        return after

    @cached_property
    def verdicts(self) -> Verdicts:
        def stop_with(members: frozenset[MemberId], failure: SessionFailed) -> Any:
            return members, failure

        def stop_where(about: Callable[[str], bool], failure: SessionFailed) -> Any:
            return about, failure

        return Verdicts(
            self.aggregates,
            self.shares,
            self.clock,
            self.stopped.append,
            stop_with,
            stop_where,
        )

    @cached_property
    def epochs(self) -> Epochs:
        return Epochs(
            me=self.me,
            aggregates=self.aggregates,
            shares=self.shares,
            clock=self.clock,
            publish=self.publish,
        )

    @cached_property
    def records(self) -> CeremonyRecords:
        return CeremonyRecords(
            me=self.me,
            aggregates=self.aggregates,
            epochs=self.epochs,
            kinds=self.schemes,
            clock=self.clock,
        )

    @cached_property
    def key_generation(self) -> KeyGenerationService:
        return KeyGenerationService(
            me=self.me,
            aggregates=self.aggregates,
            shares=self.shares,
            epochs=self.epochs,
            schemes=self.schemes,
            identity=self.vault.identity,
            verdicts=self.verdicts,
            clock=self.clock,
            publish=self.publish,
        )

    @cached_property
    def drills(self) -> DrillService:
        return DrillService(
            me=self.me,
            aggregates=self.aggregates,
            shares=self.shares,
            schemes=self.schemes,
            verdicts=self.verdicts,
            clock=self.clock,
            publish=self.publish,
        )

    @cached_property
    def chains(self) -> dict[Chain, FakeChain]:
        return {Chain.SOLANA: FakeChain(FakeCluster())}

    @cached_property
    def transactions(self) -> Transactions:
        return Transactions(self.aggregates, self.schemes, self.chains)

    @cached_property
    def requests(self) -> RequestRecords:
        return RequestRecords(
            me=self.me,
            aggregates=self.aggregates,
            transactions=self.transactions,
            schemes=self.schemes,
            clock=self.clock,
        )

    @cached_property
    def signing(self) -> SigningCoordinator:
        return SigningCoordinator(
            me=self.me,
            aggregates=self.aggregates,
            shares=self.shares,
            schemes=self.schemes,
            transactions=self.transactions,
            requests=self.requests,
            reservations=Reservations(self.me, self.aggregates, self.chains, self.clock),
            verdicts=self.verdicts,
            clock=self.clock,
            publish=self.publish,
        )

    @cached_property
    def handlers(self) -> dict[type, Callable[[Verified], Awaitable[None]]]:
        """Say who records what, as the core does."""
        return {
            s.CeremonyProposal: self.records.on_proposal,
            s.KeyChangeProposal: self.records.on_change,
            s.CeremonyAcceptance: self.records.on_acceptance,
            s.CeremonyRefusal: self.records.on_refusal,
            s.CeremonyCancellation: self.records.on_cancellation,
            s.CodeConfirmation: self.records.on_confirmation,
            s.SessionFailure: self.records.on_session_failure,
            s.KeyCertificate: self.epochs.on_certificate,
            s.Erasure: self.epochs.on_erasure,
            s.DrillResult: self.drills.on_result,
            s.TransferProposal: self.requests.on_proposal,
            s.Approval: self.requests.on_approval,
            s.Denial: self.requests.on_denial,
            s.Withdrawal: self.requests.on_withdrawal,
            s.SignatureResult: self.requests.on_signature,
        }


def opened_by(desk: Desk) -> list[KeyMaterial]:
    """Note from now on every share that this member opens."""
    opened: list[KeyMaterial] = []
    unseal = desk.shares.unseal

    async def noted(wallet: WalletId, kind: SignatureKind, epoch: int) -> KeyMaterial:
        opened.append(await unseal(wallet, kind, epoch))
        return opened[-1]

    desk.shares.unseal = noted  # type: ignore[method-assign]
    return opened
