"""What can go wrong in `sprout_like`. The caller's own errors are never wrapped in any of these.

SproutError
├── SettingError            a setting is unknown, malformed or cannot be honoured   (raised at construction)
├── JudgeError              a judge cannot judge at all: key, model or address; every further case would fail
├── NothingToLearn          what tuning, judging or a replay was given holds too little: what is missing, how to get it
├── VariantUnavailable      a variant cannot be loaded now: memory, a file, a package        (`full` is served)
├── JobError                a job, schedule or worker that cannot be as asked; the queue is as it was
├── EngineUnavailable       an engine for jobs does not answer or cannot be loaded now: items wait   (retryable)
├── BatchTooLarge           a batch does not fit into memory: half of it is tried
├── ReportError             a report cannot be as asked, or a file is none: which, and what to do
├── MeterError              a reading failed, or a meter was asked for what it does not have
│   └── MeterUnavailable    a meter cannot be set up on this machine: why, and what to do about it
└── LedgerError             the ledger cannot be used as asked
    ├── LedgerUnreachable   the database did not answer: rows go to the spool       (retryable)
    ├── LedgerVersionError  the database was written by a newer release
    ├── RowRefused          the database will never take this row: it is set aside in the spool
    └── SpoolUnusable       the spool cannot be read or written: rows stay in memory (retryable)
"""

from __future__ import annotations

__all__ = [
    "BatchFailed",
    "BatchTooLarge",
    "EngineUnavailable",
    "JobError",
    "JudgeError",
    "LedgerError",
    "LedgerUnreachable",
    "LedgerVersionError",
    "MeterError",
    "MeterUnavailable",
    "NothingToLearn",
    "ReportError",
    "RowRefused",
    "SettingError",
    "SpoolUnusable",
    "SproutError",
    "VariantUnavailable",
]


class SproutError(Exception):
    """Base of every error this package raises."""


class SettingError(SproutError, ValueError):
    """A setting is unknown, malformed or cannot be honoured.

    The message says what was given, which setting it was and what to do.

    Attributes:
        setting: name of the setting, as in `Settings`.
        problem: what is wrong with it. fix: what to do about it.
    """

    def __init__(self, setting: str, problem: str, fix: str) -> None:
        stop = "" if problem.endswith("?") else "."
        super().__init__(f"{setting}: {problem}{stop} {fix}")
        self.setting = setting
        self.problem = problem
        self.fix = fix


class JudgeError(SproutError):
    """A judge cannot judge at all; the message names it, the reason and what to do, without key or prompt."""


class NothingToLearn(SproutError):
    """Data from which nothing can be learnt; the message names it, what is missing and how to get it."""


class VariantUnavailable(SproutError):
    """A variant cannot be loaded now; the message names it, the reason and what to do."""


class JobError(SproutError):
    """A job, schedule or worker that cannot be as asked; the message names it, the reason and what to do."""


class EngineUnavailable(SproutError):
    """An engine for jobs does not answer, or cannot be loaded now; the message names it, the reason and what to do."""


class BatchTooLarge(SproutError):
    """A batch that does not fit into memory; the message says how many prompts and tokens it held."""


class BatchFailed(SproutError):
    """Requests that were computed together failed together; the message says why and what becomes of the next."""


class ReportError(SproutError, ValueError):
    """A report that cannot be as asked, or a file that is no report; the message says what to do."""


class MeterError(SproutError):
    """A meter's reading failed, or it was asked for a device it does not have."""


class MeterUnavailable(MeterError):
    """A meter cannot be set up on this machine.

    Attributes:
        problem: what is missing. fix: what to do about it, a command where there is one; `doctor` shows both.
    """

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}. {fix}")
        self.problem = problem
        self.fix = fix


class LedgerError(SproutError):
    """The ledger cannot be used as asked."""


class LedgerUnreachable(LedgerError):
    """The database did not answer or could not take the rows; they are kept in the spool and sent again."""


class LedgerVersionError(LedgerError):
    """The database's schema is newer than this release knows; upgrade sprout-like."""


class RowRefused(LedgerError):
    """The database, or JSON, cannot hold a value of this row, now or later; the row is set aside in the spool."""


class SpoolUnusable(LedgerError):
    """The spool cannot be read or written now; rows are kept in memory and tried again."""
