"""A person's terminal."""

import os
import pty
import select
import time
from contextlib import suppress


class Terminal:
    """A person's terminal with one command in it."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(command[0], command, environment)  # noqa: S606  # there is no shell to start it with
        self.shown = ""

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + 60
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if select.select([self.fd], [], [], 0.1)[0]:
                self.shown += os.read(self.fd, 65536).decode()

    def type(self, line: str, *, then: str) -> str:
        """Type a line, and return what is shown until ``then`` is."""
        self.shown = ""
        os.write(self.fd, f"{line}\n".encode())
        self.wait_for(then)
        return self.shown

    def end(self) -> int:
        """Leave psql, and return its exit code."""
        os.write(self.fd, b"\\q\n")
        return self.ended()

    def ended(self) -> int:
        """Wait for the command's end, and return its exit code."""
        with suppress(OSError):  # so a terminal says that nobody is at its other end
            self.wait_for("\0")
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)
