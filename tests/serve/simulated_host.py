"""A host with `pgrehearse serve`, whose clock the test sets: real processes, a real ledger, and a
pgBackRest without a backup, so that a drill ends within a second with `fail`. It notes when two
drills use one stanza at once."""
import datetime
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import time
import zoneinfo

UTC = datetime.timezone.utc
LIBRARIES = ["/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
             "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"]
TIMEOUT = 240  # seconds, for one event on a busy machine

PGBACKREST = """#!/bin/sh
case " $* " in
  *" version "*) echo "pgBackRest 2.45"; exit 0 ;;
  *" info "*)
    mkdir {shared}/busy-{stanza} || echo "{stanza}" >> {shared}/overlaps
    sleep "$(cat {root}/seconds)"
    rmdir {shared}/busy-{stanza}
    code=$(cat {root}/code)
    [ "$code" = 0 ] || {{ echo "ERROR: [0$code]: by the test" >&2; exit "$code"; }}
    echo '[{{"name":"'"{stanza}"'","status":{{"code":2,"message":"no valid backups"}},"backup":[],"archive":[],"db":[],"cipher":"none"}}]'
    exit 0 ;;
esac
exit 0
"""


def library():
    return next((path for path in LIBRARIES if os.path.exists(path)), None)


def wait_for(predicate, what, timeout=TIMEOUT):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        result = predicate()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"timed out: {what}")


class Clock:
    """The time of every process of the simulation: the real time plus an offset."""

    def __init__(self, file, start):
        self.file = file
        self.set(start)

    def set(self, moment):
        self.offset = moment.timestamp() - time.time()
        self.set_at = time.monotonic()
        unfinished = self.file.with_suffix(".new")
        unfinished.write_text(f"{self.offset:+.3f}\n")
        unfinished.rename(self.file)

    def now(self):
        return datetime.datetime.fromtimestamp(time.time() + self.offset, UTC)

    def environment(self):
        return {**os.environ, "LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": str(self.file),
                "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                # Its lock around stat(2) is shared: a process that is killed may hold it forever.
                "NO_FAKE_STAT": "1", "TZ": "UTC"}


class Host:
    """One state directory with its scheduler."""

    def __init__(self, program, root, clock, name="host", **environment):
        self.program, self.clock, self.environment = program, clock, environment
        self.root = root / name
        self.state, self.scenarios = self.root / "state", self.root / "scenarios"
        self.scenarios.mkdir(parents=True)
        self.log = self.root / "serve.log"
        self.set_drills(seconds=0, code=0)
        self.process = None

    def set_drills(self, seconds=None, code=None):
        """How long drills take, and pgBackRest's exit code: 0 is a `fail`, 50 (locked) `unknown`."""
        for name, value in (("seconds", seconds), ("code", code)):
            if value is not None:
                unfinished = self.root / (name + ".new")
                unfinished.write_text(f"{value}\n")
                unfinished.rename(self.root / name)

    def add_scenario(self, name, cron, zone, stanza=None, jitter="0s", extra=""):
        stanza = stanza or name
        tool = self.root / f"pgbackrest-{stanza}"
        tool.write_text(PGBACKREST.format(root=self.root, shared=self.root.parent,
                                          stanza=stanza))
        tool.chmod(0o755)
        file = self.scenarios / f"{name}.yaml"
        file.write_text(f"name: {name}\nrepository: {{ stanza: {stanza}, binary: {tool} }}\n"
                        f"schedule: {{ cron: \"{cron}\", zone: {zone}, jitter: {jitter} }}\n{extra}")
        return file

    def start(self, *options):
        # A session of its own, as under a service manager.
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", self.scenarios, "--state", self.state, "--tick", "50ms", "--listen", "off",
                 *options], env={**self.clock.environment(), **self.environment}, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True)

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        code = self.process.wait(timeout=TIMEOUT)
        self.process = None
        return code

    def running_drills(self):
        """Process ids of drills of this host, from the files of the scheduler."""
        pids = []
        for file in (self.state / "serve" / "drills").glob("*.entry"):
            try:
                pid = json.loads(file.read_text())["pid"]
                command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except (OSError, ValueError):
                continue
            if file.stem.encode() in command:
                pids.append(pid)
        return pids

    def command(self, *arguments):
        return subprocess.run([self.program, *map(str, arguments), "--state", self.state],
                              env={**self.clock.environment(), **self.environment}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)

    def close(self):
        if self.process:
            self.kill()
        for pid in self.running_drills():
            os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not self.running_drills(), "the end of the drills")


class LedgerServer:
    """A PostgreSQL for a shared ledger."""

    def __init__(self, root):
        binaries = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        self.bin = binaries[-1].parent if binaries else None
        self.data, self.sockets = root / "ledger", root / "s"
        if not self.bin:
            return
        for directory in (self.data, self.sockets):
            directory.mkdir()
            if os.geteuid() == 0:
                shutil.chown(directory, "postgres", "postgres")
        self.run("initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "--no-sync")
        self.run("pg_ctl", "start", "-w", "-D", self.data, "-l", self.data / "log", "-o",
                 f"-c listen_addresses='' -c unix_socket_directories={self.sockets} -c fsync=off")

    def run(self, program, *arguments):
        as_owner = {"user": "postgres", "group": "postgres", "extra_groups": []}
        subprocess.run([self.bin / program, *map(str, arguments)], check=True, cwd="/tmp",
                       stdout=subprocess.DEVNULL, **(as_owner if os.geteuid() == 0 else {}))

    @property
    def dsn(self):
        return f"host={self.sockets} user=postgres dbname=postgres"

    def rows(self):
        query = ("select coalesce(json_agg(row_to_json(d) order by due, scenario, attempt), '[]') from "
                 "(select id, scenario, stanza, due, attempt, state, verdict, started, finished from "
                 "pgrehearse.drills where due is not null) d")
        output = subprocess.run(["psql", "-XAtq", "-d", self.dsn, "-c", query], check=True,
                                capture_output=True, text=True).stdout
        return json.loads(output)

    def close(self):
        self.run("pg_ctl", "stop", "-m", "immediate", "-D", self.data)


def sqlite_rows(state):
    """Rows of the ledger with a due time, oldest first."""
    file = pathlib.Path(state) / "ledger.sqlite"
    if not file.exists():
        return []
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=60)
    try:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(
            "select id, scenario, stanza, host, due, attempt, state, verdict, started, finished "
            "from drills where due is not null order by due, attempt")]
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []
        raise
    finally:
        connection.close()


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def due_times(hour, minute, zone, first, last, weekday=None):
    """Independent of pgrehearse: each day, or each week, at a local time, as cron(8) documents for
    changes of the clock: once in a repeated hour, just after a missing one."""
    zone = zoneinfo.ZoneInfo(zone)
    times = []
    day = first.astimezone(zone).date() - datetime.timedelta(days=1)
    while True:
        local = datetime.datetime.combine(day, datetime.time(hour, minute), zone)  # fold=0: the first
        instant = local.astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
            # Missing: the first minute whose offset is the new one.
            instant -= datetime.timedelta(hours=6)
            before = instant.astimezone(zone).utcoffset()
            while instant.astimezone(zone).utcoffset() == before:
                instant += datetime.timedelta(minutes=1)
        if instant > last:
            return times
        if instant > first and (weekday is None or day.isoweekday() == weekday):
            times.append(instant)
        day += datetime.timedelta(days=1)
