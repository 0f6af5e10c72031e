"""The server itself: who says nothing keeps nobody else out."""

from __future__ import annotations

import socket
from threading import Event, Thread

import httpx
import pytest
from starlette.responses import PlainTextResponse

from sprout_like.dashboard.serving import Server, listen


def test_connections_that_never_say_what_they_want_are_closed() -> None:
    listening, started = listen("127.0.0.1", 0), Event()
    port = listening.getsockname()[1]
    server = Server(PlainTextResponse("yes"), listening, started=started.set, ending=lambda: None, head_s=0.5)
    thread = Thread(target=server.run)
    thread.start()
    assert started.wait(10)
    silent = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(120)]
    try:
        for each in silent:
            each.sendall(b"GET / HTTP/1.1\r\nHost: loc")
        assert {each.recv(1) for each in silent} == {b""}
        with httpx.Client() as client:  # one connection, used again
            assert [client.get(f"http://127.0.0.1:{port}/").text for _ in range(3)] == ["yes"] * 3
    finally:
        for each in silent:
            each.close()
        server.stop()
        thread.join(10)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_every_address_is_those_of_ipv4_too() -> None:
    with listen("::", 0) as listening:
        port = listening.getsockname()[1]
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, port), timeout=5).close()
