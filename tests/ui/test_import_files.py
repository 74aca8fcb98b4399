"""Files of other programs: opened or dropped, text or binary, within a limit (faults, 28)."""

import base64

import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtWidgets import QFileDialog

from console.adapters.rpc.imported import bytes_from_text
from tests.unit.bitcoin.wallets import transfer
from ui.screens.new_transfer.drafts import MAX_IMPORT, Mode, TransferFields
from ui.screens.new_transfer.form import DraftForm
from ui.screens.new_transfer.import_field import MAX_FILE_BYTES, ImportField

DATA = transfer()
FORMS = {
    "binary": DATA,
    "base 64": base64.b64encode(DATA),
    "lines": base64.encodebytes(DATA).replace(b"\n", b"\r\n"),
    "hex": DATA.hex().encode(),
}


@pytest.fixture
def form(qtbot):
    made = DraftForm()
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize("form_of", FORMS)
def test_a_file_is_opened_whatever_its_form(form, tmp_path, monkeypatch, form_of):
    path = tmp_path / "draft.psbt"
    path.write_bytes(FORMS[form_of])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    form.open_file.click()
    assert bytes_from_text(form.imported.toPlainText()) == DATA
    assert form.import_problem.text() == ""


def test_a_file_is_dropped_or_pasted_by_its_content(form, tmp_path):
    path = tmp_path / "draft.psbt"
    path.write_bytes(DATA)
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(path))])
    assert form.imported.canInsertFromMimeData(dropped)
    form.imported.insertFromMimeData(dropped)
    assert bytes_from_text(form.imported.toPlainText()) == DATA
    form.imported.clear()
    text = QMimeData()
    text.setText(DATA.hex())
    form.imported.insertFromMimeData(text)
    assert bytes_from_text(form.imported.toPlainText()) == DATA


def test_what_cannot_be_read_is_said_and_changes_nothing(form, tmp_path, monkeypatch):
    form.imported.setPlainText("before")
    form.imported.read_file(str(tmp_path / "missing"))
    assert form.import_problem.text() == "The file cannot be read."
    large = tmp_path / "large"
    large.write_bytes(bytes(MAX_FILE_BYTES + 1))
    form.imported.read_file(str(large))
    assert "larger" in form.import_problem.text()
    assert form.imported.toPlainText() == "before"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    form.open_file.click()
    assert form.imported.toPlainText() == "before"
    form.clear()
    assert form.import_problem.text() == ""


def test_the_largest_file_fits_into_the_draft_and_its_lines_are_short(qtbot, tmp_path):
    field = ImportField()
    qtbot.addWidget(field)
    path = tmp_path / "largest"
    path.write_bytes(b"\xff" * MAX_FILE_BYTES)
    field.read_file(str(path))
    text = field.toPlainText()
    assert max(map(len, text.splitlines())) <= 76
    assert len(text) <= MAX_IMPORT
    assert TransferFields(mode=Mode.IMPORT, imported=text).complete
    assert not TransferFields(mode=Mode.IMPORT, imported="A" * (MAX_IMPORT + 1)).complete
