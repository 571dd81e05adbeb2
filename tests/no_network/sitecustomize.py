"""No connection beyond this machine, for a Python process and all Python processes it starts.

Put this folder on PYTHONPATH, and Python loads the module at start-up:

    PYTHONPATH=tests/no_network NO_NETWORK_LOG=attempts.txt python -m helpers …

An attempt to reach another machine, or to look up its name, raises `PermissionError`; with NO_NETWORK_LOG it is also
written to that file, because many libraries swallow such errors. It is an audit hook, which nothing in the process can
undo or go around with another function of `socket`; connections that a C library opens by itself are not seen.
"""

import ipaddress
import os
import socket
import sys

_EVENTS = {  # audit event -> position of the address or host among its arguments
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
}
_THIS_MACHINE = {"", "localhost", "0.0.0.0", "::", socket.gethostname()}


def _is_this_machine(host) -> bool:
    host = host.decode() if isinstance(host, bytes) else host
    if host is None or host in _THIS_MACHINE:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse(event: str, args: tuple) -> None:
    if event not in _EVENTS:
        return
    target = args[_EVENTS[event]]
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        if args[0].family not in (socket.AF_INET, socket.AF_INET6) or target is None:  # Unix sockets, connected ones
            return
        target = target[0]
    if not _is_this_machine(target):
        if log := os.environ.get("NO_NETWORK_LOG"):
            with open(log, "a", encoding="utf-8") as file:
                file.write(f"{event} {target} by {sys.argv[0] if sys.argv else 'python'}\n")
        raise PermissionError(f"{event} to {target}: this process may not reach beyond this machine")


sys.addaudithook(_refuse)
