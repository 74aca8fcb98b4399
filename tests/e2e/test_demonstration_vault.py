"""The demonstration vault: made, used, kept over the end of its processes, thrown away."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from console.application.api import (
    GetCeremonies,
    GetCeremony,
    GetRequest,
    GetWallet,
    GetWallets,
    PreviewTransfer,
)
from console.application.commands import (
    ConfirmCeremonyCode,
    Pin,
    ProposeCeremony,
    ProposeTransfer,
    Unlock,
)
from console.application.views import CeremonyStage, RequestStage, WalletView
from console.client import Profile, connect, find_profiles
from console.client.remote import RemoteConsole
from console.client.set_up import messages as m
from console.client.set_up.process import SetUpProcess
from console.set_up.ports import free_ports
from console.set_up.trial_files import TrialFiles, fresh_record, start_of
from console.settings import MemberFiles, read_settings

pytestmark = [pytest.mark.e2e, pytest.mark.hsm, pytest.mark.timeout(600)]

TO = "0x52908400098527886E0F7030069857D2E4169EE7"
CUSTODIANS = ("ana", "ben", "chiara")
WAIT_S = 120.0


class Trial:
    """The demonstration below one home, and the first member's window."""

    def __init__(self, home: Path) -> None:
        self.setting_up = SetUpProcess(home)
        self.files = TrialFiles(home / "demonstration")
        self.told: list[m.Progress] = []

    async def make(self) -> m.TrialReady:
        return await self.setting_up.ask(m.MakeTrial(), m.TrialReady, self.told.append)

    async def discard(self) -> None:
        await self.setting_up.ask(m.DiscardTrial(), m.Discarded)

    async def signed_in(self, ready: m.TrialReady) -> RemoteConsole:
        console = await connect(Profile(ready.member, "", Path(ready.home) / ready.member))
        await console.execute(Unlock(Pin(bytearray(ready.pin.encode()))))
        return console


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_S):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.2)


@pytest_asyncio.fixture
async def trial(tmp_path: Path) -> AsyncIterator[Trial]:
    trial = Trial(tmp_path / "home")
    try:
        yield trial
    finally:
        await trial.discard()


async def ceremony(console: RemoteConsole) -> None:
    kinds = tuple(kind.kind for kind in (await console.ask(GetCeremonies())).kinds)
    proposal = ProposeCeremony(
        wallet_name="Treasury",
        kinds=kinds,
        threshold=2,
        custodians=CUSTODIANS,
        approvals_needed=2,
    )
    subject = (await console.execute(proposal)).subject

    async def completed() -> bool:
        view = await console.ask(GetCeremony(subject))
        if view.can_confirm:
            await console.execute(ConfirmCeremonyCode(subject, view.code))
        return view.stage is CeremonyStage.COMPLETED

    await until(completed)


async def funded(console: RemoteConsole) -> WalletView:
    async def has_funds() -> bool:
        (wallet,) = (await console.ask(GetWallets())).wallets
        wallet = await console.ask(GetWallet(wallet.wallet, refresh=True))
        held = [each.balance_base_units for each in wallet.accounts]
        held += [token.balance_base_units for each in wallet.accounts for token in each.tokens]
        return all(balance not in {"", "0"} for balance in held)

    await until(has_funds)
    (wallet,) = (await console.ask(GetWallets())).wallets
    return wallet


async def pay(console: RemoteConsole, wallet: WalletView) -> None:
    chain = next(each.chain for each in wallet.accounts if each.unit == "ETH")
    asked = PreviewTransfer(wallet=wallet.wallet, chain=chain, to_address=TO, amount="0.25")
    preview = await console.ask(asked)
    assert preview.problems == ()
    request = ProposeTransfer(
        wallet=wallet.wallet, chain=chain, transaction=preview.transaction, note="Invoice 1"
    )
    subject = (await console.execute(request)).subject

    async def confirmed() -> bool:
        view = await console.ask(GetRequest(subject))
        assert view.stage is not RequestStage.FAILED, view.sentence
        return view.stage is RequestStage.CONFIRMED

    await until(confirmed)


