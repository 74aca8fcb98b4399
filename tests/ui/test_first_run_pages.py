"""The seven pages of a set-up: what each asks, refuses and says."""

import json

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from console.client.set_up import messages as m
from tests.fakes import setting_up
from tests.fakes.setting_up import FAILED, LAST_TRY, FakeSettingUp, draft, entry, lines
from tests.ui.first_running import FirstRun
from ui import files
from ui.first_run import entries, names
from ui.first_run.pin_page import PinPage
from ui.first_run.set_up import Step
from ui.widgets.choice_card import ChoiceCard
from ui.widgets.fields import PinField

TREASURY = f"{names.TOKENS_LIST}.DENK0104078"
ARCHIVE = f"{names.TOKENS_LIST}.07550054"
KMS = f"{names.TOKENS_LIST}.kms"
USED = f"{names.TOKENS_LIST}.DENK0100321"
SECRET = "correct horse battery"
LONG = "Wolfgang-Maximilian Featherstonehaugh-Cholmondeley of the Treasury " + "Operations " * 5


@pytest.fixture
def fake():
    return FakeSettingUp()


@pytest.fixture
def first(qapp, fake):
    run = FirstRun(qapp, fake)
    try:
        yield run
    finally:
        run.close()


def card(first: FirstRun, name: str) -> ChoiceCard:
    found = first.find(name)
    assert isinstance(found, ChoiceCard)
    return found


# ---------------------------------------------------------------- name


def test_the_identifier_is_suggested_until_it_is_one_s_own(first, fake):
    first.begin()
    page = first.page
    first.type("Ana Ruiz")
    first.until(lambda: page.member.text() == "ana-ruiz")
    page.member.setFocus()
    page.member.selectAll()
    first.type("ana2")
    page.name.setFocus()
    first.type(" III")
    first.until(first.wizard.next.isEnabled)
    assert page.member.text() == "ana2"
    first.next(Step.TOKEN)
    kept = fake.drafts["ana2"]
    assert (kept.name, kept.step) == ("Ana Ruiz III", 2)


@pytest.mark.parametrize("wanted", ["Ana Ruiz", "eli"])
def test_a_bad_identifier_says_why(first, wanted):
    first.begin()
    page = first.page
    page.name.setText("Ana")
    page.member.setFocus()
    first.type(wanted)
    first.until(lambda: bool(page.problem.text()))
    assert not first.wizard.next.isEnabled()
    assert page.member.accessibleDescription() == page.problem.text()
    assert first.wizard.why.text() == "Change what is marked."


def test_a_name_that_cannot_be_judged_can_be_tried_again(first, fake):
    first.begin()
    fake.refusals[m.JudgeName] = FAILED
    first.type("Ana")
    first.until(first.page.refusal.isVisible)
    fake.refusals.clear()
    first.press("name.refusal.action")
    first.until(first.wizard.next.isEnabled)


# ---------------------------------------------------------------- token


def test_tokens_that_do_not_suit_say_why_and_cannot_be_chosen(first):
    first.resume(draft(2))
    assert card(first, TREASURY).look.word == "Suitable"
    for name, word, reason in ((ARCHIVE, "Not suitable", "AES-GCM"), (USED, "In use", "own")):
        shown = card(first, name)
        assert not shown.isEnabled()
        assert shown.look.word == word
        assert reason in shown.accessibleName()
    assert first.wizard.why.text() == "Choose a token."


def test_keys_that_this_set_up_left_do_not_bar_its_own_token(first, fake):
    begun = setting_up.token(in_use=True)
    fake.seen = m.TokensSeen(modules=(setting_up.module(begun),), softhsm=True)
    first.resume(replace(draft(3), step=2))
    assert card(first, TREASURY).isChecked()
    assert first.wizard.next.isEnabled()


def test_a_token_is_chosen_and_kept(first, fake):
    first.resume(draft(2))
    first.press(TREASURY)
    first.next(Step.PIN)
    kept = fake.drafts["ana-ruiz"]
    assert kept.token.serial == "DENK0104078"
    assert not kept.token_for_tests


