"""The states of the first run of which pictures are drawn."""

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from console.application.views import CeremonyStage, InboxView, RequestStage
from console.client.set_up import messages as m
from tests.fakes import scenario, setting_up
from tests.fakes.console import FakeConsole
from tests.fakes.setting_up import FAILED, FakeSettingUp, draft, entry
from tests.ui.driving import Driver
from tests.ui.first_running import FirstRun
from ui.first_run import homes, names
from ui.first_run.guide_steps import current

Act = Callable[[FirstRun], None]
FirstShot = tuple[str, Callable[[FakeSettingUp], None], Act]
_ANYTHING = "Wolfgang-Maximilian Featherstonehaugh-Cholmondeley"


def _plain(fake: FakeSettingUp) -> None:
    del fake


def _begun(fake: FakeSettingUp) -> None:
    fake.drafts = {"ana-ruiz": draft(4), "ben": replace(draft(2), member="ben", name="Ben Okafor")}
    fake.trial = True


def _impossible(fake: FakeSettingUp) -> None:
    fake.trial_possible = (
        "SoftHSM is not installed on this machine. Its package is called softhsm2."
    )


def _refusing(kind: type[m.Question], refused=FAILED) -> Callable[[FakeSettingUp], None]:
    return lambda fake: fake.refusals.update({kind: refused})


def _hanging(kind: type[m.Question], done: int, total: int, text: str):
    def prepare(fake: FakeSettingUp) -> None:
        fake.hangs.add(kind)
        fake.told[kind] = m.Progress(done=done, total=total, text=text)

    return prepare


def _resume(made: m.Draft) -> Act:
    return lambda run: run.resume(made)


def _then(made: m.Draft, *acts: Act) -> Act:
    def act(run: FirstRun) -> None:
        run.resume(made)
        for each in acts:
            each(run)
        run.pass_time(0.05)

    return act


def _press(name: str) -> Act:
    return lambda run: run.press(name)


def _seen(*modules: m.ModuleSeen, softhsm: bool = True) -> Callable[[FakeSettingUp], None]:
    seen = m.TokensSeen(modules=modules, softhsm=softhsm)
    return lambda fake: setattr(fake, "seen", seen)


def _name(text: str, member: str = "") -> Act:
    def act(run: FirstRun) -> None:
        run.begin()
        run.page.name.setText(text)
        run.page.name.textEdited.emit(text)
        if member:
            run.page.member.setText(member)
            run.page.member.textEdited.emit(member)
        run.pass_time(0.4)

    return act


def _unplug(run: FirstRun) -> None:
    run.press(f"{names.TOKENS_LIST}.DENK0104078")
    lacking = setting_up.tokens().modules[0].tokens[1:]
    run.fake.plug(m.TokensSeen(modules=(setting_up.module(*lacking),), softhsm=True))
    run.until(run.page.gone.isVisible)


def _pin(text: str) -> Act:
    def act(run: FirstRun) -> None:
        run.page.pin.setText(text)
        run.next()

    return act


def _making(run: FirstRun) -> None:
    run.page.pin.setText(setting_up.PIN)
    run.press(names.WIZARD_NEXT)
    run.until(run.page.progress.isVisible)


def _tested(run: FirstRun) -> None:
    run.until(lambda: bool(run.page.listen.text()))
    run.press(names.ADDRESS_TEST)
    run.until(run.page.result.isVisible)
    run.pass_time(0.05)


def _not_working(fake: FakeSettingUp) -> None:
    fake.works = False


def _chains(run: FirstRun) -> None:
    for chain in ("bitcoin", "solana"):
        run.press(f"{names.CHAINS_USE}.{chain}")
    run.press(f"{names.CHAINS_TEST}.solana")
    run.page.rows[0].urls[0].setText("http://127.0.0.1:48332")


def _main(run: FirstRun) -> None:
    run.press(f"{names.CHAINS_USE}.ethereum")
    row = run.page.rows[1]
    row.networks["mainnet"].click()
    row.urls[0].setText("https://eth.example.org")


def _entries(*members: str) -> Act:
    def act(run: FirstRun) -> None:
        run.page.read(setting_up.lines(members))
        run.until(lambda: len(run.page.others) == len(members))
        run.page.area.verticalScrollBar().setValue(10_000)

    return act


def _bad_entry(run: FirstRun) -> None:
    run.page.paste.setPlainText('{"member": "ben", ')
    run.press(names.INVITATION_ADD)
    run.until(run.page.refusal.isVisible)


def _tick(run: FirstRun) -> None:
    run.press(f"{names.COMPARISON_TICK}.ben")


def _all(run: FirstRun) -> None:
    for tick in run.page.ticks.values():
        tick.setChecked(True)


