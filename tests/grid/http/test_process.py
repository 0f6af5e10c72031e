"""A source that was opened before a fork serves parent and child, each over its own connection and locks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from grid.http.process import PerProcess
from grid.testing import Answer, Asked, Loopback

ROOT = Path(__file__).parents[3]

# Both ask a hundred things at once, and get what they asked for.
ASKING = """
import os, sys
from grid.http.api import HttpApi
api = HttpApi(base_url=sys.argv[1], name="src", timeout_s=20)
assert api.get_json("/before") == "/before"
pid = os.fork()
who = "parent" if pid else "child"
right = all(api.get_json(f"/{who}/{n}") == f"/{who}/{n}" for n in range(100))
api.close()
if not pid:
    os._exit(0 if right else 1)
assert right
assert os.waitpid(pid, 0)[1] == 0
"""

# Another thread of the parent is in the middle of a login when the child is made, and logs in for itself.
LOGGING_IN = """
import os, signal, threading
from datetime import timedelta
from grid.clock import utc_now
from grid.http.credentials import BasicLogin, LoginToken
parent, begun, ended = os.getpid(), threading.Event(), threading.Event()

def log_in():
    if os.getpid() == parent:
        begun.set()
        ended.wait(60)
    return "token-1"

token = LoginToken(BasicLogin("user-7", "secret"), log_in, valid=timedelta(hours=1), now_utc=utc_now)
thread = threading.Thread(target=token.headers)
thread.start()
assert begun.wait(60)
pid = os.fork()
if not pid:
    signal.alarm(20)
    os._exit(0 if token.headers() == {"Authorization": "Bearer token-1"} else 1)
status = os.waitpid(pid, 0)[1]
ended.set()
thread.join()
assert status == 0
"""


class _Echo(Loopback):
    """Answers the path."""

    def truth(self, asked: Asked) -> Answer:
        return Answer(f'"{asked.path}"')


def _run(script: str, *arguments: str) -> None:
    # Newer versions of Python warn of every fork of a process that has threads.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script, *arguments]
    subprocess.run(command, check=True, cwd=ROOT, timeout=100)


def test_a_child_asks_over_its_own_connection() -> None:
    with _Echo() as server:
        _run(ASKING, server.url)
        assert server.connections == 2


def test_a_child_does_not_wait_for_a_login_of_its_parent() -> None:
    _run(LOGGING_IN)


def test_one_process_has_one_thing() -> None:
    thing = PerProcess(object)
    assert thing() is thing()