def test_a_token_that_is_unplugged_while_chosen_is_said(first, fake):
    first.resume(draft(2))
    first.press(TREASURY)
    fake.plug(m.TokensSeen(modules=(setting_up.module(),), softhsm=True))
    first.until(first.page.gone.isVisible)
    assert first.wizard.why.text() == "Plug in the chosen token."
    assert not first.wizard.next.isEnabled()
    fake.plug(setting_up.tokens())
    first.until(first.wizard.next.isEnabled)
    assert card(first, TREASURY).isChecked()
    assert not first.page.gone.isVisible()


def test_no_token_says_what_to_do(first, fake):
    fake.seen = m.TokensSeen(modules=(), softhsm=False)
    first.resume(draft(2))
    assert first.page.empty.isVisible()
    softhsm = card(first, f"{names.TOKENS_LIST}.softhsm")
    assert not softhsm.isEnabled()
    assert "not installed" in softhsm.accessibleName()
    assert QApplication.focusWidget() is first.page.kms


def test_a_library_is_added_by_its_file_and_its_problem_is_told(first, fake, tmp_path, monkeypatch):
    first.resume(draft(2))
    path = tmp_path / "libother.so"
    monkeypatch.setattr(files, "choose_file", lambda *_: path)
    first.press(names.TOKENS_ADD)
    first.until(lambda: fake.last(m.WatchTokens).modules == (str(path),))
    bad = setting_up.module(problem="it is no PKCS#11 library", path=str(path))
    fake.plug(m.TokensSeen(modules=(bad,), softhsm=True))
    first.until(first.page.problems.isVisible)
    assert first.page.problems.text() == "libother.so: it is no PKCS#11 library"
    first.until(lambda: fake.watched == 1)


def test_watching_ends_with_the_page_and_a_failure_can_be_tried_again(first, fake):
    first.resume(draft(2))
    assert fake.watched == 1
    first.press(TREASURY)
    first.next(Step.PIN)
    first.until(lambda: fake.watched == 0)
    fake.refusals[m.WatchTokens] = FAILED
    first.press(names.WIZARD_BACK)
    first.until(first.page.refusal.isVisible)
    fake.refusals.clear()
    first.press("token.refusal.action")
    first.until(lambda: fake.watched == 1)


@pytest.mark.parametrize("kind", ["softhsm", "file"])
def test_a_token_without_hardware_is_known_as_such(first, fake, kind):
    first.resume(draft(2))
    first.press(f"{names.TOKENS_LIST}.{kind}")
    first.next(Step.PIN)
    assert fake.drafts["ana-ruiz"].token == m.TokenChoice(kind=m.TokenKind(kind))
    kept = fake.drafts["ana-ruiz"]
    assert (kept.token_for_tests, kept.token_unproven) == (kind == "softhsm", kind == "file")


# ---------------------------------------------------------------- keys in AWS KMS

REGION, ACCOUNT = "eu-central-1", "123456789012"
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