def _thrown(run: FirstRun) -> None:
    run.press(f"{names.START_THROW}.ana-ruiz")


def _thrown_wrong(run: FirstRun) -> None:
    _thrown(run)
    run.window.throw_sheet.pin.setText("0000")
    run.press(f"{names.THROW_SHEET}.confirm")
    run.until(run.window.throw_sheet.refusal.isVisible)


def _no_member(run: FirstRun) -> None:
    run.window.start.show_problem(homes.open_folder(Path("tests/vectors")).problem)


def _down(run: FirstRun) -> None:
    run.page.area.verticalScrollBar().setValue(10_000)


def _no_kms(fake: FakeSettingUp) -> None:
    fake.seen = replace(fake.seen, no_kms=_NO_KMS)


def _kms_begun(fake: FakeSettingUp) -> None:
    fake.drafts = {"ana-ruiz": draft(5, token=_KMS)}


def _quiet(run: FirstRun) -> None:
    run.pass_time(0.1)


_SOFT = m.TokenChoice(kind=m.TokenKind.SOFTHSM)
_FILE = m.TokenChoice(kind=m.TokenKind.FILE)
_KMS = m.TokenChoice(kind=m.TokenKind.KMS, region="eu-central-1")
_ARN = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890a"
_KMS_KEYS = replace(
    _KMS,
    sealing_key=f"{_ARN}b",
    identity_key=f"{_ARN}c",
    profile="custody",
    endpoint_url="https://kms-fips.eu-central-1.amazonaws.com",
)
_NO_KMS = "The package boto3 is not installed here. Install Quorate with its extra `kms`."
_LONG = tuple(entry(f"member-{n}", f"{_ANYTHING} {n}").line for n in range(4))


def _nothing(console: FakeConsole) -> None:
    console.ceremonies, console.wallets = {}, {}
    console.inbox = InboxView((), 0)


def _unlocked(console: FakeConsole) -> None:
    _nothing(console)
    console.unlocked()


def _keys(stage: CeremonyStage) -> Callable[[FakeConsole], None]:
    def prepare(console: FakeConsole) -> None:
        _unlocked(console)
        made = scenario.ceremony(stage)
        console.ceremonies = {made.ceremony: made}
        if stage is CeremonyStage.COMPLETED:
            console.wallets = {scenario.WALLET: scenario.wallet()}

    return prepare


def _paid(stage: RequestStage) -> Callable[[FakeConsole], None]:
    def prepare(console: FakeConsole) -> None:
        _keys(CeremonyStage.COMPLETED)(console)
        row = replace(scenario.inbox().rows[0], stage=stage, request=scenario.request_name(stage))
        console.inbox = InboxView((row,), 1)

    return prepare


def _guided(place: int, *, go: bool = True) -> Callable[[Driver], None]:
    def act(driver: Driver) -> None:
        driver.until(lambda: driver.window.link.session is not None)
        panel = driver.window.guide.panel
        driver.until(lambda: current(tuple(each.step for each in panel.rows)) == place)
        if go:
            driver.press(f"{names.GUIDE_GO}.{place + 1}")
        driver.pass_time(0.4)

    return act


def _folded(driver: Driver) -> None:
    _guided(1, go=False)(driver)
    driver.press(names.GUIDE_HIDE)
    driver.pass_time(0.1)


