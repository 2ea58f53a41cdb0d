#!/usr/bin/env python3
"""Metrics, alert rules, routes and dashboard with the real Prometheus, Pushgateway and Alertmanager.

usage: observability_test.py PGREHEARSE SOURCE LABORATORY_RECORD [unittest options]
"""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "notify"))
from receivers import HttpReceiver  # noqa: E402

PGREHEARSE, FILES, RECORD = None, None, None
TOOLS = ["prometheus", "promtool", "amtool", "prometheus-alertmanager", "prometheus-pushgateway"]
LIMIT = 180  # seconds; an event takes a few


def configuration():
    directory = pathlib.Path(json.loads(pathlib.Path(RECORD).read_text())["directory"])
    return next(directory.glob("laboratory/**/pgbackrest.conf"))


def run(*words, **options):
    return subprocess.run([str(word) for word in words], text=True, capture_output=True, check=False,
                          timeout=900, **options)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def panels_of(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries_of(dashboard):
    return [target["expr"] for panel in panels_of(dashboard) for target in panel["targets"]]


class FilesTest(unittest.TestCase):
    def test_rules_fire_and_do_not_fire(self):
        for test in ("pgrehearse.rules.test.yml", "pgrehearse.trend.test.yml"):
            done = run("promtool", "test", "rules", test, cwd=FILES / "prometheus")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_rule_has_both_tests(self):
        rules = yaml.safe_load((FILES / "prometheus/pgrehearse.rules.yml").read_text())
        alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
        fires, quiet = set(), set()
        for file in FILES.glob("prometheus/*.test.yml"):
            for test in yaml.safe_load(file.read_text())["tests"]:
                for check in test["alert_rule_test"]:
                    (fires if check["exp_alerts"] else quiet).add(check["alertname"])
        self.assertEqual((fires, quiet), (alerts, alerts))

    def test_critical_alerts_go_to_pagerduty_and_slack_warnings_to_slack(self):
        config = FILES / "alertmanager/alertmanager.yml"
        done = run("amtool", "check-config", config)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for severity, receivers in (("critical", "pagerduty,slack"), ("warning", "slack")):
            done = run("amtool", "config", "routes", "test", f"--config.file={config}", f"severity={severity}")
            self.assertEqual(done.stdout.strip(), receivers)

    def test_rules_and_dashboard_use_only_metrics_that_exist(self):
        known = set(re.findall(r"^\| `(pgrehearse_\w+)` ", run(PGREHEARSE, "metrics", "--list").stdout, re.M))
        self.assertGreater(len(known), 30)
        for file in [FILES / "prometheus/pgrehearse.rules.yml", FILES / "grafana/pgrehearse.json"]:
            self.assertLessEqual(set(re.findall(r"pgrehearse_\w+", file.read_text())), known, file)

    def test_dashboard_is_well_formed(self):
        dashboard = json.loads((FILES / "grafana/pgrehearse.json").read_text())
        self.assertEqual(len({panel["id"] for panel in dashboard["panels"]}), len(dashboard["panels"]))
        cells = set()
        for panel in dashboard["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            own = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                   for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & own, f"{panel['title']} overlaps another panel")
            cells |= own
        variables = {variable["name"] for variable in dashboard["templating"]["list"]}
        for panel in panels_of(dashboard):
            self.assertEqual(panel["datasource"]["uid"], "${datasource}")
            for target in panel["targets"]:
                self.assertLessEqual(set(re.findall(r"\$(\w+)", target["expr"])), variables)


class StackTest(unittest.TestCase):
    """A drill that fails, and the next one that passes, seen through the whole chain."""

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="pgrehearse-observability-", dir="/var/tmp"))
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.place.chmod(0o755)
        self.web = HttpReceiver()
        self.addCleanup(self.web.close)
        self.ports = {name: free_port() for name in ("prometheus", "pushgateway", "alertmanager")}
        self.start("prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{self.ports['pushgateway']}")
        self.start("prometheus-alertmanager", f"--config.file={self.alertmanager_configuration()}",
                   f"--storage.path={self.place}/alerts", "--cluster.listen-address=",
                   f"--web.listen-address=127.0.0.1:{self.ports['alertmanager']}")
        self.start("prometheus", f"--config.file={self.prometheus_configuration()}",
                   f"--storage.tsdb.path={self.place}/tsdb",
                   f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}")
        for name in self.ports:
            self.wait_for(lambda name=name: self.is_ready(name))

    def start(self, *words):
        log = open(self.place / f"{words[0]}.log", "wb")
        process = subprocess.Popen(words, stdout=log, stderr=log, cwd=self.place)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        self.addCleanup(log.close)

    def url(self, name, path=""):
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def is_ready(self, name):
        try:
            return urllib.request.urlopen(self.url(name, "/-/ready"), timeout=10).status == 200
        except OSError:
            return False

    def wait_for(self, condition):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            time.sleep(0.2)
        logs = "\n".join(f"{file.name}: {file.read_text()[-2000:]}" for file in self.place.glob("*.log"))
        raise AssertionError(f"timed out\n{logs}\nreceived: {self.web.requests}")

    def alertmanager_configuration(self):
        config = yaml.safe_load((FILES / "alertmanager/alertmanager.yml").read_text())
        config["route"].update(group_wait="1s", group_interval="1s")
        slack, key = self.place / "slack", self.place / "key"
        slack.write_text(self.web.url + "/slack")
        key.write_text("secret-routing-key")
        for receiver in config["receivers"]:
            for entry in receiver.get("pagerduty_configs", []):
                entry.update(routing_key_file=str(key), url=self.web.url + "/pagerduty")
            for entry in receiver.get("slack_configs", []):
                entry.update(api_url_file=str(slack))
        file = self.place / "alertmanager.yml"
        file.write_text(yaml.safe_dump(config))
        return file

    def prometheus_configuration(self):
        config = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                  "rule_files": [str(FILES / "prometheus/pgrehearse.rules.yml")],
                  "alerting": {"alertmanagers": [{"static_configs": [
                      {"targets": [f"127.0.0.1:{self.ports['alertmanager']}"]}]}]},
                  "scrape_configs": [{"job_name": "pushgateway", "honor_labels": True, "static_configs": [
                      {"targets": [f"127.0.0.1:{self.ports['pushgateway']}"]}]}]}
        file = self.place / "prometheus.yml"
        file.write_text(yaml.safe_dump(config))
        return file

    def query(self, expression):
        parameters = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(self.url("prometheus", f"/api/v1/query?{parameters}"), timeout=60) as answer:
            return json.load(answer)["data"]["result"]

    def scenario(self, name, rest=""):
        file = self.place / f"{name}.yaml"
        file.write_text(f"name: {name}\nrepository: {{ stanza: demo, config: {configuration()} }}\n"
                        f"checks: [databases]\n{rest}")
        return file

    def pgrehearse(self, *words):
        return run(PGREHEARSE, *words, "--state", self.place / "state")

    def assert_valid_metrics(self, file):
        done = run("promtool", "check", "metrics", input=file.read_text())
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_failure_reaches_people_and_the_next_pass_resolves_it(self):
        file = self.place / "pgrehearse.prom"
        orders, second = self.scenario("orders", "objectives: { rto: 1ms }\n"), self.scenario("second")
        done = self.pgrehearse("run", second, orders, "--metrics", file, "--pushgateway", self.url("pushgateway"))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assert_valid_metrics(file)
        self.assertIn('pgrehearse_drill_verdict{scenario="orders",stanza="demo",verdict="fail"} 1\n', file.read_text())

        trigger = self.wait_for(lambda: next((event for event in self.web.to("/pagerduty")
                                              if event["event_action"] == "trigger"), None))
        title = trigger["payload"]["summary"]
        self.assertRegex(title, r"^FAIL orders, stanza demo: check rto failed: ")
        slack = self.wait_for(lambda: self.web.to("/slack"))[0]["attachments"][0]
        self.assertEqual(slack["title"], title)
        self.assertIn("Likely cause: ", slack["text"])
        self.assertIn("Next step: pgrehearse report ", slack["text"])

        observed = self.pgrehearse("metrics", orders, "--output", file, "--pushgateway", self.url("pushgateway"))
        self.assertEqual(observed.returncode, 0, observed.stderr)
        self.assert_valid_metrics(file)
        self.assertIn("pgrehearse_newest_recoverable_timestamp_seconds", file.read_text())

        passed = self.pgrehearse("run", self.scenario("orders"), "--pushgateway", self.url("pushgateway"))
        self.assertEqual(passed.returncode, 0, passed.stderr)
        resolve = self.wait_for(lambda: next((event for event in self.web.to("/pagerduty")
                                              if event["event_action"] == "resolve"), None))
        self.assertEqual(resolve["dedup_key"], trigger["dedup_key"])
        self.wait_for(lambda: any(message["attachments"][0]["title"].startswith("RESOLVED: ")
                                  for message in self.web.to("/slack")))
        self.every_query_of_the_dashboard_works()

    def every_query_of_the_dashboard_works(self):
        dashboard = json.loads((FILES / "grafana/pgrehearse.json").read_text())
        empty = []
        for expression in queries_of(dashboard):
            expression = re.sub(r"\$(scenario|stanza)", ".*", expression)
            if not self.query(expression):
                empty.append(expression)
        # The laboratory has no primary, and a scenario without objectives; a gauge needs two samples for a rate.
        allowed = r"primary|lag|objective|deriv|findings|proved|rpo|predict_linear"
        self.assertEqual([expression for expression in empty if not re.search(allowed, expression)], [])

    def test_metrics_command_reports_what_it_could_not_list(self):
        broken = self.place / "broken.yaml"
        broken.write_text("name: broken\nrepository: { stanza: nothing, config: %s }\n" % configuration())
        done = self.pgrehearse("metrics", self.scenario("orders"), broken)
        self.assertEqual(done.returncode, 2)
        self.assertIn("broken: ", done.stderr)
        self.assertIn('pgrehearse_backups{repository="1",stanza="demo",type="full"}', done.stdout)
        refused = self.pgrehearse("metrics", "--pushgateway", "http://127.0.0.1:1", self.scenario("orders"))
        self.assertEqual(refused.returncode, 2)
        self.assertIn("cannot push metrics", refused.stderr)


if __name__ == "__main__":
    PGREHEARSE, FILES = os.path.realpath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve() / "docker/observability"
    RECORD = sys.argv[3]
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or not pathlib.Path(RECORD).exists():
        print(f"missing: {', '.join(missing) or 'the laboratory: run it through ctest'}")
        sys.exit(1 if os.environ.get("PGREHEARSE_REQUIRE") == "all" else 77)
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
