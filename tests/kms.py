"""AWS KMS as moto answers it, on this machine's loopback, and what can be made to go wrong there.

Nothing here is AWS. What moto does otherwise than AWS documents is made up for before its answer
leaves (`MotoKms`): moto signs SHA-256 of a digest instead of the digest, names the key of
GetPublicKey without its ARN, and lets disabled keys and keys pending deletion be used. It checks no
credentials and no policies: those refusals are played. That another encryption context, altered
data and another key are refused, and with which errors, is moto's own doing.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from moto.kms.models import kms_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.passphrase import Argon2Cost
from hsm.kms import KmsPlace, KmsSettings, KmsSetUp, provision_kms
from hsm.kms.calls import CallTimes

REGION, ACCOUNT = "eu-central-1", "123456789012"
SECRET_ACCESS_KEY = "dummy-secret-access-key-of-tests"
CHEAP = Argon2Cost(memory_kib=64, iterations=1, lanes=1)
QUICK = CallTimes(connect_s=2.0, read_s=5.0, attempts=2)
_USES = {"Encrypt", "Decrypt", "Sign", "GetPublicKey"}

Answer = dict[str, Any]


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the date of an answer, which a test may have set."""
        return self.server.told_date or super().date_time_string(timestamp)  # type: ignore[attr-defined]


class MotoKms:
    """A server over moto's KMS. `fail`, `change` and `before` are by the name of the operation."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Answer]] = []
        self.fail: dict[str, tuple[str, int]] = {}
        self.change: dict[str, Callable[[Answer], None]] = {}
        self.before: dict[str, Callable[[], None]] = {}
        self.stalled = threading.Event()
        self.go_on = threading.Event()
        self.context_bound = True
        self.digest_signed = True
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, True, request_handler=Quiet)
        self.date("")
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def date(self, text: str) -> None:
        """Have answers bear this date; none for the true one."""
        self._server.told_date = text  # type: ignore[attr-defined]

    def made(self) -> dict[str, Any]:
        """Return moto's keys by identifier."""
        return dict(kms_backends[ACCOUNT][REGION].keys)

    def states(self) -> list[str]:
        return sorted(key.key_state for key in self.made().values())

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def key(self, kind: str) -> str:
        """Make a key as somebody else would; return its ARN."""
        specs = {
            "sealing": ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
            "identity": ("ECC_NIST_P256", "SIGN_VERIFY"),
            "other-curve": ("ECC_SECG_P256K1", "SIGN_VERIFY"),
        }
        spec, usage = specs[kind]
        made = kms_backends[ACCOUNT][REGION].create_key(
            policy=None, key_usage=usage, key_spec=spec, description="", tags=[]
        )
        return str(made.arn)

    def stall(self, operation: str) -> None:
        """Have an operation answered only when `go_on` is set."""

        def wait() -> None:
            self.stalled.set()
            self.go_on.wait(60)

        self.before[operation] = wait

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        asked = json.loads(body or b"{}")
        if not self.context_bound and operation in {"Encrypt", "Decrypt"}:
            body = json.dumps(asked | {"EncryptionContext": {}}).encode()
            environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        self.calls.append((operation, asked))
        if operation in self.before:
            self.before[operation]()
        refusal = self.fail.get(operation) or self._state_refusal(operation, asked)
        if refusal is not None:
            return self._refuse(start, *refusal)
        status: list[Any] = []
        moto = self._moto(environ, lambda code, headers, *_: status.append((code, headers)))
        data = b"".join(moto)
        ((code, headers),) = status
        if code.startswith("200"):
            data = self._corrected(operation, asked, data)
        headers = [(k, v) for k, v in headers if k.lower() not in {"content-length", "date"}]
        start(code, [*headers, ("Content-Length", str(len(data)))])
        return [data]

    def _refuse(self, start: Callable[..., Any], code: str, status: int) -> list[bytes]:
        text = {"__type": code, "message": f"words of KMS, {SECRET_ACCESS_KEY}"}
        data = json.dumps(text).encode()
        headers = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("Content-Length", str(len(data))),
        ]
        start(f"{status} X", headers)
        return [data]

    def _state_refusal(self, operation: str, asked: Answer) -> tuple[str, int] | None:
        key = self.made().get(str(asked.get("KeyId", "")).rpartition("/")[2])
        if operation not in _USES or key is None or key.key_state == "Enabled":
            return None
        disabled = key.key_state == "Disabled"
        return ("DisabledException" if disabled else "KMSInvalidStateException"), 400

    def _corrected(self, operation: str, asked: Answer, data: bytes) -> bytes:
        answer = json.loads(data) if data else {}
        if operation == "GetPublicKey":
            answer["KeyId"] = asked["KeyId"]
        if operation == "Sign" and self.digest_signed:
            key = self.made()[asked["KeyId"].rpartition("/")[2]]
            assert asked["MessageType"] == "DIGEST"
            signed = key.private_key.private_key.sign(
                base64.b64decode(asked["Message"]), ec.ECDSA(Prehashed(hashes.SHA256()))
            )
            answer["Signature"] = base64.b64encode(signed).decode()
        if operation in self.change:
            self.change[operation](answer)
        return json.dumps(answer).encode() if data else data


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoKms]:
    """Serve an account without keys, and have dummy credentials in the environment."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIADUMMYOFTESTS")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    kms_backends.reset()
    server = MotoKms()
    yield server
    server.stop()
    kms_backends.reset()


def settings_of(server: MotoKms, folder: Path, member: str = "alice") -> KmsSettings:
    """Return the settings of a member without keys, cheap in time."""
    return KmsSettings(
        place=KmsPlace(region=REGION, endpoint_url=server.url),
        folder=folder,
        member=MemberId(member),
        times=QUICK,
        cost=CHEAP,
        least_memory_kib=64,
        shortest_passphrase=6,
    )


def provisioned(
    server: MotoKms, folder: Path, passphrase: bytes = b"482913", member: str = "alice"
) -> KmsSettings:
    """Set a member up with new keys; return its settings."""
    settings = settings_of(server, folder, member)
    made = provision_kms(settings, SecretBytes(passphrase), KmsSetUp(identifier=bytes(16)))
    return replace(settings, place=made.place)
