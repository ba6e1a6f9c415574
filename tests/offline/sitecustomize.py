"""Put on PYTHONPATH, refuses and records every connection that leaves this machine, in each process that starts.

Spawned processes inherit it. It writes to the file named by TONGCHUAN_AUDIT: a line "start PID" for each process
and a line "refused PID EVENT ADDRESS" for each attempt.
"""

import ipaddress
import os
import sys

_LOG = os.environ.get("TONGCHUAN_AUDIT")


def _record(line: str) -> None:
    fd = os.open(str(_LOG), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, line.encode() + b"\n")
    os.close(fd)


def _is_local(address: object) -> bool:
    if isinstance(address, str | bytes):
        return True  # a socket file
    host = address[0] if isinstance(address, tuple) and address else address
    if host in ("localhost", "", None):
        return True
    try:
        return ipaddress.ip_address(str(host).split("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse(event: str, arguments: tuple) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        is_local = address is None or _is_local(address)
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        address = arguments[0]
        is_local = _is_local((address,))
    else:
        return
    if not is_local:
        _record(f"refused {os.getpid()} {event} {address!r}")
        raise PermissionError(f"the test refuses {event} to {address!r}")


if _LOG:
    _record(f"start {os.getpid()}")
    sys.addaudithook(_refuse)
