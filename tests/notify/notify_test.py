#!/usr/bin/env python3
"""Every channel with real sockets: tests, a drill that fails, one that passes, and a search for every secret.

usage: notify_test.py PGREHEARSE LABORATORY_RECORD [unittest options]
"""

import base64
import email
import email.policy
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

from receivers import HttpReceiver, MailReceiver

PGREHEARSE, RECORD = None, None
NAMES = ["SLACK", "PAGERDUTY", "ALERTMANAGER", "TEAMS", "SMTP", "SIGNATURE", "TOKEN", "HEARTBEAT"]


def configuration():
    directory = pathlib.Path(json.loads(pathlib.Path(RECORD).read_text())["directory"])
    return next(directory.glob("laboratory/**/pgbackrest.conf"))


class Processes:
    """Looks for secrets in the command lines and environments of all processes."""

    def __init__(self, secrets, in_environment_of):
        self.secrets, self.allowed = [secret.encode() for secret in secrets], in_environment_of
        self.found, self.read, self.over = set(), 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.over.is_set():
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                self.look_at(process, "cmdline")
                self.look_at(process, "environ")
            self.over.wait(0.05)

    def look_at(self, process, what):
        try:
            text = (process / what).read_bytes()
            name = os.readlink(process / "exe")
        except OSError:
            return
        self.read += 1
        if what == "environ" and (name == self.allowed or int(process.name) == os.getpid()):
            return
        self.found.update((name, what, secret) for secret in self.secrets if secret in text)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class NotifyTest(unittest.TestCase):
    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="pgrehearse-notify-", dir="/var/tmp"))
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.place.chmod(0o755)
        self.web = HttpReceiver()
        self.addCleanup(self.web.close)
        self.mail = MailReceiver(self.place)
        self.addCleanup(self.mail.close)
        self.secrets = {name: f"secret-{name.lower()}-{os.urandom(8).hex()}" for name in NAMES}
        self.values = dict(self.secrets)
        for name in ("SLACK", "TEAMS", "HEARTBEAT"):
            self.values[name] = f"{self.web.url}/{name.lower()}/{self.secrets[name]}"
        self.program = self.place / "on-drill"
        self.program.write_text('#!/bin/sh\ncat "$PGREHEARSE_REPORT" >%s/stdin\nenv >%s/environment\n' % (self.place, self.place))
        self.program.chmod(0o755)

    def path(self, name):
        return f"/{name.lower()}/{self.secrets[name]}"

    def scenario(self, from_files):
        def secret(name):
            if not from_files:
                return '"${%s}"' % f"NOTIFY_{name}"
            file = self.place / "secrets" / name
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.write_text(self.values[name] + "\n")
            return "{ file: %s }" % file

        text = f"""name: orders
repository: {{ stanza: demo, config: {configuration()} }}
checks: [databases]
notify:
  - slack: {{ url: {secret("SLACK")} }}
  - pagerduty: {{ routing_key: {secret("PAGERDUTY")}, url: "{self.web.url}/pagerduty" }}
  - alertmanager: {{ url: "{self.web.url}", username: u, password: {secret("ALERTMANAGER")} }}
  - teams: {{ url: {secret("TEAMS")} }}
  - email:
      server: {self.mail.url}
      from: drills@example.com
      to: [dba@example.com]
      ca: {self.mail.ca}
      username: drills
      password: {secret("SMTP")}
  - webhook: {{ url: "{self.web.url}/webhook", secret: {secret("SIGNATURE")}, token: {secret("TOKEN")} }}
  - heartbeat: {{ url: {secret("HEARTBEAT")} }}
  - command: {{ run: [{self.program}] }}
"""
        file = self.place / "orders.yaml"
        file.write_text(text)
        return file

    def run_pgrehearse(self, *words, from_files=False):
        environment = dict(os.environ)
        if not from_files:
            environment.update({f"NOTIFY_{name}": value for name, value in self.values.items()})
        with Processes(self.secrets.values(), "" if from_files else PGREHEARSE) as processes:
            done = subprocess.run([PGREHEARSE, *map(str, words), "--state", self.place / "state",
                                   "--log-level", "trace"], env=environment, text=True, timeout=900,
                                  capture_output=True, check=False)
        self.assertGreater(processes.read, 0)
        self.assertEqual(processes.found, set())
        self.assert_no_secret(done)
        return done

    def assert_no_secret(self, done):
        texts = {"stdout": done.stdout.encode(), "stderr": done.stderr.encode()}
        for file in (self.place / "state").rglob("*"):
            if file.is_file() and not file.is_symlink():
                texts[str(file)] = file.read_bytes()
        for where, text in texts.items():
            for name, secret in self.secrets.items():
                for form in (secret.encode(), base64.b64encode(secret.encode())):
                    self.assertNotIn(form, text, f"the secret of {name} is in {where}")

    def outcomes(self):
        latest = self.place / "state/runs/orders/latest/.notifications.json"
        return {entry["name"]: entry for entry in json.loads(latest.read_text())["notifications"]}

    def assert_failure_messages(self, title):
        self.assertRegex(title, r"^FAIL orders, stanza demo: check rto failed: ")
        slack = self.web.to(self.path("SLACK"))[-1]
        self.assertEqual(slack["blocks"][0]["text"]["text"], title)
        self.assertIn("Likely cause: ", slack["blocks"][1]["text"]["text"])
        event = self.web.to("/pagerduty")[-1]
        self.assertEqual((event["event_action"], event["payload"]["summary"]), ("trigger", title))
        self.assertEqual(event["routing_key"], self.secrets["PAGERDUTY"])
        alert = self.web.to("/api/v2/alerts")[-1][0]
        self.assertEqual(alert["annotations"]["summary"], title)
        card = self.web.to(self.path("TEAMS"))[-1]["attachments"][0]["content"]
        self.assertEqual(card["body"][0]["inlines"][0]["text"], title)
        mail = email.message_from_bytes(self.mail.mails[-1], policy=email.policy.default)
        self.assertEqual(mail["Subject"], title[:197] + "..." if len(title) > 200 else title)
        text = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
        self.assertEqual(text.get_content().splitlines()[0], title)
        self.assertIn(self.secrets["SMTP"], base64.b64decode(self.mail.logins[-1].split()[-1]).decode())
        path, headers, body = next(request for request in reversed(self.web.requests)
                                   if request[0] == "/webhook")
        signature = hmac.new(self.secrets["SIGNATURE"].encode(), body, hashlib.sha256).hexdigest()
        self.assertEqual(headers["X-Pgrehearse-Signature"], f"sha256={signature}")
        self.assertEqual(headers["Authorization"], f"Bearer {self.secrets['TOKEN']}")
        self.assertEqual(json.loads((self.place / "stdin").read_text())["verdict"], "fail")
        environment = (self.place / "environment").read_text()
        self.assertIn("PGREHEARSE_VERDICT=fail", environment)
        self.assertNotIn("NOTIFY_", environment)
        self.assertNotIn(self.path("HEARTBEAT"), [request[0] for request in self.web.requests])

    def test_secrets_from_files_a_failure_and_the_pass_that_resolves_it(self):
        file = self.scenario(from_files=True)
        failed = self.run_pgrehearse("run", file, "--set", "objectives.rto=1ms", from_files=True)
        self.assertEqual(failed.returncode, 1, failed.stderr)
        title = self.web.to(self.path("SLACK"))[-1]["blocks"][0]["text"]["text"]
        self.assert_failure_messages(title)
        self.assertEqual({entry["delivery"] for entry in self.outcomes().values()}, {"sent", "not due"})
        self.assertEqual(self.outcomes()["heartbeat"]["delivery"], "not due")

        # A channel that rejects the message changes neither the verdict nor the other channels.
        self.web.answer[self.path("TEAMS")] = 404
        passed = self.run_pgrehearse("run", file, from_files=True)
        self.assertEqual(passed.returncode, 0, passed.stderr)
        slack = self.web.to(self.path("SLACK"))[-1]
        self.assertTrue(slack["text"].startswith("PASS orders, stanza demo: "), slack["text"])
        trigger, resolve = self.web.to("/pagerduty")
        self.assertEqual((resolve["event_action"], resolve["dedup_key"]), ("resolve", trigger["dedup_key"]))
        self.assertIn(self.path("HEARTBEAT"), [request[0] for request in self.web.requests])
        self.assertEqual(self.outcomes()["teams"]["delivery"], "failed")
        self.assertIn("HTTP status 404", self.outcomes()["teams"]["reason"])
        self.assertIn("notification 'teams' failed after 1 attempt", passed.stderr)

    def test_notify_test_reports_each_channel(self):
        file = self.scenario(from_files=False)
        self.web.delay = 0.5
        done = self.run_pgrehearse("notify", "test", file)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual([line.split() for line in done.stdout.splitlines() if "heartbeat" not in line],
                         [[name, "sent"] for name in ("slack", "pagerduty", "alertmanager", "teams",
                                                      "email", "webhook", "command")])
        self.assertIn("heartbeat     skipped: ", done.stdout)
        self.assertTrue(self.web.to(self.path("SLACK"))[0]["text"].startswith("TEST orders, stanza demo"))
        self.web.answer["/webhook"] = 401
        done = self.run_pgrehearse("notify", "test", file, "--only", "webhook", "--format", "json")
        self.assertEqual(done.returncode, 1)
        self.assertEqual([(entry["name"], entry["delivery"]) for entry in json.loads(done.stdout)],
                         [("webhook", "failed")])


if __name__ == "__main__":
    PGREHEARSE, RECORD = os.path.realpath(sys.argv[1]), sys.argv[2]
    if not pathlib.Path(RECORD).exists():
        print("no laboratory: run it through ctest")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
