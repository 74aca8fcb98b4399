"""KmsLooks: what was last seen of the keys, kept so that nobody who asks has to wait for KMS."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from console.application.errors import HsmError
from hsm.kms.calls import KeySeen, KmsFault
from hsm.kms.place import KmsPlace
from hsm.kms.session import KmsSession

# A look is two calls, and KMS counts calls.
EVERY_S = 30.0
AGAIN_S = 5.0
FIRST_S = 2.0


@dataclass(frozen=True, slots=True)
class KmsSeen:
    """A look: whether both keys can be used, and why not."""

    present: bool = False
    problem: str = "AWS KMS has not answered yet"


class KmsLooks:
    """Looks in the vault's thread, only while asked: each `EVERY_S`, after a failure `AGAIN_S`."""

    def __init__(
        self,
        session: KmsSession,
        place: KmsPlace,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._place = place
        self._monotonic_s = monotonic_s
        self._seen: KmsSeen | None = None
        self._first: asyncio.Task[None] | None = None
        self._asked_s = monotonic_s()

    async def latest(self) -> KmsSeen:
        """Return the last look. Only the first is waited for, `FIRST_S` at most."""
        if self._seen is None:
            if self._first is None or self._first.done():
                self._first = asyncio.create_task(self._look_first())
            await asyncio.wait({self._first}, timeout=FIRST_S)
        elif self._monotonic_s() - self._asked_s >= self._wait_s():
            self.soon()
        return self._seen or KmsSeen()

    def soon(self) -> None:
        """Look when the vault's thread has time."""
        self._asked_s = self._monotonic_s()
        self._session.look_soon(self.look)

    def note(self, problem: str = "") -> None:
        """Note what a call has just told of the keys."""
        self._seen = KmsSeen(present=not problem, problem=problem)

    def look(self) -> None:
        """Look at both keys now; for the vault's thread. Raises: KmsFault, HsmError."""
        try:
            for arn in (self._place.sealing_key, self._place.identity_key):
                problem = problem_of(self._session.calls().describe(arn))
                if problem:
                    self.note(problem)
                    self._session.fault(problem)
                    return
        except KmsFault as fault:
            self.note(str(fault.told))
            raise
        except HsmError as error:
            self.note(str(error))
            raise
        self.note()

    def _wait_s(self) -> float:
        return EVERY_S if self._seen is not None and self._seen.present else AGAIN_S

    async def _look_first(self) -> None:
        with suppress(HsmError):
            await self._session.call("looking at the keys", self.look)


def problem_of(key: KeySeen) -> str:
    """Return why a key cannot be used, "" if it can."""
    if key.enabled:
        return ""
    when = f" on {key.deleted_on}; cancel that while there is time" if key.deleted_on else ""
    return f"the KMS key {key.arn} is not enabled: its state is {key.state}{when}"