def arn(key: str = ID, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:kms:{region}:{account}:key/{key}"


SEALING, IDENTITY = arn(), arn(ID.replace("1", "2"))
IN_KMS = m.TokenChoice(kind=m.TokenKind.KMS, region=REGION)


def test_aws_kms_is_chosen_with_region_and_keys_and_kept(first, fake):
    first.resume(draft(2))
    assert not first.page.cloud.isVisible()
    assert card(first, KMS).look.word == "Unproven"
    first.press(KMS)
    assert first.wizard.why.text() == "Enter the region of the keys."
    assert first.page.typed()
    first.type(REGION)
    first.page.cloud.sealing.setText(f" {SEALING} ")
    first.page.cloud.identity.setText(IDENTITY)
    first.page.cloud.profile.setText("custody")
    first.next(Step.PIN)
    kept = fake.drafts["ana-ruiz"]
    wanted = replace(IN_KMS, sealing_key=SEALING, identity_key=IDENTITY, profile="custody")
    assert kept.token == wanted
    assert kept.token_unproven
    assert not kept.token_for_tests


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"region": ""}, "Enter the region"),
        ({"region": "Frankfurt"}, "region is not the name"),
        ({"region": "eu-central-1-"}, "region is not the name"),
        ({"region": "e" * 33}, "Too long"),
        ({"sealing": SEALING}, "identity key is missing"),
        ({"identity": IDENTITY}, "sealing key is missing"),
        ({"sealing": ID, "identity": IDENTITY}, "sealing key is not the ARN"),
        ({"sealing": SEALING, "identity": SEALING + "0"}, "identity key is not the ARN"),
        ({"sealing": SEALING, "identity": "alias/quorate"}, "identity key is not the ARN"),
        ({"sealing": SEALING, "identity": arn(region="us-east-1")}, "in another region than eu"),
        ({"sealing": SEALING, "identity": arn(account="2" * 12)}, "different AWS accounts"),
        ({"sealing": SEALING, "identity": SEALING}, "are one; two are needed"),
        ({"profile": "a\x7fb"}, "profile has characters"),
        ({"endpoint": "http://kms.example.org"}, "endpoint is not https"),
        ({"endpoint": "https://user@kms.example.org"}, "endpoint is not https"),
        ({"endpoint": "https://kms.example.org/path"}, "endpoint is not https"),
        ({"endpoint": "https://kms.example.org:99999"}, "endpoint is not https"),
        ({"endpoint": "kms.example.org"}, "endpoint is not https"),
    ],
)
def test_a_wrong_place_of_keys_says_what_is_wrong(first, typed, words):
    first.resume(draft(2, token=IN_KMS))
    assert first.wizard.next.isEnabled()
    for part, text in typed.items():
        getattr(first.page.cloud, part).setText(text)
    assert words in first.wizard.why.text()
    assert not first.wizard.next.isEnabled()


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:4566", "https://kms.example.org/"])
def test_a_set_up_in_kms_is_gone_on_with(first, fake, endpoint):
    kept = replace(IN_KMS, sealing_key=SEALING, identity_key=IDENTITY, endpoint_url=endpoint)
    first.resume(draft(2, token=kept))
    assert card(first, KMS).isChecked()
    assert [field.text() for field in first.page.cloud.fields] == [
        *(REGION, SEALING, IDENTITY, ""),
        endpoint,
    ]
    assert first.page.cloud.endpoint.isVisible()
    assert not first.page.typed()
    first.next(Step.PIN)
    assert fake.drafts["ana-ruiz"].token == kept


def test_the_endpoint_comes_with_more(first):
    first.resume(draft(2, token=IN_KMS))
    assert not first.page.cloud.endpoint.isVisible()
    first.press(f"{names.TOKENS_CLOUD}.more")
    assert first.page.cloud.endpoint.isVisible()


def test_kms_that_cannot_be_used_says_why(first, fake):
    fake.seen = replace(setting_up.tokens(), no_kms="The package boto3 is not installed here.")
    first.resume(draft(2, token=IN_KMS))
    assert not card(first, KMS).isEnabled()
    assert "boto3" in card(first, KMS).accessibleName()
    assert not first.page.cloud.isVisible()
    assert first.wizard.why.text() == "AWS KMS cannot be used here."
    assert not first.wizard.next.isEnabled()


def test_keys_in_kms_are_checked_without_the_passphrase_then_made_with_it(first, fake):
    first.resume(draft(3, token=IN_KMS))
    page = first.page
    assert page.table.rows == setting_up.KMS_ROWS
    assert "permission of the AWS account" in page.help.text()
    page.pin.setText("eleven char")
    assert first.wizard.why.text() == "At least 12 characters."
    page.pin.setText(SECRET)
    page.again.setText(SECRET)
    first.next()
    asked = [each for each in fake.asked if isinstance(each, m.CheckToken | m.MakeKeys)]
    assert [each.pin for each in asked] == [None, None, SECRET]
    assert f"They are in AWS KMS, {REGION}" in first.find("pin.made").accessibleName()
    assert set(pin_fields(first)) == {""}


def test_kms_that_lacks_something_gets_no_key(first, fake):
    fake.kms_checked = setting_up.KMS_UNFIT
    first.resume(draft(3, token=IN_KMS))
    assert "AWS KMS cannot be used like this" in first.find("pin.unfit").accessibleName()
    assert "Credentials" in first.find("pin.unfit").accessibleName()
    assert first.wizard.why.text() == "Go back and correct it."
    assert not first.wizard.next.isEnabled()


def test_keys_in_kms_are_thrown_away_without_a_pin(first, fake):
    fake.drafts["ana-ruiz"] = draft(5, token=IN_KMS)
    first.window.show_start()
    first.until(lambda: not first.window.looking.running)
    first.press(f"{names.START_THROW}.ana-ruiz")
    sheet = first.window.throw_sheet
    assert sheet.pin.isHidden()
    assert "AWS deletes them in 7 days" in sheet.sentence.text()
    first.press(f"{names.THROW_SHEET}.confirm")
    first.until(lambda: not fake.drafts)


