"""A network of one's own: every part of the cluster in a network namespace, joined by a
bridge that only the harness has. Where namespaces may not be made, addresses of loopback
serve, and faults of the network are left out.

Packets are lost by a rule of iptables and cut off by another one; they are delayed by a
process that stands between the namespace's cable and the bridge (wire.py), because kernels
without sch_netem are common (containers, small virtual machines)."""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import socket
import struct
import subprocess
import sys

SUBNET = "10.99.0"
ENTERED = "CAIRN_FAULTS_NETNS"
SIOCETHTOOL = 0x8946
OFFLOADS = (0x17, 0x1F, 0x24, 0x2C)  # tx checksums, TSO, GSO, GRO: frames stay as sent


def run(*argv, check=True):
    return subprocess.run(argv, check=check, capture_output=True, text=True, timeout=30)


def plain_frames(device):
    """What is copied from cable to cable must be whole frames with good checksums."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in OFFLOADS:
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sP", device.encode(), ctypes.addressof(value))
            with contextlib.suppress(OSError):
                fcntl.ioctl(control, SIOCETHTOOL, request)


def enter():
    """Start this program again inside namespaces of its own. False: not permitted."""
    if os.environ.get(ENTERED):
        return True
    if os.environ.get("FAULT_LOOPBACK"):
        return False
    try:
        permitted = os.geteuid() == 0 and \
            run("unshare", "--net", "--mount", "ip", "link", "add", "type", "veth",
                check=False).returncode == 0 and \
            run("iptables", "--version", check=False).returncode == 0
    except OSError:
        permitted = False
    if not permitted:
        return False
    os.environ[ENTERED] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private",
                          sys.executable, *sys.argv])


class Host:
    """Where one process, or a few that belong together, live."""

    def __init__(self, name, address, inside=False):
        self.name, self.address, self.inside = name, address, inside
        self.wire = None

    def command(self, argv):
        prefix = ["nsenter", f"--net=/run/netns/{self.name}"] if self.inside else []
        return [*prefix, *map(str, argv)]


class Loopback:
    """No namespaces: all talk over loopback, under addresses of this process."""

    isolated = False

    def __init__(self):
        self.hosts = {}
        self.prefix = f"127.{20 + os.getpid() % 200}.{os.getpid() // 200 % 250}"

    def host(self, name):
        self.hosts[name] = Host(name, f"{self.prefix}.{10 + len(self.hosts)}")
        return self.hosts[name]

    def close(self):
        pass


class Namespaces:
    isolated = True

    def __init__(self):
        self.hosts = {}
        pathlib.Path("/run/netns").mkdir(exist_ok=True)
        run("mount", "-t", "tmpfs", "none", "/run/netns")  # ours alone, ends with us
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "hub", "type", "bridge")
        run("ip", "addr", "add", f"{SUBNET}.1/24", "dev", "hub")
        plain_frames("hub")
        run("ip", "link", "set", "hub", "up")

    def host(self, name):
        number = 10 + len(self.hosts)
        one = Host(name, f"{SUBNET}.{number}", inside=True)
        ours, theirs = f"h{number}", f"n{number}"
        run("ip", "netns", "add", name)
        run("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs)
        plain_frames(ours)
        plain_frames(theirs)
        run("ip", "link", "set", theirs, "netns", name)
        run("ip", "link", "set", ours, "master", "hub")
        run("ip", "link", "set", ours, "up")
        run(*one.command(["ip", "addr", "add", f"{one.address}/24", "dev", theirs]))
        run(*one.command(["ip", "link", "set", theirs, "up"]))
        run(*one.command(["ip", "link", "set", "lo", "up"]))
        one.device = ours
        self.hosts[name] = one
        return one

    def cut(self, host, peers=(), ways=("in", "out")):
        """Nothing comes in, nothing goes out, or both; of some peers or of all but the
        harness itself, which must still be able to look."""
        whom = [[peer.address] for peer in peers] or [["!", f"{SUBNET}.1"]]
        for words in whom:
            *negated, address = words
            if "in" in ways:
                run(*host.command(["iptables", "-A", "INPUT", *negated, "-s", address, "-j",
                                   "DROP"]))
            if "out" in ways:
                run(*host.command(["iptables", "-A", "OUTPUT", *negated, "-d", address, "-j",
                                   "DROP"]))

    def lose(self, host, share):
        for chain in ("INPUT", "OUTPUT"):
            run(*host.command(["iptables", "-A", chain, "-m", "statistic", "--mode", "random",
                               "--probability", str(share), "-j", "DROP"]))

    def mend(self, host):
        run(*host.command(["iptables", "-F"]))

    def delay(self, host, seconds):
        """In each direction."""
        run("ip", "link", "add", f"w{host.device}", "type", "veth", "peer", "name",
            f"x{host.device}")
        for device in (f"w{host.device}", f"x{host.device}"):
            plain_frames(device)
            run("ip", "link", "set", device, "up")
        host.wire = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).with_name("wire.py"), host.device,
             f"w{host.device}", str(seconds)], stdout=subprocess.PIPE)
        host.wire.stdout.readline()  # it listens
        run("ip", "link", "set", host.device, "nomaster")
        run("ip", "link", "set", f"x{host.device}", "master", "hub")

    def undelay(self, host):
        if host.wire is None:
            return
        run("ip", "link", "del", f"w{host.device}")
        run("ip", "link", "set", host.device, "master", "hub")
        host.wire.kill()
        host.wire.wait()
        host.wire.stdout.close()
        host.wire = None

    def ask_names_of(self, host, directory):
        """Whoever looks a name up in these namespaces asks that host's server."""
        config = directory / "resolv.conf"
        config.write_text(f"nameserver {host.address}\noptions timeout:2 attempts:2\n")
        run("mount", "--bind", config, pathlib.Path("/etc/resolv.conf").resolve())

    def close(self):
        for host in self.hosts.values():
            self.undelay(host)
