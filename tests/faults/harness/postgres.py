"""PostgreSQL of the cluster: a primary, and for a while a standby that takes its place."""

import glob
import os
import pathlib
import pwd
import shutil
import subprocess

from .process import Process
from .until import until

PORT = 5432
SETTINGS = ("unix_socket_directories=", "shared_buffers=64MB", "max_connections=150",
            "jit=off", "wal_level=replica", "max_wal_senders=8", "hot_standby=on",
            f"port={PORT}", "log_min_messages=warning", "max_wal_size=48MB",
            "min_wal_size=8MB")


def newest():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"),
                   key=lambda path: int(path.split("/")[4]))
    return pathlib.Path(found[-1]).parent


class Postgres:
    """One server on a disk of so many MB. PostgreSQL refuses to be root's: its own user then."""

    def __init__(self, name, host, directory, secret, disk):
        self.name, self.host, self.secret, self.disk = name, host, secret, disk
        self.bin = newest()
        self.data = pathlib.Path(directory, name)
        self.as_user = [] if os.geteuid() else [
            "setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        argv = [*self.as_user, self.bin / "postgres", "-D", self.data, "-c",
                f"listen_addresses={host.address}"]
        for setting in SETTINGS:
            argv += ["-c", setting]
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("PG")}
        self.process = Process(name, host, argv, environment,
                               pathlib.Path(directory, "log", f"{name}.log"))

    def tool(self, program, *words, seconds=60):
        return subprocess.run(
            self.host.command([*self.as_user, self.bin / program, *words]), check=True,
            timeout=seconds, capture_output=True, text=True, cwd="/",
            env={**os.environ, "PGPASSWORD": self.secret})

    def owned(self, path):
        if not os.geteuid():
            user = pwd.getpwnam("postgres")
            os.chown(path, user.pw_uid, user.pw_gid)

    def make_directory(self):
        """On a small disk of its own, where that is permitted: it can be full."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        if self.host.inside:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.disk}m,mode=700",
                            "none", self.data], check=True, timeout=30)
        self.owned(self.data)

    def remove(self):
        if self.host.inside and self.data.is_mount():
            subprocess.run(["umount", "-l", self.data], check=True, timeout=30)
        shutil.rmtree(self.data, ignore_errors=True)

    def make(self):
        self.make_directory()
        password = self.data.with_suffix(".password")
        password.write_text(self.secret)
        self.owned(password)
        self.tool("initdb", "-D", self.data, "-U", "cairn", "--auth=scram-sha-256",
                  f"--pwfile={password}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
                  "--wal-segsize=1")
        with open(self.data / "pg_hba.conf", "a", encoding="ascii") as file:
            for database in ("all", "replication"):
                file.write(f"host {database} all 0.0.0.0/0 scram-sha-256\n")

    def copy_of(self, primary):
        """Become a standby of it, from its files."""
        self.remove()
        self.make_directory()
        self.tool("pg_basebackup", "-D", self.data, "-h", primary.host.address, "-p", PORT,
                  "-U", "cairn", "-R", "-X", "stream", "-c", "fast", "--no-sync")
        auto = self.data / "postgresql.auto.conf"
        with open(auto, "a", encoding="ascii") as file:
            file.write(f"primary_conninfo = 'host={primary.host.address} port={PORT} user=cairn "
                       f"password={self.secret} application_name=standby'\n"
                       "synchronous_standby_names = ''\n")

    def accepts(self):
        done = subprocess.run(
            self.host.command([self.bin / "pg_isready", "-q", "-h", self.host.address, "-p",
                               PORT]), check=False, timeout=30)
        return done.returncode == 0

    def start(self, seconds=60):
        self.process.start()
        assert until(self.accepts, seconds, 0.05), f"{self.name} does not start"

    def psql(self, sql, database="cairn", seconds=60):
        done = subprocess.run(
            self.host.command(["psql", "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h",
                               self.host.address, "-p", PORT, "-U", "cairn", "-d", database]),
            input=sql, check=False, timeout=seconds, capture_output=True, text=True,
            env={**os.environ, "PGPASSWORD": self.secret})
        if done.returncode != 0:
            raise OSError(done.stderr)
        return done.stdout.strip()

    def follow(self, primary):
        """A synchronous standby: what is committed from now on is here, too."""
        self.copy_of(primary)
        self.start()
        primary.psql("ALTER SYSTEM SET synchronous_standby_names = 'standby';"
                     "SELECT pg_reload_conf()")
        assert until(lambda: primary.psql("SELECT sync_state FROM pg_stat_replication") == "sync",
                     30, 0.05), "the standby does not follow"

    def promote(self):
        self.psql("SELECT pg_promote(true, 30)", database="postgres")
