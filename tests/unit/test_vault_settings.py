"""The vault's settings in member.toml: strict, and nothing of this program's own environment."""

import os
from pathlib import Path

import pytest

from console.bootstrap import build_vault, pkcs11_settings, whole_kms_settings
from console.settings import (
    MemberFiles,
    MemberSettings,
    SettingsInvalid,
    VaultSettings,
    read_settings,
    write_toml,
)
from hsm.library import TokenChoice


def stored(folder: Path, vault: str) -> MemberFiles:
    files = MemberFiles(folder)
    files.settings.write_text(
        'member = "alice"\nname = "Alice"\npeer_address = "127.0.0.1:1"\n'
        f'console_address = "127.0.0.1:2"\n[vault]\nkind = "pkcs11"\n{vault}\n'
    )
    return files


def test_settings_of_before_still_read(tmp_path: Path) -> None:
    files = stored(tmp_path, 'module = "/m.so"\ntoken = "t"\nsofthsm_conf = ""')
    settings = pkcs11_settings(files, read_settings(files))
    assert settings.choice == TokenChoice(label="t")
    assert not settings.accept_unproven


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    vault = VaultSettings(kind="pkcs11", module="/m.so", token="t", slot=3, serial="0A")
    settings = MemberSettings(
        member="alice",
        name="Alice",
        peer_address="127.0.0.1:1",
        console_address="127.0.0.1:2",
        vault=vault,
    )
    files = MemberFiles(tmp_path)
    write_toml(files.settings, settings)
    assert read_settings(files) == settings
    assert "environment" not in files.settings.read_text()


@pytest.mark.parametrize(
    ("name", "serial", "slot", "choice"),
    [
        ("t", "", None, TokenChoice(label="t")),
        ("t", "0A", 2, TokenChoice(label="t", serial="0A", slot=2)),
        ("serial:0A", "", None, TokenChoice(serial="0A")),
        ("slot:7", "", None, TokenChoice(slot=7)),
        ("serial:", "", None, TokenChoice(label="serial:")),
        ("slot:-1", "", None, TokenChoice(label="slot:-1")),
        ("slot:" + "9" * 40, "", None, TokenChoice(label="slot:" + "9" * 40)),
    ],
)
def test_a_token_is_named_by_label_serial_or_slot(
    name: str, serial: str, slot: int | None, choice: TokenChoice
) -> None:
    assert TokenChoice.named(name, serial, slot) == choice


def test_the_modules_environment_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENDOR_CONF", "")
    monkeypatch.delenv("VENDOR_CONF")
    files = stored(tmp_path, 'module = "/m.so"\n[vault.environment]\nVENDOR_CONF = "/etc/v.conf"')
    pkcs11_settings(files, read_settings(files))
    assert os.environ["VENDOR_CONF"] == "/etc/v.conf"
    monkeypatch.setenv("VENDOR_CONF", "/elsewhere")
    with pytest.raises(SettingsInvalid, match="VENDOR_CONF"):
        pkcs11_settings(files, read_settings(files))
    assert os.environ["VENDOR_CONF"] == "/elsewhere"


@pytest.mark.parametrize(
    "name",
    [
        *("LD_PRELOAD", "ld_preload", "DYLD_INSERT_LIBRARIES", "PYTHONPATH", "PATH", "HOME"),
        *("OPENSSL_CONF", "SSL_CERT_FILE", "GLIBC_TUNABLES", "QUORATE_SHIM"),
        *("1A", "A B", "A=B", "A" * 65),
    ],
)
def test_variables_of_this_program_are_refused(tmp_path: Path, name: str) -> None:
    files = stored(tmp_path, f'module = "/m.so"\n[vault.environment]\n"{name}" = "x"')
    with pytest.raises(SettingsInvalid, match="is not set for a module"):
        read_settings(files)


@pytest.mark.parametrize("wrong", ["slot = -1", 'slot = "1"', "serial = 1", 'more = "x"'])
def test_what_is_not_known_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(SettingsInvalid):
        read_settings(stored(tmp_path, wrong))


def kms_stored(folder: Path, vault: str) -> MemberFiles:
    files = stored(folder, "")
    text = files.settings.read_text().replace('kind = "pkcs11"', 'kind = "kms"')
    files.settings.write_text(f"{text}{vault}\n")
    return files


ARN = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-00000000000"
KEYS = f'region = "eu-central-1"\nsealing_key = "{ARN}1"\nidentity_key = "{ARN}2"'


def test_keys_in_kms_are_named(tmp_path: Path) -> None:
    files = kms_stored(tmp_path, f'{KEYS}\nprofile = "treasury"\naccept_unproven = true')
    settings = whole_kms_settings(files, read_settings(files))
    assert settings.place.whole
    assert settings.place.profile == "treasury"
    assert settings.accept_unproven
    assert settings.folder == tmp_path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (KEYS.replace("eu-central-1", "eu-west-1", 1), "in another region"),
        (KEYS.replace(f"{ARN}2", f"{ARN}1"), "two are needed"),
        (KEYS.replace(f"{ARN}2", "alias/quorate"), "not the ARN of a KMS key"),
        (KEYS.rpartition("\n")[0], "needs `sealing_key` and `identity_key`"),
        (f'{KEYS}\nendpoint_url = "http://example.org"', "loopback"),
        ("", "not the name of an AWS region"),
    ],
)
def test_wrong_places_in_kms_are_refused(tmp_path: Path, text: str, words: str) -> None:
    files = kms_stored(tmp_path, text)
    with pytest.raises(SettingsInvalid, match=words):
        build_vault(files, read_settings(files))


@pytest.mark.parametrize("name", ["aws_secret_access_key", "secret_access_key", "session_token"])
def test_credentials_do_not_stand_in_the_settings(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsInvalid, match=name):
        read_settings(kms_stored(tmp_path, f'{KEYS}\n{name} = "x"'))
