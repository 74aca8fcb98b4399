"""The first story of the demonstration: from a key ceremony to a confirmed transfer."""

from dataclasses import dataclass
from pathlib import Path

from solders.keypair import Keypair

from console.application.api import GetRequest, GetWallets
from console.application.views import RequestStage, RequestView, WalletView
from console.demo.cluster import Cluster, ClusterFailure
from console.demo.hands import DemoFailure, Hands
from console.demo.operators import Operators
from console.demo.report import Report
from ui import object_names as names

WALLET = "Treasury"
AMOUNT = "1.25"
ETHER = "0.5"
ETHER_TO = "0x52908400098527886E0F7030069857D2E4169EE7"
"""An address of EIP-55's examples."""
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
    def hands(self) -> Hands:
        return self.people.hands

    async def run(self) -> None:
        """Tell it all."""
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
        async with step("All three nodes make the key together and show the same code"):
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
            await self._draft_transfer(str(Keypair().pubkey()), AMOUNT, "Invoice 2041")
        for member in others:
            async with step(f"{self.people.name(member)} reviews what will be signed and approves"):
                await self._approve(member)
        async with step("One node is killed half-way; the saga signs with another custodian"):
            await self._watch_signing(first)
        async with step("The transfer is confirmed by the chain"):
            await self._confirm(first, "12-signed-and-confirmed")
        async with step("The killed node comes back and catches up"):
            await self._revive()
        async with step(f"Ana drafts a transfer of {ETHER} ETH from the same wallet"):
            await self.people.visit(first)
            await self._fund_ether()
            await self._draft_transfer(ETHER_TO, ETHER, "")
        for member in others:
            async with step(f"{self.people.name(member)} approves it"):
                await self._approve(member)
        async with step("It is signed with DKLs23 and confirmed by the Ethereum runtime"):
            await self._confirm(first, "17-ether-confirmed")
            self.report.facts["ether_transaction_id"] = (await self._request()).transaction_id

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
            balance = (await self._wallet()).accounts[0].balance
        await hands.settle()
        await hands.picture("06-wallet")

    async def _fund_ether(self) -> None:
        hands = self.hands
        await hands.click(f"{names.NAV}.wallets")
        await hands.on_screen("wallets")
        (ether,) = [a for a in (await self._wallet()).accounts if a.chain == "ethereum"]
        await hands.click(f"{names.WALLET_ACCOUNTS}.{ether.chain}:{ether.path}")
        await hands.click(names.WALLET_FUND)
        while True:
            (ether,) = [a for a in (await self._wallet()).accounts if a.chain == "ethereum"]
            if ether.balance_base_units not in {"", "0"}:
                break
        await hands.settle()
        await hands.picture("16-wallet-ether")

    async def _draft_transfer(self, to_address: str, amount: str, memo: str) -> None:
        hands = self.hands
        await hands.click(names.WALLET_NEW_TRANSFER)
        await hands.on_screen("new_transfer")
        await hands.type(names.TRANSFER_TO, to_address)
        await hands.type(names.TRANSFER_AMOUNT, amount)
        if memo:
            await hands.type(names.TRANSFER_MEMO, memo)
        await hands.picture("07-transfer-form")
        await hands.click(names.TRANSFER_PREVIEW)
        await hands.until(lambda: hands.visible(names.TRANSFER_REQUEST), "the decoded transfer")
        await hands.picture("07-transfer-decoded" if memo else "16-ether-decoded")
        await hands.click(names.TRANSFER_REQUEST)
        await hands.on_screen("review")
        self.request = (await self._wallet()).history[0].request
        await hands.picture("08-review-proposer")

    async def _approve(self, member: str) -> None:
        hands = self.hands
        await self.people.visit(member)
        await hands.click(f"{names.NAV}.approvals")
        await hands.on_screen("approvals")
        await hands.picture(f"09-approvals-{member}")
        await self.people.open_first_task()
        await hands.on_screen("review")
        await hands.click(names.REVIEW_CHECK_1)
        await hands.click(names.REVIEW_CHECK_2)
        await hands.type(names.REVIEW_PIN, self.cluster.members[member].pin)
        await hands.picture(f"10-review-{member}")
        # The button arms itself for three seconds before it can be pressed.
        await hands.click(names.REVIEW_APPROVE)
        await hands.until(
            lambda: not hands.visible(names.REVIEW_APPROVE) or not hands.window.link.reachable,
            "the approval on record",
        )

    async def _watch_signing(self, member: str) -> None:
        hands = self.hands
        await self.people.visit(member)
        hands.window.show_screen("review", self.request)
        await hands.until(
            lambda: any(not m.alive for m in self.cluster.members.values()), "a killed node"
        )
        await hands.picture("11-signing-node-killed")
        while (await self._request()).stage in {RequestStage.APPROVED, RequestStage.SIGNING}:
            await hands.settle()
        view = await self._request()
        if not view.past_runs or not view.transaction_id:
            raise DemoFailure(f"the saga did not recover: {view.sentence}")
        self.report.facts["attempts"] = len(view.past_runs) + 1
        self.report.facts["transaction_id"] = view.transaction_id

    async def _confirm(self, member: str, picture: str) -> None:
        await self.people.visit(member)
        while (view := await self._request()).stage is not RequestStage.CONFIRMED:
            if view.stage is RequestStage.FAILED:
                raise DemoFailure(view.sentence)
            await self.hands.settle()
        self.hands.window.show_screen("review", self.request)
        await self.hands.on_screen("review")
        await self.hands.picture(picture)

    async def _revive(self) -> None:
        dead = [name for name, member in self.cluster.members.items() if not member.alive]
        if len(dead) != 1 or self.token.exists():
            raise ClusterFailure(f"exactly one node should have been killed, not {dead}")
        self.report.facts["killed"] = dead[0]
        await self.people.switch(dead[0])
        await self.hands.picture("13-node-away")
        await self.cluster.start_node(dead[0])
        await self.people.visit(dead[0])
        while (await self._request()).stage is not RequestStage.CONFIRMED:
            await self.hands.settle()

    async def _wallet(self) -> WalletView:
        wallets = (await self.hands.window.link.ask(GetWallets())).wallets
        await self.hands.settle()
        return wallets[0]

    async def _request(self) -> RequestView:
        return await self.hands.window.link.ask(GetRequest(self.request))
