"""One thread of a process stands still until this one's input ends: standstill.py THREAD

A thread can be stopped alone only by who traces it. Says "held" once it is. That is a process of
its own, as stops are told to the tracer: were it the process that started the service, whoever
looks there whether the service still runs would be told them too, and take them for its end."""

import ctypes
import os
import sys

INTERRUPT, DETACH, SEIZE, WAIT_ALL = 0x4207, 17, 0x4206, 0x40000000


def tracing():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def trace(request, thread):
        if libc.ptrace(request, thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")
    return trace


def main():
    thread, trace = int(sys.argv[1]), tracing()
    trace(SEIZE, thread)
    trace(INTERRUPT, thread)
    os.waitpid(thread, WAIT_ALL)
    print("held", flush=True)
    sys.stdin.read()
    trace(DETACH, thread)


if __name__ == "__main__":
    main()
