"""The second story of the demonstration: a lost machine, a refresh, and more custodians."""

from dataclasses import dataclass

from console.application.api import GetWallets
from console.application.views import ShareState
from console.demo.operators import Operators
from console.demo.report import Report
from console.demo.story import CUSTODIANS
from console.demo.window_driver import DemoFailure, WindowDriver
from ui import object_names as names

LOST = "chiara"
ENDORSEMENTS = ("ana", "ben", "dora")
"""More than half of the other four founders."""
JOINING = ("dora", "eli")
EVERYBODY = (*CUSTODIANS, *JOINING)


@dataclass(slots=True)
class LifecycleStory:
    """Repair, refresh and reshare. After each ceremony every key signs, with every share."""

    people: Operators
    report: Report

    @property
    def hands(self) -> WindowDriver:
        return self.people.hands

    async def run(self) -> None:
        """Run the story."""
        step, name = self.report.step, self.people.name
        first, second = ENDORSEMENTS[:2]
        async with step("Every custodian has proved its share with a signature of each kind"):
            await self._all_proved(0, CUSTODIANS)
            addresses = await self._addresses()
        async with step(f"The machine of {name(LOST)} is lost, its token with it; a new one joins"):
            entry = await self._replace_machine()
        for member in ENDORSEMENTS:
            async with step(f"{name(member)} compares its code and endorses it"):
                await self._endorse(member, entry)
        async with step(f"{name(first)} proposes to repair the lost share"):
            await self._propose(first, names.RECOVERY_REPAIR, f"{LOST}")
        await self._hold_ceremony(first, CUSTODIANS, "the repair", "23-repair")
        async with step("The repaired share signs; the lost machine's copy cannot"):
            await self._all_proved(1, CUSTODIANS)
        async with step(f"{name(second)} proposes to refresh all shares"):
            await self._propose(second, names.RECOVERY_REFRESH)
        await self._hold_ceremony(second, CUSTODIANS, "the refresh", "24-refresh")
        async with step("The refreshed shares sign; the old ones are erased"):
            await self._all_proved(2, CUSTODIANS)
        async with step(f"{name(first)} proposes to reshare the wallet to 3 of 5"):
            await self._propose_reshare(first)
        await self._hold_ceremony(first, EVERYBODY, "the reshare", "25-reshare")
        async with step("All five shares sign, three at a time; the address is the same"):
            await self._all_proved(3, EVERYBODY)
            if await self._addresses() != addresses:
                raise DemoFailure("the wallet's address has changed")

    async def _all_proved(self, epoch: int, custodians: tuple[str, ...]) -> None:
        """Wait until every share of an epoch has signed with every kind of key."""
        hands = self.hands
        await self.people.visit(custodians[0])
        await hands.click(f"{names.NAV}.recovery")
        await hands.on_screen("recovery")
        while True:
            view = await self.people.shares()
            proved = {s.member for s in view.shares if s.state is ShareState.PROVED}
            if view.epoch == epoch and proved == set(custodians) and not view.not_erased:
                break
            await hands.settle()
        drills = [drill for drill in view.drills if drill.epoch == epoch]
        if any(drill.kinds != view.kinds for drill in drills):
            raise DemoFailure("a drill has not used every kind of key")
        self.report.proved.append(
            {"epoch": epoch, "kinds": list(view.kinds), "custodians": sorted(proved)}
        )
        await hands.settle()
        await hands.picture(f"20-recovery-epoch-{epoch}")

    async def _addresses(self) -> list[str]:
        (wallet,) = (await self.hands.window.link.ask(GetWallets())).wallets
        return [account.address for account in wallet.accounts]

    async def _replace_machine(self) -> str:
        hands, cluster = self.hands, self.people.cluster
        for member in JOINING:
            await self.people.visit(member)
        entry = await cluster.replace_machine(LOST)
        await self.people.visit(ENDORSEMENTS[0])
        await cluster.start_node(LOST)
        await self.people.visit(LOST)
        await hands.picture("21-new-machine")
        return entry

    async def _endorse(self, member: str, entry: str) -> None:
        """Endorse a machine: the first member enters its line, the others open their task."""
        hands, pin = self.hands, self.people.cluster.members[member].pin
        await self.people.visit(member)
        if member == ENDORSEMENTS[0]:
            await hands.click(f"{names.NAV}.recovery")
            await hands.click(f"{names.RECOVERY_TABS}.machines")
            await hands.click(names.MACHINES_ADD)
            await hands.paste(f"{names.MACHINE_ENTRY_PANEL}.entry", entry)
            part = f"{names.MACHINE_ENTRY_PANEL}.endorse"
        else:
            await self.people.open_first_task()
            part = names.MACHINE_ENDORSE
        await hands.click(f"{part}.compared")
        await hands.type(f"{part}.pin", pin)
        await hands.picture(f"22-endorse-{member}")
        await hands.click(f"{part}.approve")
        await hands.until(
            lambda: not (button := hands.visible(f"{part}.approve")) or not button.isEnabled(),
            f"that {member} has endorsed",
        )

    async def _propose(self, member: str, action: str, chosen: str = "") -> None:
        hands = self.hands
        await self.people.visit(member)
        await hands.click(f"{names.NAV}.recovery")
        await hands.click(action)
        if chosen:
            await hands.click(f"{names.RECOVERY_CONFIRM}.member.{chosen}")
        await hands.picture(f"23-confirm-{action.rpartition('.')[2]}")
        await hands.click(f"{names.RECOVERY_CONFIRM}.confirm")
        await hands.on_screen("ceremonies")

    async def _propose_reshare(self, member: str) -> None:
        hands = self.hands
        await self.people.visit(member)
        await hands.click(f"{names.NAV}.recovery")
        await hands.click(names.RECOVERY_RESHARE)
        for joining in JOINING:
            await hands.click(f"{names.RESHARE_CUSTODIAN}.{joining}")
        await hands.click(f"{names.RESHARE_THRESHOLD}.more")
        await hands.picture("25-reshare-plan")
        await hands.click(names.RESHARE_PROPOSE)
        await hands.click(f"{names.RECOVERY_CONFIRM}.confirm")
        await hands.on_screen("ceremonies")

    async def _hold_ceremony(
        self, proposer: str, participants: tuple[str, ...], what: str, picture: str
    ) -> None:
        """Run a ceremony: all accept, compare one code, and certify."""
        step, name, hands = self.report.step, self.people.name, self.hands
        others = tuple(member for member in participants if member != proposer)
        for member in others:
            async with step(f"{name(member)} accepts {what}"):
                await self.people.accept_ceremony(member, f"{picture}-accept")
        async with step(f"The nodes run {what}; all show the same code"):
            await hands.until(
                lambda: hands.visible(names.CEREMONY_COMPARED), "the code to compare", 90
            )
            await hands.picture(f"{picture}-code")
        for member in (*others, proposer):
            async with step(f"{name(member)} compares the code and certifies"):
                await self.people.confirm_code(member)