GUIDE_SHOTS: list[tuple[str, Callable[[FakeConsole], None], Callable[[Driver], None]]] = [
    ("guide-1-sign-in", _nothing, _guided(0, go=False)),
    ("guide-2-ceremony", _unlocked, _guided(1)),
    ("guide-3-compare", _keys(CeremonyStage.COMPARING), _guided(2)),
    ("guide-5-pay", _keys(CeremonyStage.COMPLETED), _guided(4)),
    ("guide-6-approve", _paid(RequestStage.AWAITING_APPROVAL), _guided(5)),
    ("guide-7-confirmed", _paid(RequestStage.SIGNING), _guided(6)),
    ("guide-over", _paid(RequestStage.CONFIRMED), _guided(7, go=False)),
    ("guide-hidden", _unlocked, _folded),
]
FIRST_SHOTS: list[FirstShot] = [
    ("first-start", _plain, _quiet),
    ("first-start-begun", _begun, _quiet),
    ("first-start-no-trial", _impossible, _quiet),
    ("first-start-refused", _refusing(m.LookHere), _quiet),
    ("first-start-no-member", _plain, _no_member),
    ("first-start-throw-away", _begun, _thrown),
    ("first-start-throw-away-wrong-pin", _begun, _thrown_wrong),
    ("first-start-throw-away-kms", _kms_begun, _thrown),
    (
        "first-trial-making",
        _hanging(m.MakeTrial, 5, 9, "Starting Ben\u2019s node."),
        lambda run: (run.press(names.START_TRY), run.pass_time(0.1)),
    ),
    (
        "first-trial-refused",
        _refusing(m.MakeTrial),
        lambda run: (run.press(names.START_TRY), run.pass_time(0.1)),
    ),
    ("first-1-name", _plain, _name("Ana Ruiz")),
    ("first-1-name-empty", _plain, lambda run: run.begin()),
    ("first-1-name-problem", _plain, _name("Ana Ruiz", "Ana Ruiz")),
    ("first-1-name-refused", _refusing(m.JudgeName), _name("Ana Ruiz")),
    ("first-2-token", _plain, _then(draft(2), _press(f"{names.TOKENS_LIST}.DENK0104078"))),
    ("first-2-token-none", _seen(softhsm=False), _resume(draft(2))),
    ("first-2-token-unplugged", _plain, _then(draft(2), _unplug)),
    (
        "first-2-token-library",
        _seen(setting_up.module(problem="it wants initialisation arguments")),
        _resume(draft(2)),
    ),
    ("first-2-token-refused", _refusing(m.WatchTokens), _resume(draft(2))),
    ("first-2-token-kms", _plain, _then(draft(2, token=_KMS), _down)),
    ("first-2-token-kms-keys", _plain, _then(draft(2, token=_KMS_KEYS), _down)),
    (
        "first-2-token-kms-wrong",
        _plain,
        _then(draft(2, token=replace(_KMS_KEYS, identity_key="alias/quorate")), _down),
    ),
    ("first-2-token-no-kms", _no_kms, _then(draft(2), _down)),
    ("first-3-pin-kms", _plain, _resume(draft(3, token=_KMS))),
    (
        "first-3-pin-kms-unfit",
        lambda fake: setattr(fake, "kms_checked", setting_up.KMS_UNFIT),
        _resume(draft(3, token=_KMS)),
    ),
    ("first-3-pin-kms-made", _plain, _resume(draft(3, token=_KMS, keys_made=True))),
    ("first-3-pin", _plain, _resume(draft(3))),
    ("first-3-pin-wrong", _plain, _then(draft(3), _pin("000000"))),
    (
        "first-3-pin-last-try",
        _refusing(m.MakeKeys, setting_up.LAST_TRY),
        _then(draft(3), _pin(setting_up.PIN)),
    ),
    (
        "first-3-pin-unfit",
        lambda fake: setattr(fake, "checked", setting_up.UNFIT),
        _then(draft(3), _pin(setting_up.PIN)),
    ),
    (
        "first-3-pin-making",
        _hanging(m.MakeKeys, 2, 5, "Making the presence key."),
        _then(draft(3), _making),
    ),
    ("first-3-pin-made", _plain, _then(draft(3), _pin(setting_up.PIN))),
    ("first-3-pin-new", _plain, _resume(draft(3, token=_SOFT))),
    ("first-3-pin-passphrase", _plain, _resume(draft(3, token=_FILE))),
    ("first-4-address", _plain, _resume(draft(4))),
    ("first-4-address-works", _plain, _then(draft(4), _tested)),
    ("first-4-address-fails", _not_working, _then(draft(4), _tested)),
    ("first-5-chains", _plain, _then(draft(5), _chains)),
    ("first-5-chains-none", _plain, _resume(draft(5))),
    ("first-5-chains-fails", _not_working, _then(draft(5), _chains)),
    ("first-5-chains-main", _plain, _then(draft(5, token=_FILE, token_unproven=True), _main)),
    ("first-5-chains-main-kms", _plain, _then(draft(5, token=_KMS, token_unproven=True), _main)),
    ("first-6-invitation", _plain, _resume(draft(6))),
    ("first-6-invitation-enough", _plain, _then(draft(6), _entries("ben", "chiara"))),
    ("first-6-invitation-problem", _plain, _then(draft(6), _bad_entry)),
    ("first-6-invitation-join", _plain, _resume(draft(6, m.Purpose.JOIN))),
    (
        "first-6-invitation-join-entry",
        _plain,
        _then(draft(6, m.Purpose.JOIN), _entries("ben", "chiara", "dara")),
    ),
    ("first-7-comparison", _plain, _then(draft(7), _tick)),
    ("first-7-comparison-long", _plain, _then(draft(7, lines=_LONG, name=_ANYTHING), _all)),
    (
        "first-7-comparison-refused",
        _refusing(m.OpenVault),
        _then(draft(7), _all, lambda run: run.next()),
    ),
    ("first-help", _plain, _then(draft(3), lambda run: run.window.show_help())),
    ("first-leave", _plain, _then(draft(4), _press(names.WIZARD_CANCEL))),
]
