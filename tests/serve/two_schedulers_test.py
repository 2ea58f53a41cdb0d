#!/usr/bin/env python3
"""Two schedulers with one ledger in PostgreSQL; one of them is killed in each round. Never two drills
of a stanza at once, and none is lost or runs twice.

usage: two_schedulers_test.py PGREHEARSE [--rounds N] [--seed N]
"""
import argparse
import datetime
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

import simulated_host
from simulated_host import UTC, Clock, Host, LedgerServer, due_times, moment, wait_for

SCENARIOS = [  # name, stanza: two of them share one
    ("full", "orders"), ("quick", "orders"), ("billing", "billing")]


def add_scenarios(host):
    for name, stanza in SCENARIOS:
        host.add_scenario(name, "0 3 * * *", "Europe/Berlin", stanza=stanza)


def stamps(host):
    return list((host.state / "serve" / "stamps").glob("*.json"))


def ended(rows, due):
    return len([row for row in rows if moment(row["due"]) == due and row["state"] == "finished"
                and row["verdict"] == "fail"]) == len(SCENARIOS)


def simulate(arguments, root, server):
    rounds, dice = arguments.rounds, random.Random(arguments.seed)
    begin = datetime.datetime(2026, 3, 20, 12, tzinfo=UTC)
    clock = Clock(root / "clock", begin)
    hosts = [Host(arguments.program, root, clock, name, PGREHEARSE_LEDGER=server.dsn)
             for name in ("db1", "db2")]
    days = due_times(3, 0, "Europe/Berlin", begin, begin + datetime.timedelta(days=rounds))
    try:
        for host in hosts:
            add_scenarios(host)
            host.start("--max-drills", "3")
        for host in hosts:
            wait_for(lambda host=host: len(stamps(host)) == len(SCENARIOS), "the schedulers")
        for due in days:
            for host in hosts:
                host.set_drills(seconds=round(0.2 + dice.random() * 0.4, 2))
            clock.set(due + datetime.timedelta(seconds=dice.choice([0, 1, 30])))
            time.sleep(dice.random() * 1.5)
            victim = dice.choice(hosts)
            victim.kill()
            wait_for(lambda due=due: ended(server.rows(), due), f"the drills due {due}")
            victim.start("--max-drills", "3")
    except AssertionError:
        for host in hosts:
            print(host.log.read_text(errors="replace")[-3000:], file=sys.stderr)
        raise
    finally:
        for host in hosts:
            host.close()
    rows = server.rows()
    found = sorted((moment(row["due"]), row["scenario"]) for row in rows)
    expected = sorted((due, name) for due in days for name, _ in SCENARIOS)
    assert found == expected, "a drill was lost, or ran twice"
    assert not (root / "overlaps").exists(), "two drills of one stanza at once"
    print(f"{len(days)} rounds, {len(rows)} drills: each once, never two of a stanza at once")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    root = pathlib.Path(tempfile.mkdtemp(prefix="pgrehearse-two-"))
    root.chmod(0o755)
    server = LedgerServer(root)
    missing = [what for what, found in (("libfaketime", simulated_host.library()),
                                        ("PostgreSQL", server.bin)) if not found]
    if missing:
        print(f"missing: {', '.join(missing)}; ci/setup --tests installs it")
        return 1 if os.environ.get("PGREHEARSE_REQUIRE") == "all" else 77
    try:
        simulate(arguments, root, server)
    finally:
        server.close()
    shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
