"""wire.py DEVICE DEVICE SECONDS: a long cable between two devices: each frame that comes in
at one leaves at the other so much later."""

import collections
import contextlib
import selectors
import socket
import sys
import time

FRAME_MAX = 65536
OUTGOING = 4  # PACKET_OUTGOING: what we sent ourselves


def opened(device):
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    end.bind((device, 0))
    end.setblocking(False)
    return end


def main():
    ends = opened(sys.argv[1]), opened(sys.argv[2])
    delay = float(sys.argv[3])
    under_way = collections.deque()
    ready = selectors.DefaultSelector()
    for n, end in enumerate(ends):
        ready.register(end, selectors.EVENT_READ, ends[1 - n])
    print("listening", flush=True)
    while True:
        wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
        for key, _ in ready.select(wait):
            with contextlib.suppress(OSError):
                while True:
                    frame, sender = key.fileobj.recvfrom(FRAME_MAX)
                    if sender[2] != OUTGOING:
                        under_way.append((time.monotonic() + delay, key.data, frame))
        while under_way and under_way[0][0] <= time.monotonic():
            _, to, frame = under_way.popleft()
            with contextlib.suppress(OSError):
                to.send(frame)


if __name__ == "__main__":
    main()
