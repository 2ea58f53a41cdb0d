#!/usr/bin/env python3
"""`serve` over years of a simulated clock: each due drill runs exactly once, across changes of the
clock, jumps of the host's clock, and SIGKILL of the scheduler and of drills.

usage: unattended_test.py PGREHEARSE [--days N] [--kills N] [--seed N]
"""
import argparse
import datetime
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import simulated_host
from simulated_host import UTC, Clock, Host, due_times, moment, sqlite_rows, wait_for

MINUTE = datetime.timedelta(minutes=1)
SCENARIOS = [  # name, cron, zone, hour, minute, weekday
    ("orders", "30 2 * * *", "Europe/Berlin", 2, 30, None),
    ("billing", "0 3 * * 6", "America/New_York", 3, 0, 6),
    ("stock", "15 2 * * sun", "Australia/Lord_Howe", 2, 15, 7),
]
DELAYS = {1: 10 * MINUTE, 2: 60 * MINUTE, 3: 360 * MINUTE}


class Simulation:
    def __init__(self, program, root, arguments):
        self.random = random.Random(arguments.seed)
        self.begin = datetime.datetime(2025, 3, 27, 12, tzinfo=UTC)
        self.end = self.begin + datetime.timedelta(days=arguments.days)
        self.clock = Clock(root / "clock", self.begin)
        self.host = Host(program, root, self.clock)
        self.kills = {"scheduler": arguments.kills, "drill": arguments.kills}
        self.killed = {"scheduler": 0, "drill": 0}
        self.killed_drills = set()
        self.due = []
        for name, cron, zone, hour, minute, weekday in SCENARIOS:
            self.host.add_scenario(name, cron, zone)
            self.due += [(time, name) for time in
                         due_times(hour, minute, zone, self.begin, self.end, weekday)]
        self.due.sort()

    def rows(self):
        return sqlite_rows(self.host.state)

    def attempts(self, due, name):
        return [row for row in self.rows() if row["scenario"] == name and moment(row["due"]) == due]

    def kill_scheduler(self):
        self.host.kill()
        self.killed["scheduler"] += 1
        self.host.start()

    def kill_a_drill(self):
        """At a random moment: half of them when the ledger has recorded that the drill runs."""
        if self.random.random() < 0.5:
            wait_for(lambda: self.host.running_drills() and
                     any(row["state"] == "running" for row in self.rows()), "a running drill")
        time.sleep(self.random.random() * 0.6)
        for pid in self.host.running_drills():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            self.killed["drill"] += 1
            return

    def wants_kill(self, what, remaining):
        """As often as is left for each due time."""
        left = self.kills[what] - self.killed[what]
        return left > 0 and self.random.random() < 1.3 * left / remaining

    def settled(self, due, name):
        """Moves the clock on to the next attempt; true at the end of the last one."""
        rows = self.attempts(due, name)
        if not rows:
            # A drill that was killed before it was recorded is started again a minute later.
            if time.monotonic() > self.clock.set_at + 3 and not self.host.running_drills():
                self.clock.set(self.clock.now() + MINUTE)
            return False
        last = rows[-1]
        if last["state"] == "running":
            return False
        if last["verdict"] in ("pass", "fail") or last["attempt"] >= 4:
            return True
        retry = moment(last["finished"]) + DELAYS[last["attempt"]]
        if self.clock.now() < retry:
            self.clock.set(retry + datetime.timedelta(seconds=1))
        return False

    def run(self):
        self.host.start()
        wait_for(lambda: len(list((self.host.state / "serve" / "stamps").glob("*.json"))) == 3,
                 "the scheduler")
        for count, (due, name) in enumerate(self.due):
            remaining = len(self.due) - count
            kill_scheduler = self.wants_kill("scheduler", remaining)
            kill_drill = self.wants_kill("drill", remaining)
            self.host.set_drills(seconds=2 if kill_drill else self.random.choice([0, 0, 0.3]))
            if self.clock.now() < due:
                self.clock.set(due + datetime.timedelta(seconds=1))
            if count % 50 == 25:  # The host's clock is set back: nothing runs twice.
                self.clock.set(due - datetime.timedelta(hours=2))
                time.sleep(0.3)
                self.clock.set(due + datetime.timedelta(seconds=2))
            if kill_scheduler:
                time.sleep(self.random.random() * 0.6)
                self.kill_scheduler()
            if kill_drill:
                self.kill_a_drill()
                self.host.set_drills(seconds=0)
            wait_for(lambda: self.settled(due, name), f"{name} due {due}")
        self.check(self.due)

    def check(self, due):
        rows = self.rows()
        expected = {(time, name) for time, name in due}
        found = {(moment(row["due"]), row["scenario"]) for row in rows}
        assert found == expected, f"missing {expected - found}, not due {found - expected}"
        keys = [(row["due"], row["scenario"], row["attempt"]) for row in rows]
        assert len(keys) == len(set(keys)), "a drill ran twice"
        for time_, name in due:
            attempts = [row for row in rows
                        if moment(row["due"]) == time_ and row["scenario"] == name]
            assert [row["attempt"] for row in attempts] == list(range(1, len(attempts) + 1)), attempts
            assert [row["verdict"] for row in attempts[:-1]] == ["unknown"] * (len(attempts) - 1)
            assert attempts[-1]["verdict"] == "fail", attempts[-1]
            assert all(row["state"] != "running" for row in attempts), attempts
        overlaps = self.host.root.parent / "overlaps"
        assert self.killed["drill"] or not overlaps.exists(), "two drills of one stanza at once"
        killed = sum(1 for row in rows if row["state"] == "killed")
        assert self.killed["drill"] // 3 <= killed <= self.killed["drill"], (killed, self.killed)
        print(f"{len(due)} due drills in {(self.end - self.begin).days} days: each once; "
              f"{self.killed['scheduler']} schedulers and {self.killed['drill']} drills killed, "
              f"{killed} recorded as killed and repeated")

    def catch_up(self):
        """After three weeks without a scheduler, only the last drill of each scenario is made up for."""
        before = self.rows()
        self.host.kill()
        now = self.end + datetime.timedelta(days=21)
        self.clock.set(now)
        self.host.start()
        wait_for(lambda: len([row for row in self.rows() if row["state"] != "running"]) ==
                 len(before) + len(SCENARIOS), "the missed drills")
        time.sleep(0.5)
        new = {(moment(row["due"]), row["scenario"]) for row in self.rows()[len(before):]}
        last = {(due_times(hour, minute, zone, self.end, now, weekday)[-1], name)
                for name, _, zone, hour, minute, weekday in SCENARIOS}
        assert new == last, (new, last)
        print("missed drills were caught up once")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--days", type=int, default=12)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if simulated_host.library() is None:
        print("libfaketime is missing; ci/setup --tests installs it")
        return 1 if os.environ.get("PGREHEARSE_REQUIRE") == "all" else 77
    root = pathlib.Path(tempfile.mkdtemp(prefix="pgrehearse-unattended-"))
    root.chmod(0o755)
    simulation = Simulation(arguments.program, root, arguments)
    try:
        simulation.run()
        simulation.catch_up()
    except AssertionError:
        print(simulation.host.log.read_text(errors="replace")[-6000:], file=sys.stderr)
        raise
    finally:
        simulation.host.close()
    shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
