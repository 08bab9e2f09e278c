"""`softtricks sweep` on a real PostgreSQL server: several sweeps at once, deaths, and outages."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from sweep_program import Stub, is_gone, killed, needs_optuna, once_each, succeeded

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
pytestmark = [
    needs_optuna,
    pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL is not there (scripts/setup.sh --check)"),
]


class Server:
    """A server of its own on a Unix socket in a temporary folder, without a network port."""

    def __init__(self):
        # The path of a socket must be short, and root may not start a server.
        self.folder = Path(tempfile.mkdtemp(prefix="softtricks-", dir="/tmp"))
        self.user = unprivileged_user()
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.call("initdb", "--auth", "trust", "--username", "sweeper", "--no-sync")
        self.control("start")

    def call(self, name, *words):
        """Runs one of PostgreSQL's programs on the server's data."""
        command = [PROGRAMS[-1].parent / name, "-D", self.folder / "data", *words]
        become = {}
        if self.user:
            become = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        done = subprocess.run(
            list(map(str, command)), cwd=self.folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, timeout=60, **become,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def control(self, verb, *words):
        settings = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        options = ("-o", settings, "-l", self.folder / "log") if verb == "start" else ()
        self.call("pg_ctl", "-w", *options, *words, verb)

    @property
    def url(self):
        return f"postgresql://sweeper@/postgres?host={self.folder}"

    def end(self):
        self.control("stop", "-m", "immediate")
        shutil.rmtree(self.folder)


def unprivileged_user():
    """For root, somebody else."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name: user for user in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.end()


@pytest.fixture
def shared(tmp_path, server):
    """Sweeps of one name, of this test's own, with a folder each."""
    stub = Stub(tmp_path, server.url, tmp_path.name)
    yield stub
    stub.end()


def test_several_sweeps_at_once_share_the_trials(shared):
    """Started together, so that they meet while tables and trials are made."""
    words = "--workers", 2, "--seeds", 6, "--rows", "a,b", "--seconds", 0.3, "--grace", 24
    all_of_them = [shared.start(name, *words) for name in ("first", "second", "third")]
    for process in all_of_them:
        succeeded(process)
    assert shared.counted("begin") == shared.counted("end") == once_each(6, "ab")
    assert shared.table("first") == shared.table("second") == shared.table("third")
    assert len(shared.table("first")["rows"]) == 12


def test_the_trial_of_a_dead_worker_is_taken_up_again(shared):
    words = "--workers", 1, "--seconds", 3, "--seeds", 4, "--grace", 6
    first, second = (shared.start(name, *words) for name in ("first", "second"))
    shared.wait_for("begin", 2)
    killed(first)
    ended = shared.counted("end")
    lost = [task for _, task, pid in shared.events() if task not in ended and is_gone(pid)]
    succeeded(second)
    assert shared.counted("end") == once_each(4)
    assert len(lost) == 1 and shared.counted("begin")[lost[0]] == 2


def test_a_server_that_is_away_for_a_while_costs_nothing(shared, server):
    process = shared.start("run", "--workers", 2, "--seconds", 3, "--seeds", 4, "--grace", 6)
    shared.wait_for("begin", 2)
    server.control("stop", "-m", "immediate")
    time.sleep(4)  # both trainings end meanwhile
    server.control("start")
    said = succeeded(process)
    assert "trying again" in said and "Traceback" not in said
    assert shared.counted("begin") == shared.counted("end") == once_each(4)


def test_a_missing_database_is_named(shared, server):
    done = shared.run("run", "--storage", server.url.replace("/postgres?", "/nowhere?"))
    assert done.returncode == 2 and 'database "nowhere" does not exist' in done.stderr