def test_a_main_network_asks_for_the_word_where_the_keys_are_in_kms(first):
    first.resume(draft(5, token=IN_KMS, token_unproven=True))
    first.press(f"{names.CHAINS_USE}.ethereum")
    row = chain(first, "ethereum")
    row.networks["mainnet"].click()
    row.urls[0].setText("https://eth.example.org")
    assert "keys in AWS KMS" in first.page.main.title.text()
    assert first.wizard.why.text() == "Accept the warning, or choose a test network."
    first.press(names.CHAINS_ACCEPT)
    assert first.wizard.next.isEnabled()


# ---------------------------------------------------------------- PIN and keys


def pin_fields(first: FirstRun) -> list[str]:
    return [field.text() for field in first.window.findChildren(PinField)]


def test_the_token_is_checked_before_the_first_key_and_no_pin_is_kept(first, fake):
    first.resume(draft(3))
    page = first.page
    assert [mark.look.word for mark in page.table.marks].count("Tried next") == 2
    page.pin.setText(setting_up.PIN)
    first.next()
    asked = [each for each in fake.asked if isinstance(each, m.CheckToken | m.MakeKeys)]
    assert [type(each).__name__ for each in asked] == ["CheckToken", "CheckToken", "MakeKeys"]
    assert asked[0].pin is None
    assert asked[1].pin == asked[2].pin == setting_up.PIN
    assert set(pin_fields(first)) == {""}
    assert all(mark.look.word == "Fits" for mark in page.table.marks)
    assert first.find("pin.made").isVisible()
    assert fake.drafts["ana-ruiz"].keys_made
    first.next(Step.ADDRESS)


def test_a_token_that_does_not_suffice_gets_no_key(first, fake):
    fake.checked = setting_up.UNFIT
    first.resume(draft(3))
    first.page.pin.setText(setting_up.PIN)
    first.next()
    assert "Presence" in first.find("pin.unfit").accessibleName()
    assert not any(isinstance(each, m.MakeKeys) for each in fake.asked)
    assert "Missing" in [mark.look.word for mark in first.page.table.marks]
    first.press(names.WIZARD_BACK)
    first.at(Step.TOKEN)


def test_a_wrong_pin_says_how_many_tries_are_left_and_is_not_tried_again(first, fake):
    first.resume(draft(3))
    first.page.pin.setText("000000")
    first.next()
    assert "2 tries are left" in first.page.refusal.accessibleName()
    assert set(pin_fields(first)) == {""}
    tries = len(fake.asked)
    first.press("pin.refusal.action")
    first.pass_time(0.02)
    assert len(fake.asked) == tries
    assert QApplication.focusWidget() is first.page.pin


def test_the_last_try_is_asked_for_in_so_many_words(first, fake):
    first.resume(draft(3))
    fake.refusals[m.CheckToken] = LAST_TRY
    page: PinPage = first.page
    page.pin.setText(setting_up.PIN)
    first.next()
    assert page.last_try.isVisible()
    page.pin.setText(setting_up.PIN)
    assert first.wizard.why.text() == "Confirm the last try first."
    page.last_try.setChecked(True)
    first.next()
    assert fake.last(m.MakeKeys).last_try
    assert page.set_up.draft.keys_made


@pytest.mark.parametrize("kind", [m.TokenKind.SOFTHSM, m.TokenKind.FILE])
def test_a_new_pin_is_entered_twice(first, fake, kind):
    first.resume(draft(3, token=m.TokenChoice(kind=kind)))
    page = first.page
    page.pin.setText("246")
    assert first.wizard.why.text().startswith("At least")
    page.pin.setText(SECRET)
    assert not first.wizard.next.isEnabled()
    page.again.setText(SECRET + ".")
    assert first.wizard.why.text() == "The two are not the same."
    page.again.setText(SECRET)
    first.next()
    assert fake.last(m.MakeKeys).pin == SECRET
    assert set(pin_fields(first)) == {""}


def test_a_pin_is_forgotten_when_its_page_is_left(first):
    first.resume(draft(3))
    first.page.pin.setText("123456")
    first.press(names.WIZARD_BACK)
    first.at(Step.TOKEN)
    assert set(pin_fields(first)) == {""}


