"""The warm parent: started by exec, gives up its rights, then forks a child for each execution.

It holds no secret and no data: only the interpreter and the standard library. Its caller sends
commands over a socket (see `_serve`); each child sends the caller one end of a channel of its own.
"""

from __future__ import annotations

import _socket
import gc
import json
import os
import random
import signal
import socket
import struct
import sys
from typing import Any

from . import confine, libc_stubs, mappings, modules, native, prelude, runtime, seccomp

_CONTROL = 4
_COMMAND = struct.Struct("<4xi")  # after kind, signal and padding
_REPLY = struct.Struct("<4xii")
_FORK, _WAIT = ord("F"), ord("W")


def main(fixed_addresses: bool) -> None:
    """Set up, confine, and serve until the caller goes away.

    Args:
        fixed_addresses: Whether this process has the same addresses each time, to report it.
    """
    control = _take_control_socket()
    config: dict[str, Any] = json.loads(control.recv(1 << 16))
    if config["core"] is not None:
        os.sched_setaffinity(0, {config["core"]})
    report, lock_down = _prepare(config)
    report["fixed_addresses"] = fixed_addresses
    state = prelude.interruptible()
    getpid = os.getpid
    prelude.steady_process()
    _forget_origin()
    if not set(native.MODULES).intersection(config["modules"]):
        report["missing"] += filter(None, [native.forget()])
    reply = bytearray(_REPLY.size)
    for _ in range(16):  # Python adapts a function to what it does after some calls
        _rehearse(config["seed"], reply)
        runtime.rehearse()
    control.send(json.dumps(report).encode())
    os.dup2(1, 2)
    gc.collect()
    gc.freeze()
    gc.disable()  # nothing may change the heap between two forks
    size = _serve(control, reply)
    if size is None:
        if not report.get("namespaces"):  # else the kernel ends the children with this process
            os.kill(0, signal.SIGKILL)  # the process group: this process and its children
        os._exit(0)
    # From here on in a child.
    _fill_gaps()
    lock_down.die_with_parent()
    _hand_over(control, reply, getpid(), size)
    reply[:] = bytes(len(reply))  # it holds this process's number
    os.closerange(0, seccomp.CHANNEL)
    lock_down.apply(size << 20)
    lock_down.forget()
    runtime.rehearse()
    gc.enable()
    runtime.serve(state, lambda: random.seed(config["seed"]))


def _prepare(config: dict[str, Any]) -> tuple[dict[str, Any], confine.LockDown]:
    """Stop the clocks, load the standard library and give up rights.

    Returns:
        What was achieved, as `confine.enter` says it, with `still` (time and chance of the C
        library) and `seccomp`; and the last step, for each child.
    """
    cells = libc_stubs.Cells()
    clock = prelude.freeze(config["clock"], cells)
    patches = {"asyncio": prelude.asyncio_patch(clock), "sysconfig": prelude.sysconfig_patch}
    modules.preload(config["modules"], patches)
    os.closerange(_CONTROL + 1, 1 << 10)  # the store's, which its mapping does without
    prelude.seed(config["seed"], cells)
    problem = libc_stubs.install(cells)
    mappings.join()
    unsafe, without = config["unsafe"], config["without"]
    report: dict[str, Any] = {"missing": []} if unsafe else confine.enter(without)
    report["missing"] += filter(None, [problem])
    report["still"] = problem is None
    lock_down = confine.LockDown(["seccomp"] if unsafe else without, report["still"])
    report["seccomp"] = lock_down.holds()
    return report, lock_down


def _take_control_socket() -> socket.socket:
    """Move the control socket, which came as standard input, to its place."""
    os.dup2(0, _CONTROL)
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, seccomp.CHANNEL):
        os.dup2(null, descriptor)
    if null > _CONTROL:
        os.close(null)
    return socket.socket(fileno=_CONTROL)


def _forget_origin() -> None:
    """Remove what tells where and how this program was started."""
    sys.argv[:] = [""]
    sys.orig_argv[:] = ["python"]
    sys.executable = "/usr/bin/python3"
    for name in [name for name in sys.modules if name.split(".")[0] == "child"]:
        del sys.modules[name]
    vars(sys.modules["__main__"]).pop("__file__", None)


def _serve(control: socket.socket, reply: bytearray) -> int | None:
    """Follow commands; return in each new child, with its MiB, and in the parent at the end, None.

    Commands have 8 bytes: a kind, a signal, padding and a number (4 bytes). `F` forks a child
    with so many MiB of address space; `K` sends a signal to the child with that process number;
    `W` does so, if there is one, and waits for its end. The replies are `R`, process number and
    MiB, which the new child sends itself with its channel; `K` and process number; `W`, process
    number and wait status; and `E`, MiB and error number if a fork fails.

    Every turn leaves the heap as it found it, but for the order of a few free blocks (see
    `_fill_gaps`), so that each child begins with equal memory and code gets equal addresses.
    """
    command = bytearray(_COMMAND.size)
    while control.recv_into(command) == len(command):
        if command[0] == _FORK:
            try:
                child = os.fork()
            except OSError as error:
                _REPLY.pack_into(reply, 0, *_COMMAND.unpack_from(command), error.errno or 0)
                reply[0] = ord("E")
                control.send(reply)
                continue
            if child == 0:
                size: int = _COMMAND.unpack_from(command)[0]
                return size
            continue
        number, status = _COMMAND.unpack_from(command)[0], 0
        if command[1]:
            os.kill(number, command[1])
        if command[0] == _WAIT:
            status = os.waitpid(number, 0)[1]
        _REPLY.pack_into(reply, 0, number, status)
        reply[0] = command[0]
        control.send(reply)
    return None


_filling: list[int] = []


def _fill_gaps() -> None:
    """Use up the free blocks whose order depends on what the parent did before.

    Numbers above 256, such as process numbers, are the only objects that its loop makes.
    """
    _filling.extend(number << 10 for number in range(1, 33))


def _rehearse(seed: int, reply: bytearray) -> None:
    """Do in the parent what each child will do first; see `runtime.rehearse`."""
    near, far = socket.socketpair()
    with far:
        _hand_over(near, reply, os.getpid(), 1)
    random.seed(seed)


def _hand_over(control: socket.socket, reply: bytearray, number: int, size: int) -> None:
    """Make this child's channel, send the other end to the caller, and leave the control socket.

    With the plain sockets of the C module: those of `socket` cost a child some 50 pages more.
    """
    ours, theirs = _socket.socketpair()
    _REPLY.pack_into(reply, 0, number, size)
    reply[0] = ord("R")
    rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("i", theirs.fileno()))
    control.sendmsg([reply], [rights])
    theirs.close()
    control.close()
    os.dup2(ours.fileno(), seccomp.CHANNEL)
    ours.close()