def nodes_of(supervisor: int) -> dict[str, int]:
    """Return the nodes that a supervisor has started, by member."""
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    found = {}
    for child in children:
        words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        if b"--member" in words:
            found[words[words.index(b"--member") + 1].decode()] = int(child)
    return found


def shown_of(pid: int) -> bytes:
    """Return what others see of a process: its command line, and its environment if they may."""
    shown = Path(f"/proc/{pid}/cmdline").read_bytes()
    with contextlib.suppress(PermissionError):
        shown += Path(f"/proc/{pid}/environ").read_bytes()
    return shown


async def test_the_whole_of_it(trial: Trial) -> None:
    ready = await trial.make()
    assert [progress.done for progress in trial.told] == sorted(p.done for p in trial.told)
    assert all(0 <= p.done <= p.total and p.text for p in trial.told)
    assert [profile.member for profile in find_profiles(Path(ready.home))] == list(CUSTODIANS)
    assert (await trial.setting_up.ask(m.LookHere(), m.Here)).trial
    console = await trial.signed_in(ready)
    await ceremony(console)
    await pay(console, await funded(console))
    await console.close()

    # A node that is killed is there again.
    supervisor = trial.files.supervisor()
    assert supervisor is not None
    killed = nodes_of(supervisor.pid)["ana"]
    os.kill(killed, signal.SIGKILL)

    async def another() -> bool:
        return nodes_of(supervisor.pid).get("ana", killed) != killed

    await until(another)
    # So is all of it when its processes are gone, with what happened on its chains.
    os.kill(supervisor.pid, signal.SIGKILL)

    async def gone() -> bool:
        return trial.files.supervisor() is None

    await until(gone)
    again = await trial.make()
    assert again == ready
    console = await trial.signed_in(again)
    wallet = await funded(console)
    spent = next(each for each in wallet.accounts if each.unit == "ETH")
    assert int(spent.balance_base_units) < 5 * 10**spent.decimals
    await pay(console, wallet)
    await console.close()

    supervisor = trial.files.supervisor()
    assert supervisor is not None
    running = [supervisor.pid, *nodes_of(supervisor.pid).values()]
    assert len(running) == 1 + len(CUSTODIANS)
    await trial.discard()
    assert [pid for pid in running if start_of(pid)] == []
    assert not trial.files.home.exists()
    assert not (await trial.setting_up.ask(m.LookHere(), m.Here)).trial


async def test_its_pins_are_in_its_own_file_and_nowhere_else(trial: Trial) -> None:
    ready = await trial.make()
    record = json.loads((trial.files.home / "demonstration.json").read_text())
    assert "demonstration" in record["warning"].lower()
    assert (trial.files.home / "demonstration.json").stat().st_mode & 0o777 == 0o600
    pins = [member["digits"].encode() for member in record["members"]]
    assert ready.pin.encode() == pins[0]
    for path in trial.files.home.rglob("*"):
        if path.is_file() and path.name != "demonstration.json":
            data = path.read_bytes()
            assert not any(pin in data for pin in pins), path
    supervisor = trial.files.supervisor()
    assert supervisor is not None
    for pid in (supervisor.pid, *nodes_of(supervisor.pid).values()):
        shown = shown_of(pid)
        assert shown
        assert not any(pin in shown for pin in pins)
    networks = {c.network for c in read_settings(MemberFiles(trial.files.home / "ben")).chains}
    assert networks == {"devnet"}


async def test_what_a_crash_left_half_made_is_made_anew(trial: Trial) -> None:
    trial.files.home.mkdir(parents=True)
    trial.files.keep(fresh_record(free_ports(7)))
    (trial.files.home / "ana").mkdir()
    (trial.files.home / "ana" / "member.toml").write_text("half")
    assert (await trial.setting_up.ask(m.LookHere(), m.Here)).trial
    ready = await trial.make()
    console = await trial.signed_in(ready)
    await console.close()