def test_keys_in_the_making_show_progress_and_can_be_stopped(first, fake):
    first.resume(draft(3))
    fake.hangs.add(m.MakeKeys)
    fake.told[m.MakeKeys] = m.Progress(done=2, total=5, text="Making the presence key.")
    first.page.pin.setText(setting_up.PIN)
    first.press(names.WIZARD_NEXT)
    first.until(lambda: first.page.progress_text.text() == "Making the presence key.")
    assert first.page.progress.value() == 2
    assert first.wizard.why.text() == "Do not remove the token."
    first.press(names.WIZARD_STOP)
    first.when(lambda: fake.cancelled == [m.MakeKeys])
    assert not fake.drafts["ana-ruiz"].keys_made


# ---------------------------------------------------------------- address


def test_an_address_is_suggested_tested_and_kept(first, fake):
    first.resume(draft(4))
    page = first.page
    first.until(lambda: page.listen.text() == "192.0.2.10:7421")
    first.press(names.ADDRESS_TEST)
    first.until(lambda: page.result.mark.look.word == "Works")
    fake.works = False
    page.listen.setText("192.0.2.10:80")
    assert not page.result.isVisible()
    first.press(names.ADDRESS_TEST)
    first.until(lambda: page.result.mark.look.word == "Does not work")
    assert "Another program" in page.result.accessibleName()
    first.next(Step.CHAINS)
    assert fake.drafts["ana-ruiz"].listen == "192.0.2.10:80"


def test_an_address_test_that_fails_can_be_tried_again(first, fake):
    first.resume(draft(5))
    first.press(names.WIZARD_BACK)
    first.at(Step.ADDRESS)
    fake.refusals[m.TestAddress] = FAILED
    first.press(names.ADDRESS_TEST)
    first.until(first.page.refusal.isVisible)
    assert not first.page.result.isVisible()
    fake.refusals.clear()
    first.press("address.refusal.action")
    first.until(first.page.result.isVisible)


# ---------------------------------------------------------------- chains


def chain(first: FirstRun, name: str):
    return next(row for row in first.page.rows if row.chain == name)


def test_none_chosen_is_allowed_and_said(first, fake):
    first.resume(draft(5))
    assert first.page.none.isVisible()
    assert first.wizard.next.text() == "Next without a chain"
    first.next(Step.INVITATION)
    assert fake.drafts["ana-ruiz"].chains == ()


def test_a_chain_is_chosen_with_its_nodes_and_tested(first, fake):
    first.resume(draft(5))
    first.press(f"{names.CHAINS_USE}.solana")
    row = chain(first, "solana")
    assert row.network == "devnet"
    first.press(f"{names.CHAINS_TEST}.solana")
    first.until(lambda: row.result.mark.look.word == "Works")
    first.press(f"{names.CHAINS_MORE}.solana")
    row.urls[1].setText("https://second.example.org")
    assert not row.result.isVisible()
    first.next(Step.INVITATION)
    (kept,) = fake.drafts["ana-ruiz"].chains
    assert kept.urls == ("https://api.devnet.solana.com", "https://second.example.org")


def test_a_websocket_is_entered_where_the_chain_is_followed_over_one(first, fake):
    first.resume(draft(5))
    for name in ("bitcoin", "solana"):
        first.press(f"{names.CHAINS_USE}.{name}")
    assert not chain(first, "bitcoin").websocket.isVisible()
    first.press(f"{names.CHAINS_USE}.bitcoin")
    first.find(f"{names.CHAINS_WEBSOCKET}.solana").setText("wss://ws.example.org")
    first.next(Step.INVITATION)
    (kept,) = fake.drafts["ana-ruiz"].chains
    assert kept.websocket == "wss://ws.example.org"
    first.press(names.WIZARD_BACK)
    first.at(Step.CHAINS)
    assert chain(first, "solana").websocket.text() == "wss://ws.example.org"
    row = chain(first, "solana")
    row.networks["mainnet"].click()
    assert row.websocket.text() == ""


def test_a_chain_without_a_node_says_so(first):
    first.resume(draft(5))
    first.press(f"{names.CHAINS_USE}.bitcoin")
    assert first.wizard.why.text() == "Enter the URL of a Bitcoin node."
    assert not first.find(f"{names.CHAINS_TEST}.bitcoin").isEnabled()


