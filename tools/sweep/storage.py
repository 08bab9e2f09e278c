"""The database of the trials: SQLite for one machine, PostgreSQL for several."""

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path

import optuna
import sqlalchemy

from .error import StorageError, SweepError

ACCEPTED = "give sqlite:///FILE or postgresql://USER@HOST/DATABASE"
ADVISORY_LOCK = 0x736F6674  # any number, the same for every sweep of a database


def open_storage(text, default_file, create):
    """The storage of a URL, by default an SQLite file. Without `create`, the file must be there."""
    url = read_url(text) if text else sqlalchemy.URL.create("sqlite", database=str(default_file))
    if url.get_backend_name() == "sqlite":
        check_file(Path(url.database), create)
        return SqliteStorage(url)
    return PostgresqlStorage(url)


def read_url(text):
    # No message repeats the URL: it may hold a password.
    try:
        url = sqlalchemy.make_url(text)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise SweepError(f"--storage: this is no URL of a database; {ACCEPTED}") from None
    name = url.get_backend_name()
    if name == "sqlite" and url.database in (None, "", ":memory:"):
        raise SweepError(f"--storage: SQLite needs a file; {ACCEPTED}")
    if name in ("postgresql", "postgres"):
        plain = "+" not in url.drivername
        return url.set(drivername="postgresql+psycopg") if plain else url
    if name != "sqlite":
        raise SweepError(f"--storage: databases of the kind '{name}' are not supported; {ACCEPTED}")
    return url


def check_file(file, create):
    if not create and not file.exists():
        raise SweepError(f"--storage: there is no file '{file}' yet, so no sweep was started")
    if file.exists() and not os.access(file, os.W_OK):
        raise SweepError(f"--storage: '{file}' cannot be written")


class Storage:
    """`trials` is Optuna's view of the database. It is used inside exclusive() only."""

    def __init__(self, url, place, **engine):
        self.url, self.place = url, place
        with self.exclusive():  # tables are made once
            self.trials = optuna.storages.get_storage(self.tables(engine))

    def tables(self, engine):
        address = self.url.render_as_string(hide_password=False)
        address = address.replace("{", "{{").replace("}", "}}")  # Optuna fills in templates
        try:
            return optuna.storages.RDBStorage(address, engine_kwargs=engine)
        except RuntimeError as error:  # made by another version of Optuna
            raise SweepError(f"--storage: {self.place} cannot be used: {error}") from error

    @contextmanager
    def exclusive(self):
        """What is read and written inside is one step: no other sweep on this database is in one.

        The lock ends with the process that holds it. Raises StorageError where the database fails.
        """
        try:
            with self.lock():
                yield
        except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.OptunaError) as error:
            raise StorageError(
                f"--storage: {self.place} cannot be used: {reason(error)}"
            ) from error


class SqliteStorage(Storage):
    def __init__(self, url):
        super().__init__(url, f"file '{url.database}'", connect_args={"timeout": 60})

    @contextmanager
    def lock(self):
        try:
            file = open(f"{self.url.database}.lock", "w")
        except OSError as error:
            raise SweepError(
                f"--storage: cannot write '{error.filename}': {error.strerror}"
            ) from None
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class PostgresqlStorage(Storage):
    def __init__(self, url):
        host = url.host or url.query.get("host") or "this machine"
        place = f"database '{url.database or url.username}' on {host}"
        connect = {"connect_timeout": 10}
        try:
            self.locks = sqlalchemy.create_engine(
                url, poolclass=sqlalchemy.pool.NullPool, connect_args=connect
            )
        except (sqlalchemy.exc.NoSuchModuleError, ImportError) as error:
            raise SweepError(
                f"--storage: the Python package for '{url.drivername}' is missing ({error}); "
                "postgresql:// alone takes psycopg, which scripts/setup.sh installs"
            ) from None
        super().__init__(url, place, pool_pre_ping=True, connect_args=connect)

    @contextmanager
    def lock(self):
        with self.locks.begin() as connection:
            # A machine that was cut off inside must not keep the others out until TCP notices.
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '60s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
            yield


def reason(error):
    """The database's own words, of one line."""
    cause = error
    while not isinstance(cause, sqlalchemy.exc.SQLAlchemyError) and cause.__cause__ is not None:
        cause = cause.__cause__
    words = str(getattr(cause, "orig", None) or cause).strip()
    return words.splitlines()[0] if words else type(error).__name__
