"""The first story of the demonstration: from a key ceremony to a confirmed transfer."""

from dataclasses import dataclass
from pathlib import Path

from solders.keypair import Keypair

from console.application.views import RequestStage
from console.demo.cluster import Cluster, ClusterFailure
from console.demo.operators import Operators
from console.demo.paying import Paying, Payment
from console.demo.report import Report
from console.demo.window_driver import DemoFailure, WindowDriver
from ui import object_names as names

WALLET = "Treasury"
AMOUNT = "1.25"
SOLANA = "solana:m"
FAULT = "signing:2"
CUSTODIANS = ("ana", "ben", "chiara")


@dataclass(slots=True)
class Story:
    """Three members, one window. Each method is one step of the report."""

    people: Operators
    report: Report
    token: Path
    request: str = ""

    @property
    def cluster(self) -> Cluster:
        return self.people.cluster

    @property
    def hands(self) -> WindowDriver:
        return self.people.hands

    @property
    def paying(self) -> Paying:
        return Paying(self.people)

    async def run(self) -> None:
        """Run the story."""
        step = self.report.step
        first, *others = CUSTODIANS
        async with step("Ana unlocks her token; her ledger is verified"):
            await self.people.sign_in(first)
            await self.hands.picture("02-overview-empty")
        async with step("Ana proposes a 2-of-3 key ceremony"):
            await self._propose_ceremony()
        for member in others:
            async with step(f"{self.people.name(member)} unlocks and accepts the ceremony"):
                await self.people.switch(member)
                await self.people.sign_in(member)
                await self.people.accept_ceremony(member, f"03-ceremony-accept-{member}")
        async with step("All three nodes generate the key together and show the same code"):
            await self.hands.until(
                lambda: self.hands.visible(names.CEREMONY_COMPARED), "the code to compare", 60
            )
            await self.hands.picture("04-ceremony-code")
        for member in (others[-1], *others[:-1], first):
            async with step(f"{self.people.name(member)} compares the code and certifies the key"):
                await self.people.confirm_code(member, f"05-ceremony-certified-{member}")
        async with step("The wallet is active; its account is funded from the devnet's faucet"):
            await self._fund_wallet()
        async with step(f"Ana drafts a transfer of {AMOUNT} SOL, decoded from its own bytes"):
            to = str(Keypair().pubkey())
            payment = Payment("transfer", SOLANA, to, AMOUNT, "Invoice 2041")
            self.request = await self.paying.draft(payment)
            await self.hands.picture("08-review-proposer")
        for member in others:
            async with step(f"{self.people.name(member)} reviews what will be signed and approves"):
                await self.paying.approve(member, self.request, member)
        async with step("One node is killed half-way; the saga signs with another custodian"):
            await self._watch_signing(first)
        async with step("The transfer is confirmed by the chain"):
            await self._confirm(first)
        async with step("The killed node comes back and catches up"):
            await self._revive()

    async def _propose_ceremony(self) -> None:
        hands = self.hands
        await hands.click(f"{names.NAV}.ceremonies")
        await hands.picture("03-ceremonies-empty")
        await hands.click("ceremonies.emptyAction")
        await hands.type(names.CEREMONY_NAME, WALLET)
        for member in self.cluster.members:
            if member not in CUSTODIANS:
                await hands.click(f"{names.CEREMONY_CUSTODIAN}.{member}")
        await hands.picture("03-ceremony-form")
        await hands.click(names.CEREMONY_PROPOSE)
        await hands.until(lambda: hands.visible(names.CEREMONY_CANCEL), "the proposed ceremony")
        await hands.picture("03-ceremony-proposed")

    async def _fund_wallet(self) -> None:
        hands = self.hands
        await hands.until(lambda: hands.visible(names.CEREMONY_OPEN_WALLET), "the active wallet")
        await hands.click(names.CEREMONY_OPEN_WALLET)
        await hands.on_screen("wallets")
        await hands.click(names.WALLET_FUND)
        balance = ""
        while not balance:
            balance = (await self.paying.wallet()).accounts[0].balance
        await hands.settle()
        await hands.picture("06-wallet")

    async def _watch_signing(self, member: str) -> None:
        hands = self.hands
        await self.people.visit(member)
        hands.window.show_screen("review", self.request)
        await hands.until(
            lambda: any(not m.alive for m in self.cluster.members.values()), "a killed node"
        )
        await hands.picture("11-signing-node-killed")
        while (await self.paying.request(self.request)).stage in {
            RequestStage.APPROVED,
            RequestStage.SIGNING,
        }:
            await hands.settle()
        view = await self.paying.request(self.request)
        if not view.past_runs or not view.transaction_id:
            raise DemoFailure(f"the saga did not recover: {view.sentence}")
        self.report.facts["attempts"] = len(view.past_runs) + 1
        self.report.facts["transaction_id"] = view.transaction_id

    async def _confirm(self, member: str) -> None:
        await self.people.visit(member)
        await self.paying.confirmed(self.request)
        await self.paying.show(self.request, "12-signed-and-confirmed")

    async def _revive(self) -> None:
        dead = [name for name, member in self.cluster.members.items() if not member.alive]
        if len(dead) != 1 or self.token.exists():
            raise ClusterFailure(f"exactly one node should have been killed, not {dead}")
        self.report.facts["killed"] = dead[0]
        await self.people.switch(dead[0])
        await self.hands.picture("13-node-away")
        await self.cluster.start_node(dead[0])
        await self.people.visit(dead[0])
        while (await self.paying.request(self.request)).stage is not RequestStage.CONFIRMED:
            await self.hands.settle()