@pytest.mark.parametrize("unproven", [True, False])
def test_a_main_network_on_an_unproven_token_asks_for_a_word(first, fake, unproven):
    first.resume(draft(5, token_unproven=unproven))
    first.press(f"{names.CHAINS_USE}.ethereum")
    row = chain(first, "ethereum")
    row.networks["mainnet"].click()
    row.urls[0].setText("https://eth.example.org")
    assert first.page.main.isVisible() is unproven
    if unproven:
        assert "Accept the warning" in first.wizard.why.text()
        first.press(names.CHAINS_ACCEPT)
    first.next(Step.INVITATION)
    assert fake.drafts["ana-ruiz"].accepts_unproven is unproven


def test_another_network_has_other_nodes(first):
    first.resume(draft(5))
    first.press(f"{names.CHAINS_USE}.solana")
    row = chain(first, "solana")
    row.networks["mainnet"].click()
    assert [field.text() for field in row.urls] == [""]
    assert row.hint.text() == "Two providers at least."


@pytest.mark.parametrize("kind", [m.GetPresets, m.TestChain])
def test_a_refusal_on_the_chains_page_can_be_tried_again(first, fake, kind):
    fake.refusals[kind] = FAILED
    first.resume(draft(5))
    if kind is m.TestChain:
        first.press(f"{names.CHAINS_USE}.solana")
        first.press(f"{names.CHAINS_TEST}.solana")
    first.until(first.page.refusal.isVisible)
    fake.refusals.clear()
    first.press("chains.refusal.action")
    first.until(lambda: not first.page.refusal.isVisible())
    first.until(lambda: bool(first.page.rows))


def test_a_chosen_chain_is_shown_again(first):
    first.resume(draft(6))
    first.press(names.WIZARD_BACK)
    first.at(Step.CHAINS)
    row = chain(first, "solana")
    assert row.use.isChecked()
    assert row.network == "devnet"


# ---------------------------------------------------------------- invitation


def test_the_own_entry_is_saved_as_a_file(first, tmp_path, monkeypatch):
    first.resume(draft(6))
    target = tmp_path / "ana-ruiz.entry.json"
    monkeypatch.setattr(files, "choose_target", lambda *_: target)
    first.press(names.INVITATION_SAVE)
    assert json.loads(target.read_text())["member"] == "ana-ruiz"
    assert first.page.own.saved.text() == "Saved as ana-ruiz.entry.json."
    monkeypatch.setattr(files, "choose_target", lambda *_: tmp_path / "none" / "x")
    first.press(names.INVITATION_SAVE)
    assert "not saved" in first.page.own.saved.text()


def test_the_own_entry_is_copied_and_the_clipboard_is_emptied_later(first):
    first.resume(draft(6))
    first.press(names.INVITATION_COPY)
    assert QApplication.clipboard().text() == entry("ana-ruiz").line


def test_entries_come_from_files_and_are_kept_at_once(first, fake, tmp_path, monkeypatch):
    first.resume(draft(6))
    paths = []
    for member in ("ben", "chiara"):
        paths.append(tmp_path / f"{member}.json")
        paths[-1].write_text(lines([member]))
    monkeypatch.setattr(files, "choose_files", lambda *_: paths[:1])
    assert "2 more entries" in first.wizard.why.text()
    first.press(names.INVITATION_FILES)
    first.until(lambda: len(fake.drafts["ana-ruiz"].lines) == 1)
    first.until(lambda: "1 more entry" in first.wizard.why.text())
    assert entries.TOO_FEW in first.page.count.text()
    monkeypatch.setattr(files, "choose_files", lambda *_: paths)
    first.press(names.INVITATION_FILES)
    first.until(first.wizard.next.isEnabled)
    assert len(fake.drafts["ana-ruiz"].lines) == 2
    first.press(f"{names.INVITATION_REMOVE}.ben")
    first.until(lambda: not first.wizard.next.isEnabled())
    first.until(lambda: fake.drafts["ana-ruiz"].lines == (entry("chiara").line,))


def test_a_file_that_is_none_is_named(first, tmp_path, monkeypatch):
    first.resume(draft(6))
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\xff\xfe" * 9)
    monkeypatch.setattr(files, "choose_files", lambda *_: [path])
    first.press(names.INVITATION_FILES)
    assert "picture.png" in first.find("invitation.note").accessibleName()


