#!/usr/bin/env python3
"""Invalid scenarios given to the real binary: exit 3, file:line, a hint, nothing started.

usage: invalid_scenarios_test.py PGREHEARSE
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

HEAD = "name: weekly\nrepository: { stanza: orders }\n"

# Text of the scenario, the lines that an error must name, and words that the message must contain.
CASES = [
    ("", [1], ["empty"]),
    ("- name: weekly\n", [1], ["must be a map"]),
    ("name: weekly\nrepository:\n\tstanza: orders\n", [3], ["not valid YAML"]),
    (HEAD + 'recover_to: "latest\n', [3], ["quote"]),
    (HEAD + "---\nname: second\n", [3], ["second document"]),
    ("name: &n weekly\nrepository: { stanza: *n }\n", [1, 2], ["anchor", "alias"]),
    (HEAD + "chekcs: []\n", [3], ["unknown key 'chekcs'", "did you mean 'checks'?"]),
    ("name: weekly\nrepository:\n  stnza: orders\n", [3], ["did you mean 'stanza'?"]),
    (HEAD + "reports: { pdf: a.pdf }\n", [3], ["unknown key 'pdf'", "junit"]),
    (HEAD + "name: again\n", [3], ["duplicate key 'name'"]),
    ("repository: { stanza: orders }\n", [1], ["missing key 'name'"]),
    ("name: weekly\n", [1], ["missing key 'repository'"]),
    (HEAD + "primary: {}\n", [3], ["missing key 'dsn'"]),
    ("name: ../../etc\nrepository: { stanza: orders }\n", [1], ["may contain only letters"]),
    (HEAD + "sandbox: { memory: 2G }\n", [3], ["write 2GB"]),
    (HEAD + "sandbox: { run_as: root }\n", [3], ["refuses to run as root"]),
    (HEAD + "objectives: { rto: 30 }\n", [3], ["add a unit"]),
    (HEAD + "recover_to: lates\n", [3], ["did you mean 'latest'?"]),
    (HEAD + 'recover_to: { time: "2026-11-20 03:00:00" }\n', [3], ["no time zone"]),
    (HEAD + "recover_to: { lsn: 0/1, xid: 743 }\n", [3], ["more than one target"]),
    (HEAD + "checks:\n  - page_checksums\n  - amchek\n", [5], ["did you mean 'amcheck'?"]),
    (HEAD + "checks:\n  - amcheck: { heapalindexed: true }\n", [4], ["'heapallindexed'?"]),
    (HEAD + "primary: { dsn: 'host=${PGR_NOT_SET}' }\n", [3], ["PGR_NOT_SET"]),
    (HEAD + "checks:\n  - amcheck: { jobs: many }\n", [4], ["'many' is not a whole number"]),
    # All errors of a file at once.
    (
        "name: weekly orders\nrepository: { stanza: orders, repo: one }\nsandbox: { memory: 2G }\n"
        "recover_to: lates\nobjectives: { rto: 30 }\nchecks: [amchek]\n",
        [1, 2, 3, 4, 5, 6],
        ["did you mean 'latest'?", "did you mean 'amcheck'?", "write 2GB"],
    ),
]


def children_started(trace):
    """Processes, not threads, that strace saw start."""
    with open(trace, encoding="utf-8") as lines:
        return [
            line
            for line in lines
            if ("execve(" in line and "pgrehearse" not in line)
            or "fork(" in line
            or (re.search(r"\bclone3?\(", line) and "CLONE_THREAD" not in line)
        ]


def run_case(binary, directory, number, case):
    text, lines, words = case
    name = f"invalid{number}.yaml"
    state = os.path.join(directory, "state")
    with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
        file.write(text)
    command = [binary, "run", name, "--state", state]
    trace = os.path.join(directory, "trace")
    strace = shutil.which("strace")
    if strace:
        command = [strace, "-f", "-qq", "-o", trace, "-e",
                   "trace=execve,fork,vfork,clone,clone3"] + command
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60,
                            env={"PATH": os.path.join(directory, "bin"),
                                 # the leak checker of asan cannot work under strace
                                 "ASAN_OPTIONS": "detect_leaks=0"}, check=False)
    problems = []
    if result.returncode != 3:
        problems.append(f"exit {result.returncode}, not 3")
    for line in lines:
        if f"error: {name}:{line}:" not in result.stderr:
            problems.append(f"no error for line {line}")
    problems += [f"does not say: {word}" for word in words if word not in result.stderr]
    if result.stdout:
        problems.append("something on standard output: " + result.stdout)
    if os.path.exists(state):
        problems.append("a state directory was created")
    if os.path.exists(os.path.join(directory, "started")):
        problems.append("a program was started")
    if strace:
        problems += ["started: " + line for line in children_started(trace)]
    return [f"{name}: {problem}\n{text}---\n{result.stderr}" for problem in problems]


def main():
    binary = os.path.abspath(sys.argv[1])
    problems = []
    with tempfile.TemporaryDirectory(prefix="pgrehearse-invalid-") as directory:
        tools = os.path.join(directory, "bin")
        os.mkdir(tools)
        for name in ("pgbackrest", "postgres", "psql"):
            tool = os.path.join(tools, name)
            with open(tool, "w", encoding="utf-8") as file:
                file.write(f"#!/bin/sh\n: > '{directory}/started'\n")
            os.chmod(tool, 0o755)
        for number, case in enumerate(CASES, 1):
            problems += run_case(binary, directory, number, case)
    for problem in problems:
        print(problem)
    print(f"{len(CASES)} invalid scenarios, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
