"""The journal's file: `<out>/journal.sqlite3`, its tables by version, and what is wrong with it in one line.

Knows SQLite. Tables are only ever added to: triggers refuse UPDATE, DELETE and REPLACE. The file appears whole or not
at all, in WAL mode; with synchronous=FULL a commit is on the disk when it returns.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from rig.errors import BenchError, InputError, Where
from rig.whole_file import sync_folder

FILE = "journal.sqlite3"
APPLICATION_ID = 0x72696773
"""'rigs': what file(1) and we know the journal by."""

BUSY_S = 5.0
"""So long a writer waits for another one, which needs some ten milliseconds."""

_ATTEMPTS = """
CREATE TABLE begun (
    n INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    utc TEXT NOT NULL,
    bench TEXT NOT NULL,
    fixture TEXT,
    version_from TEXT,
    version_to TEXT,
    meter TEXT,
    soak TEXT,
    cycle INTEGER,
    attempt INTEGER,
    pid INTEGER,
    started INTEGER,
    boot_id TEXT,
    UNIQUE (soak, cycle, attempt, kind)
) STRICT;
CREATE TABLE ended (
    n INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE REFERENCES begun (run_id),
    verdict TEXT NOT NULL,
    rail_verdict TEXT,
    reasons TEXT NOT NULL,
    lower_s REAL,
    estimate_s REAL,
    upper_s REAL,
    limit_s REAL,
    comparison TEXT,
    version_before TEXT,
    version_after TEXT,
    safe INTEGER NOT NULL,
    meter TEXT,
    sums_sha256 TEXT NOT NULL,
    elapsed_s REAL NOT NULL,
    elapsed_real_s REAL NOT NULL
) STRICT;
CREATE TABLE lost (
    n INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE REFERENCES begun (run_id),
    utc TEXT NOT NULL,
    why TEXT NOT NULL
) STRICT;
"""
_SOAKS = """
CREATE TABLE soak (
    n INTEGER PRIMARY KEY,
    soak_id TEXT NOT NULL UNIQUE,
    utc TEXT NOT NULL,
    plan_text TEXT NOT NULL,
    plan_sha256 TEXT NOT NULL,
    bench TEXT NOT NULL,
    bench_from TEXT NOT NULL,
    meter TEXT,
    seed INTEGER NOT NULL
) STRICT;
CREATE TABLE soak_event (
    n INTEGER PRIMARY KEY,
    soak_id TEXT NOT NULL REFERENCES soak (soak_id),
    utc TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    cycle INTEGER,
    seconds REAL
) STRICT;
CREATE INDEX soak_event_of ON soak_event (soak_id);
CREATE TABLE soak_end (
    n INTEGER PRIMARY KEY,
    soak_id TEXT NOT NULL REFERENCES soak (soak_id),
    utc TEXT NOT NULL,
    reason TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
"""


_KEYS = {
    "begun": "run_id = NEW.run_id OR "
    "(soak = NEW.soak AND cycle = NEW.cycle AND attempt = NEW.attempt AND kind = NEW.kind)",
    "ended": "run_id = NEW.run_id",
    "lost": "run_id = NEW.run_id",
    "soak": "soak_id = NEW.soak_id",
    "soak_event": "FALSE",
    "soak_end": "FALSE",
}


def _append_only(*tables: str) -> str:
    """No row changes or goes. A REPLACE deletes without a trigger for it: one looks before each insert."""
    refused = "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;\n"
    return "".join(  # of our own words only
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refused}"  # noqa: S608
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refused}"
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE n = NEW.n OR {_KEYS[table]}) {refused}"
        for table in tables
    )


MIGRATIONS = (
    _ATTEMPTS + _append_only("begun", "ended", "lost"),
    _SOAKS + _append_only("soak", "soak_event", "soak_end"),
)
"""What makes version n + 1 of version n. Those that were published never change."""


def path_in(out: Path) -> Path:
    """Where the journal of these results is."""
    return out / FILE


def open_for_writing(out: Path) -> sqlite3.Connection:
    """The journal in `out`, made or brought to this version where needed. See `told` for the errors."""
    path = path_in(out)
    with told(path):
        if not path.exists():
            _make(out, path)
        connection = _connected(path, "rw")
        try:
            _migrated(path, connection)
            check(path, connection)
        except BaseException:
            connection.close()
            raise
    return connection


def open_for_reading(out: Path) -> sqlite3.Connection:
    """The journal in `out`; no writer is held up, and nothing is changed. See `told` for the errors."""
    path = path_in(out)
    if not out.is_dir():
        raise InputError("no folder of results", Where(str(out), found="no such folder"))
    if not path.is_file():
        expected = f"a folder of results; 'rig runs rebuild --out {out}' makes a journal from its bundles"
        raise InputError("no journal here", Where(str(path), found="no such file", expected=expected))
    with told(path):
        try:
            connection = _connected(path, "ro")
            version = _version(path, connection)
        except sqlite3.OperationalError:
            if os.access(out, os.W_OK) or unfinished(path):
                raise
            connection = _connected(path, "ro&immutable=1")  # a folder that nobody may write: nothing changes there
            version = _version(path, connection)
        if version < len(MIGRATIONS):
            connection.close()
            open_for_writing(out).close()
            connection = _connected(path, "ro")
    return connection


def make_anew(path: Path) -> sqlite3.Connection:
    """A new, empty journal at `path`, where nothing may be yet; open for writing. Raises sqlite3.Error, OSError."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644))
    connection = _connected(path, "rw")
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        _migrated(path, connection)
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite says into one line.

    Raises InputError for a file that is no journal, is damaged, or comes from a newer version; BenchError for one that
    cannot be written or that another process keeps writing, and for a row that is there already.
    """
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise BenchError("the journal has this already", Where(str(path), found=str(error))) from error
    except sqlite3.Error as error:
        raise _in_a_line(path, error) from error
    except UnicodeError as error:  # in what a damaged file makes SQLite say
        raise damaged(path, "text that is none") from error
    except OSError as error:
        raise BenchError("the journal cannot be written", Where(str(path), found=error.strerror)) from error


def check(path: Path, connection: sqlite3.Connection) -> None:
    """Look at every page. Raises InputError for a damaged file."""
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise damaged(path, str(found))


def damaged(path: Path, found: str) -> InputError:
    expected = f"a journal; 'rig runs rebuild --out {path.parent}' makes it anew from the bundles"
    return InputError("the journal is damaged", Where(str(path), found=found, expected=expected))


def _in_a_line(path: Path, error: sqlite3.Error) -> InputError | BenchError:
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    where = Where(str(path), found=str(error))
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        expected = f"another process to be done within {BUSY_S:g} s"
        return BenchError("the journal is being written by another process", Where(str(path), expected=expected))
    if primary == sqlite3.SQLITE_FULL:
        return BenchError("disk full: the journal cannot be written", where)
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH):
        return damaged(path, str(error))
    return BenchError("the journal cannot be read or written", where)


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}", uri=True, timeout=BUSY_S, isolation_level=None
    )
    try:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA trusted_schema=OFF")
    except BaseException:
        connection.close()
        raise
    return connection


def _make(out: Path, path: Path) -> None:
    """Under a hidden name first: a journal that was begun and is none yet would be in everybody's way."""
    if log_of(path).exists():
        raise damaged(path, f"nothing but its {log_of(path).name}")  # it would be played into the new one
    draft = out / f".{FILE}.{secrets.token_hex(4)}.partial"
    try:
        make_anew(draft).close()
        with contextlib.suppress(FileExistsError):  # another process was faster
            name_too(draft, path)
        sync_folder(out)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _version(path: Path, connection: sqlite3.Connection) -> int:
    """Of the tables. Raises InputError for another's database, and for a journal from a newer version than ours."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise damaged(path, "another database, or an empty file")
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        where = Where(str(path), "user_version", found=str(version), expected=f"at most {len(MIGRATIONS)}")
        raise InputError("the journal is from a newer version of this program", where)
    return version


def _migrated(path: Path, connection: sqlite3.Connection) -> None:
    if _version(path, connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(path, connection)  # another process may have been at it
        for script in MIGRATIONS[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


def roll_back(connection: sqlite3.Connection) -> None:
    """End the transaction, where SQLite has not ended it already (as it does when the disk is full)."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _statements(script: str) -> Iterator[str]:
    """One by one: `executescript` would commit in between."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def unfinished(path: Path) -> bool:
    """Whether a writer left something beside it that is not in the file yet."""
    log = log_of(path)
    return log.is_file() and log.stat().st_size > 0


def name_too(path: Path, name: Path) -> None:
    """The file at `path` gets this name too, or instead where the file system has no second names (FAT).

    Raises FileExistsError, OSError.
    """
    try:
        os.link(path, name)
    except FileExistsError:
        raise
    except OSError:
        if name.exists():
            raise
        path.rename(name)


def log_of(path: Path) -> Path:
    """SQLite's write-ahead log: commits that are not in the file yet."""
    return path.with_name(f"{path.name}-wal")


def index_of(path: Path) -> Path:
    """SQLite's index of the log; worth nothing by itself."""
    return path.with_name(f"{path.name}-shm")


def lock_folder(out: Path, *, alone: bool) -> int:
    """Writers share the folder; who makes the journal anew has it alone. Returns the descriptor that holds the lock.

    Raises BenchError when somebody is in the way, InputError where there is no folder.
    """
    try:
        descriptor = os.open(out, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise InputError("no folder of results", Where(str(out), found=error.strerror)) from error
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        words = "the journal is in use: wait for the run or the soak" if alone else "the journal is being made anew"
        raise BenchError(words, Where(str(path_in(out)))) from error
    return descriptor
