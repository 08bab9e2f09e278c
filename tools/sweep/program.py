"""The program of an experiment. It alone knows rows, ranges and the table."""

import ctypes
import json
import os
import signal
import subprocess

from .error import SweepError

PR_SET_PDEATHSIG = 1
prctl = ctypes.CDLL(None).prctl


class Program:
    def __init__(self, path, arguments, out, threads):
        self.path, self.threads = path, threads
        self.arguments = [*arguments, "--out", str(out)]

    def tasks(self):
        """What `PROGRAM tasks` prints (experiments/common/task_list.hpp)."""
        command = [self.path, "tasks", *self.arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise SweepError(done.stderr.strip().removeprefix("error: "))
        return json.loads(done.stdout)

    def start(self, task, folder, log):
        """A process that trains one task, as the only one of the run `folder`."""
        chosen = [f"--{name}={value}" for name, value in task["arguments"].items()]
        own = ["--out", str(folder), "--jobs", "1", "--threads", str(self.threads), "--no-report"]
        parent = os.getpid()

        def die_with_parent():
            # So that whoever takes the trial next finds its folder free.
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        return subprocess.Popen(
            [self.path, *self.arguments, *chosen, *own],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a table of one line
            stderr=log,
            start_new_session=True,  # a terminal's Ctrl-C is the sweep's to handle
            preexec_fn=die_with_parent,
        )

    def summary(self):
        """Writes summary.json and the report, prints the table; returns the exit status."""
        return subprocess.run([self.path, "summary", *self.arguments]).returncode
