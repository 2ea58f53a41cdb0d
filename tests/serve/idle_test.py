#!/usr/bin/env python3
"""What `serve` uses while nothing is due: less than 30 MB of memory and 0.1 % of a CPU.

usage: idle_test.py PGREHEARSE [--seconds N]
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

MOST_MEMORY_KB = 30 * 1024
MOST_CPU = 0.001


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--seconds", type=int, default=120)
    arguments = parser.parse_args()
    root = pathlib.Path(tempfile.mkdtemp(prefix="pgrehearse-idle-"))
    (root / "scenarios").mkdir()
    for name in ("orders", "billing", "stock"):
        (root / "scenarios" / f"{name}.yaml").write_text(
            f"name: {name}\nrepository: {{ stanza: {name} }}\n"
            "schedule: { cron: \"0 0 29 2 *\", zone: Europe/Berlin }\n")
    with open(root / "log", "wb") as log:
        process = subprocess.Popen([arguments.program, "serve", root / "scenarios", "--state",
                                    root / "state"], stdout=log, stderr=log)
    try:
        time.sleep(5)
        before = cpu_seconds(process.pid)
        time.sleep(arguments.seconds)
        share = (cpu_seconds(process.pid) - before) / arguments.seconds
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        memory = {name: int(kilobytes) for name, kilobytes in
                  re.findall(r"^(VmRSS|RssAnon|RssFile):\s+(\d+) kB", status, re.MULTILINE)}
    finally:
        process.terminate()
        code = process.wait(timeout=60)
    print(f"memory {memory['VmRSS'] / 1024:.1f} MB (private {memory['RssAnon'] / 1024:.1f} MB), "
          f"CPU {share:.3%} over {arguments.seconds} s")
    assert code == 0, (root / "log").read_text()
    assert memory["VmRSS"] < MOST_MEMORY_KB, "too much memory"
    assert share < MOST_CPU, "too much CPU"
    shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
