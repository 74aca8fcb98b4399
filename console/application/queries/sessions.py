"""Protocol sessions as a matrix of members by rounds, with a sentence on what is awaited."""

from console.application.sessions.host import SessionHost
from console.application.sessions.protocol_session import ProtocolSession, SubProtocol
from console.application.views import CellView, ProtocolSessionView, StepState
from console.domain.ids import MemberId

PROTOCOL_NAMES = {"key-ceremony": "Key ceremony", "signing": "Threshold signing", "drill": "Drill"}


def protocol_session_view(
    run: ProtocolSession, attempt: int, now_ms: int, names: dict[MemberId, str]
) -> ProtocolSessionView:
    """Return a session as this node sees it."""
    info, session = run.info, run.session
    done = run.ended.is_set() and run.failure is None
    total = len(info.rounds)
    current = total if done else min(session.round, total)
    several = len(info.parts) > 1
    # With several protocols in a session, a column is one protocol: dozens of rounds are illegible.
    columns = spans(info.parts) if several else [(n, n) for n in range(1, total + 1)]
    cells = tuple(
        CellView(member, number, joined([_cell(run, member, r, current, done=done) for r in span]))
        for member in info.participants
        for number, span in enumerate((range(a, b + 1) for a, b in columns), start=1)
    )
    return ProtocolSessionView(
        session=info.session,
        protocol=PROTOCOL_NAMES.get(info.purpose, info.purpose),
        attempt=attempt,
        rounds=tuple(part.name for part in info.parts) if several else info.rounds,
        round=next((n for n, (_, b) in enumerate(columns, start=1) if current <= b), len(columns)),
        participants=info.participants,
        cells=cells,
        sentence=_sentence(run, current, total, now_ms, names, done=done),
        started_ms=info.started_ms,
        deadline_ms=info.deadline_ms,
        ended=run.ended.is_set(),
        failure=run.failure.reason if run.failure else "",
        unit="key" if several else "round",
    )


def spans(parts: tuple[SubProtocol, ...]) -> list[tuple[int, int]]:
    """Return the first and the last round of each part, from 1."""
    found: list[tuple[int, int]] = []
    for part in parts:
        first = found[-1][1] + 1 if found else 1
        found.append((first, first + len(part.rounds) - 1))
    return found


def joined(states: list[StepState]) -> StepState:
    """Return one state for several rounds: trouble first, then work in progress."""
    for state in (StepState.FAILED, StepState.LATE, StepState.WAITING, StepState.RECEIVED):
        if state in states:
            return StepState.WAITING if state is StepState.RECEIVED else state
    if len(set(states)) == 1:
        return states[0]
    return StepState.WAITING


def sessions_of(
    host: SessionHost, subject: str, now_ms: int, names: dict[MemberId, str]
) -> tuple[ProtocolSessionView | None, tuple[ProtocolSessionView, ...]]:
    """Return the newest session of a subject and the ones before it."""
    runs = host.of_subject(subject)
    views = tuple(
        protocol_session_view(run, n, now_ms, names) for n, run in enumerate(runs, start=1)
    )
    return (views[-1], views[:-1]) if views else (None, ())


def _cell(
    run: ProtocolSession, member: MemberId, number: int, current: int, *, done: bool
) -> StepState:
    heard = run.session.rounds_received.get(number, frozenset())
    mine = member == run.tools.me
    if done or number < current:
        return StepState.SENT if mine else StepState.DONE
    if run.failure and member in run.failure.blamed and number == current:
        return StepState.FAILED
    if run.failure and member in run.failure.unreachable and number == current:
        return StepState.LATE
    if number > current:
        return StepState.NOT_STARTED
    if mine:
        return StepState.SENT
    return StepState.RECEIVED if run.info.indices[member] in heard else StepState.WAITING


def _sentence(
    run: ProtocolSession,
    current: int,
    total: int,
    now_ms: int,
    names: dict[MemberId, str],
    *,
    done: bool,
) -> str:
    if done:
        return f"All {total} rounds are complete."
    if run.failure:
        return f"Stopped in round {current} of {total}: {run.failure.reason}."
    awaited = [names.get(m, m) for m in sorted(run.awaited)]
    if not awaited:
        return f"Round {current} of {total}."
    others = len(run.others)
    left = max(0, (run.info.deadline_ms - now_ms) // 1000)
    return (
        f"Round {current} of {total}. {others - len(awaited)} of {others} messages received. "
        f"Waiting for {', '.join(awaited)}, {left} s left."
    )