def test_text_that_is_no_entry_stays_and_says_why(first, fake):
    first.resume(draft(6))
    first.page.paste.setPlainText("{not an entry")
    assert first.wizard.why.text() == "Add what is pasted, or clear it."
    first.press(names.INVITATION_ADD)
    first.until(first.page.refusal.isVisible)
    assert "Line 2 is no entry" in first.page.refusal.accessibleName()
    assert first.page.paste.toPlainText() == "{not an entry"
    assert fake.drafts["ana-ruiz"].lines == ()


def test_one_s_own_entry_is_not_added(first):
    first.resume(draft(6))
    first.page.paste.setPlainText(lines(["ana-ruiz", "ben"]))
    first.press(names.INVITATION_ADD)
    first.until(lambda: len(first.page.others) == 1)
    assert "ana-ruiz" in first.find("invitation.note").accessibleName()


def test_an_entry_is_made_anew_only_if_the_choices_changed(first, fake):
    first.resume(draft(6))
    first.press(names.WIZARD_BACK)
    first.at(Step.CHAINS)
    first.next(Step.INVITATION)
    assert sum(isinstance(each, m.FinishMember) for each in fake.asked) == 1
    first.press(names.WIZARD_BACK)
    first.at(Step.CHAINS)
    first.press(f"{names.CHAINS_USE}.solana")
    first.next(Step.INVITATION)
    assert sum(isinstance(each, m.FinishMember) for each in fake.asked) == 2


def test_joining_shows_the_own_entry_once_the_founders_are_here(first):
    first.resume(draft(6, m.Purpose.JOIN))
    page = first.page
    assert not page.own.isVisible()
    assert QApplication.focusWidget() is page.paste
    page.paste.setPlainText(lines(["ben", "chiara", "dara"]))
    first.press(names.INVITATION_ADD)
    first.until(page.own.isVisible)
    assert "endorses it" in page.own.how.text()
    first.next(Step.COMPARISON)
    assert first.wizard.next.text() == "Join the vault"


def test_a_replaced_machine_joins_with_all_founders_its_own_old_entry_too(first, fake):
    first.resume(draft(6, m.Purpose.JOIN))
    old = entry("ana-ruiz", port=7999)
    founders = (old, entry("ben"), entry("chiara"))
    first.page.read("\n".join(each.line for each in founders))
    first.until(lambda: len(first.page.others) == 3)
    assert not first.page.note.isVisible()
    first.next(Step.COMPARISON)
    first.until(lambda: len(first.page.ticks) == 3)
    said = [label.text() for label in first.page.theirs.findChildren(QLabel)]
    assert sum("your machine before" in text for text in said) == 1
    assert first.page.mine_detail.text().endswith(":7421")
    for tick in first.page.ticks.values():
        assert not first.wizard.next.isEnabled()
        tick.setChecked(True)
    first.press(names.WIZARD_NEXT)
    first.until(lambda: any(isinstance(each, m.OpenVault) for each in fake.asked))
    assert fake.last(m.OpenVault).draft.lines == tuple(each.line for each in founders)


def test_at_most_64_members(first):
    first.resume(draft(6))
    first.page.read(lines(f"member-{number}" for number in range(70)))
    first.until(lambda: len(first.page.others) == 63)
    assert "left out" in first.find("invitation.note").accessibleName()
    first.next(Step.COMPARISON)
    first.until(lambda: len(first.page.ticks) == 63)


# ---------------------------------------------------------------- comparison


def test_every_code_is_compared_before_the_vault_is_opened(first, fake):
    ready = []
    first.window.member_ready.connect(lambda home, member: ready.append(member))
    first.resume(draft(7))
    assert entry("ana-ruiz").code.split()[0] in first.page.mine.text()
    first.press(f"{names.COMPARISON_TICK}.ben")
    assert first.wizard.why.text() == "1 code to compare."
    first.press(f"{names.COMPARISON_TICK}.chiara")
    first.press(names.WIZARD_NEXT)
    first.until(lambda: ready == ["ana-ruiz"])
    assert fake.last(m.OpenVault).draft.lines == draft(7).lines


