"""The story of the chains: one wallet pays on all of them, each time signed by its quorum."""

from dataclasses import dataclass, field

from solders.keypair import Keypair

from console.demo.operators import Operators
from console.demo.paying import Paying, Payment
from console.demo.report import Report
from console.demo.story import CUSTODIANS
from console.demo.window_driver import WindowDriver
from console.devnet.tokens import ETHEREUM_DOLLAR, SOLANA_DOLLAR
from ui import object_names as names
from ui.accounts import account_key

ETHER = "ethereum:m/44/60/0/0/0"
SEGWIT = "bitcoin:m/84/0/0"
TAPROOT = "bitcoin:m/86/0/0"
SOLANA = "solana:m"
ETHER_TO = "0x52908400098527886E0F7030069857D2E4169EE7"
"""An address of EIP-55's examples."""
SEGWIT_TO = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
TAPROOT_TO = "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6"
"""The programs of BIP 173's and BIP 350's examples, on regtest."""
AT_ONCE = (
    Payment("ether", ETHER, ETHER_TO, "0.5"),
    Payment("erc20", ETHER, ETHER_TO, "1.25", asset=ETHEREUM_DOLLAR),
    Payment("segwit", SEGWIT, TAPROOT_TO, "0.2"),
    Payment("taproot", TAPROOT, SEGWIT_TO, "0.3"),
)


@dataclass(slots=True)
class TransfersStory:
    """Ether, tokens, both kinds of Bitcoin, and Solana with a nonce that does not expire."""

    people: Operators
    report: Report
    transactions: dict[str, str] = field(default_factory=dict)

    @property
    def hands(self) -> WindowDriver:
        return self.people.hands

    @property
    def paying(self) -> Paying:
        return Paying(self.people)

    async def run(self) -> None:
        """Run the story."""
        first, *others = CUSTODIANS
        step = self.report.step
        async with step("Every account of the wallet is funded from the devnet's faucets"):
            await self.people.visit(first)
            await self._fund()
        async with step("Ana drafts ether, an ERC-20 token, P2WPKH, P2TR and a durable nonce"):
            drafted = {payment.name: await self.paying.draft(payment) for payment in AT_ONCE}
            drafted["nonce"] = await self._draft_nonce()
        await self._decide(others, drafted)
        to = str(Keypair().pubkey())
        async with step("Ana drafts SOL and an SPL token that stay valid while people decide"):
            durable = (
                Payment("durable", SOLANA, to, "0.75", "Invoice 2042", durable=True),
                Payment("spl", SOLANA, to, "0.5", asset=SOLANA_DOLLAR),
            )
            drafted = {payment.name: await self.paying.draft(payment) for payment in durable}
        await self._decide(others, drafted)
        self.report.facts["transactions"] = self.transactions

    async def _decide(self, approvers: list[str], drafted: dict[str, str]) -> None:
        """Have all requests approved by all, signed, and confirmed by their chains."""
        step, first = self.report.step, CUSTODIANS[0]
        for member in approvers:
            name = self.people.name(member)
            async with step(f"{name} reviews and approves {len(drafted)} requests"):
                for request in drafted.values():
                    await self.paying.approve(member, request)
        async with step("The quorum signs; each chain's own runtime confirms"):
            await self.people.visit(first)
            for name, request in drafted.items():
                view = await self.paying.confirmed(request)
                self.transactions[name] = view.transaction_id
                await self.paying.show(request, f"17-{name}-confirmed")

    async def _fund(self) -> None:
        hands, paying = self.hands, self.paying
        for account in (await paying.wallet()).accounts:
            key = account_key(account)
            await paying.open_account(key)
            await hands.click(names.WALLET_FUND)
            while True:
                found = next(a for a in (await paying.wallet()).accounts if account_key(a) == key)
                balances = [found.balance_base_units, *(t.balance_base_units for t in found.tokens)]
                if all(balance not in {"", "0"} for balance in balances):
                    break
                await hands.settle()
            label = account.label.lower().replace(" ", "-")
            await hands.picture(f"16-wallet-{label}")

    async def _draft_nonce(self) -> str:
        hands, paying = self.hands, self.paying
        await paying.open_account(SOLANA)
        await hands.click(names.WALLET_NEW_TRANSFER)
        await hands.on_screen("new_transfer")
        await hands.click(names.TRANSFER_DURABLE)
        return await paying.ask("nonce")
