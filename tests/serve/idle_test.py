#!/usr/bin/env python3
"""What `serve` uses while nothing is due, with 10,000 drills of 500 stanzas in its ledger: less than
30 MB of memory and 0.1 % of a CPU. `history` and a scrape of its metrics take less than 100 ms.

usage: idle_test.py PGREHEARSE FILL_LEDGER [--seconds N]
"""
import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

MOST_MEMORY_KB = 30 * 1024
MOST_CPU = 0.001
MOST_SECONDS = 0.1


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def median_seconds(action):
    times = []
    for _ in range(5):
        begin = time.monotonic()
        action()
        times.append(time.monotonic() - begin)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("fill_ledger", type=os.path.abspath)
    parser.add_argument("--seconds", type=int, default=120)
    arguments = parser.parse_args()
    root = pathlib.Path(tempfile.mkdtemp(prefix="pgrehearse-idle-"))
    (root / "scenarios").mkdir()
    for name in ("orders", "billing", "stock"):
        (root / "scenarios" / f"{name}.yaml").write_text(
            f"name: {name}\nrepository: {{ stanza: {name} }}\n"
            "schedule: { cron: \"0 0 29 2 *\", zone: Europe/Berlin }\n")
    state = root / "state"
    state.mkdir()
    subprocess.run([arguments.fill_ledger, state, "500", "10000"], check=True)
    with open(root / "log", "wb") as log:
        process = subprocess.Popen([arguments.program, "serve", root / "scenarios", "--state", state,
                                    "--listen", "127.0.0.1:0"], stdout=log, stderr=log)
    try:
        time.sleep(15)  # it reads the ledger when it starts
        before = cpu_seconds(process.pid)
        time.sleep(arguments.seconds)
        share = (cpu_seconds(process.pid) - before) / arguments.seconds
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        memory = {name: int(kilobytes) for name, kilobytes in
                  re.findall(r"^(VmRSS|RssAnon|RssFile):\s+(\d+) kB", status, re.MULTILINE)}
        site = re.search(r"http://[0-9.:]+/", (root / "log").read_text()).group()
        scrape = median_seconds(lambda: urllib.request.urlopen(site + "metrics").read())
        history = median_seconds(lambda: subprocess.run(
            [arguments.program, "history", "--state", state], check=True, stdout=subprocess.DEVNULL))
    finally:
        process.terminate()
        code = process.wait(timeout=60)
        messages = (root / "log").read_text()
        shutil.rmtree(root)
    print(f"memory {memory['VmRSS'] / 1024:.1f} MB (private {memory['RssAnon'] / 1024:.1f} MB), "
          f"CPU {share:.3%} over {arguments.seconds} s; scrape {scrape * 1000:.0f} ms, "
          f"history {history * 1000:.0f} ms")
    assert code == 0, messages
    assert memory["VmRSS"] < MOST_MEMORY_KB, "too much memory"
    assert share < MOST_CPU, "too much CPU"
    assert max(scrape, history) < MOST_SECONDS, "too slow"
    return 0


if __name__ == "__main__":
    sys.exit(main())