@pytest.mark.parametrize("kind", [m.ReadEntries, m.OpenVault])
def test_a_refusal_at_the_end_can_be_tried_again(first, fake, kind):
    ready = []
    first.window.member_ready.connect(lambda home, member: ready.append(member))
    fake.refusals[kind] = FAILED
    first.resume(draft(7))
    for tick in first.page.ticks.values():
        tick.setChecked(True)
    if kind is m.OpenVault:
        first.press(names.WIZARD_NEXT)
    first.until(first.page.refusal.isVisible)
    fake.refusals.clear()
    first.press("comparison.refusal.action")
    if kind is m.OpenVault:
        first.until(lambda: bool(ready))
    else:
        first.until(lambda: len(first.page.ticks) == 2)


def compared(first):
    """Compare all codes, then bring another entry of Chiara's, and come back to the page."""
    first.resume(draft(7))
    for tick in first.page.ticks.values():
        tick.setChecked(True)
    assert first.wizard.next.isEnabled()
    first.press(names.WIZARD_BACK)
    first.at(Step.INVITATION)
    newer = replace(entry("chiara"), line=entry("chiara", port=7999).line)
    first.page.read(f"{newer.line}\n")
    first.until(lambda: newer.line in first.wizard.set_up.draft.lines)
    first.until(first.wizard.next.isEnabled)
    return newer.line


@pytest.mark.parametrize("trouble", ["refused", "lasting", "none"])
def test_other_entries_are_never_written_by_ticks_of_before(first, fake, trouble):
    newer = compared(first)
    if trouble == "refused":
        fake.refusals[m.ReadEntries] = FAILED
    elif trouble == "lasting":
        fake.hangs.add(m.ReadEntries)
    first.press(names.WIZARD_NEXT)
    first.until(lambda: first.wizard.step is Step.COMPARISON)
    assert not first.wizard.next.isEnabled()
    first.wizard.go_on()
    if trouble == "refused":
        first.until(first.page.refusal.isVisible)
    elif trouble == "none":
        first.until(lambda: len(first.page.ticks) == 2)
    assert not any(tick.isChecked() for tick in first.page.ticks.values())
    assert not first.wizard.next.isEnabled()
    first.wizard.go_on()
    first.pass_time(0.02)
    assert not any(isinstance(each, m.OpenVault) for each in fake.asked)
    fake.refusals.clear()
    fake.hangs.clear()
    first.page.enter()
    first.until(lambda: len(first.page.ticks) == 2)
    for tick in first.page.ticks.values():
        tick.setChecked(True)
    first.press(names.WIZARD_NEXT)
    first.until(lambda: any(isinstance(each, m.OpenVault) for each in fake.asked))
    assert newer in fake.last(m.OpenVault).draft.lines


def test_a_draft_that_changes_under_the_page_is_compared_anew(first, fake):
    first.resume(draft(7))
    for tick in first.page.ticks.values():
        tick.setChecked(True)
    first.wizard.set_up.draft = replace(draft(7), entry=entry("ana-ruiz", port=7999).line)
    first.wizard.go_on()
    first.pass_time(0.02)
    assert not any(isinstance(each, m.OpenVault) for each in fake.asked)


def test_finish_member_that_is_refused_can_be_tried_again(first, fake):
    fake.refusals[m.FinishMember] = FAILED
    first.resume(draft(6))
    first.until(first.page.refusal.isVisible)
    fake.refusals.clear()
    first.press("invitation.refusal.action")
    first.until(lambda: first.page.me is not None)


# ---------------------------------------------------------------- sizes


@pytest.mark.parametrize("size", [(1180, 760), (960, 540)])
@pytest.mark.parametrize("step", list(Step), ids=lambda step: step.name.lower())
def test_a_small_window_scrolls_and_cuts_no_button(first, fake, step, size):
    fake.seen = m.TokensSeen(
        modules=(setting_up.module(setting_up.token(label="L" * 32, maker=LONG[:60])),),
        softhsm=True,
    )
    first.window.resize(*size)
    others = tuple(entry(f"m{n}", LONG[:120]).line for n in range(5)) if step > 6 else ()
    first.resume(replace(draft(step, name=LONG[:120]), lines=others or draft(step).lines))
    first.pass_time(0.05)
    area = first.page.area
    assert area.widget().minimumSizeHint().width() <= area.viewport().width()
    for button in (first.wizard.next, first.wizard.back, first.wizard.cancel):
        corner = button.mapTo(first.window, button.rect().bottomRight())
        assert first.window.rect().contains(corner)
        assert button.width() >= button.sizeHint().width()
    if step is Step.PIN:
        first.page.pin.setFocus(Qt.FocusReason.TabFocusReason)
