#!/usr/bin/env python3
"""The CI gates: their shell steps with the real pgrehearse, their files against schemas.

usage: gates_test.py PGREHEARSE SOURCE LABORATORY_RECORD TOOLS [unittest options]
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import xml.etree.ElementTree as xml

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "notify"))
from receivers import HttpReceiver  # noqa: E402

PGREHEARSE, GATES, RECORD, TOOLS = None, None, None, None
REQUIRED = os.environ.get("PGREHEARSE_REQUIRE") == "all"
# https://docs.gitlab.com/ci/yaml/#job-keywords
GITLAB_JOB_KEYS = set("""after_script allow_failure artifacts before_script cache coverage dast_configuration dependencies
    environment extends hooks id_tokens identity image inherit interruptible manual_confirmation needs pages parallel release
    resource_group retry rules run script secrets services stage start_in tags timeout trigger variables when""".split())


def configuration():
    directory = pathlib.Path(json.loads(pathlib.Path(RECORD).read_text())["directory"])
    return next(directory.glob("laboratory/**/pgbackrest.conf"))


def load(file):
    return yaml.safe_load((GATES / file).read_text())


class GatesTest(unittest.TestCase):
    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="pgrehearse-gates-", dir="/var/tmp"))
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.place.chmod(0o755)
        (self.place / "drills").mkdir()
        (self.place / "bin").mkdir()
        self.program(f'exec {PGREHEARSE} "$@" --state {self.place}/state\n')

    def program(self, text):
        """What the gates find as pgrehearse."""
        file = self.place / "bin/pgrehearse"
        file.write_text("#!/bin/sh\n" + text)
        file.chmod(0o755)

    def scenario(self, name, rest=""):
        (self.place / f"drills/{name}.yaml").write_text(
            f"name: {name}\nrepository: {{ stanza: demo, config: {configuration()} }}\nchecks: [databases]\n{rest}")

    def shell(self, script, shell=("bash", "--noprofile", "--norc", "-eo", "pipefail"), **variables):
        environment = {**os.environ, **{key: str(value) for key, value in variables.items()},
                       "PATH": f"{self.place}/bin:{os.environ['PATH']}"}
        file = self.place / "step.sh"
        file.write_text(script)
        return subprocess.run([*shell, file], env=environment, cwd=self.place, text=True, timeout=900,
                              capture_output=True, check=False)

    def suites(self):
        root = xml.parse(self.place / "pgrehearse-report/junit.xml").getroot()
        return {suite.get("name"): suite for suite in root}

    def test_github_runs_all_scenarios_and_reports_one_verdict(self):
        self.scenario("first", "objectives: { rto: 1ms }\n")
        self.scenario("second")
        step = load("github/action.yml")["runs"]["steps"][0]
        output, summary = self.place / "output", self.place / "summary"
        done = self.shell(step["run"], SCENARIOS="drills/*.yaml", ARGUMENTS="--timeout 10min",
                          DIRECTORY="pgrehearse-report", GITHUB_ACTION_PATH=GATES / "github",
                          GITHUB_OUTPUT=output, GITHUB_STEP_SUMMARY=summary, RUNNER_TEMP=self.place)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(output.read_text(), "verdict=fail\nreport=pgrehearse-report/report.md\n"
                                             "junit=pgrehearse-report/junit.xml\n")
        self.assertRegex(summary.read_text(), r"\A# .*\*\*fail\*\* 2 drills\n")
        suites = self.suites()
        self.assertEqual(list(suites), ["first", "second"])
        self.assertGreater(int(suites["first"].get("failures")), 0)
        self.assertEqual(suites["second"].get("failures"), "0")
        self.assertEqual([report["verdict"] for report in json.loads(
            (self.place / "pgrehearse-report/reports.json").read_text())], ["fail", "pass"])

    def test_github_reports_that_nothing_could_be_started(self):
        (self.place / "drills/bad.yaml").write_text("name: bad\n")
        step = load("github/action.yml")["runs"]["steps"][0]
        output = self.place / "output"
        done = self.shell(step["run"], SCENARIOS="drills/bad.yaml", ARGUMENTS="", DIRECTORY="pgrehearse-report",
                          GITHUB_ACTION_PATH=GATES / "github", GITHUB_OUTPUT=output,
                          GITHUB_STEP_SUMMARY=self.place / "summary", RUNNER_TEMP=self.place)
        self.assertEqual(done.returncode, 3)
        self.assertIn("verdict=error\n", output.read_text())

    def test_gitlab_script_and_merge_request_note(self):
        self.scenario("orders")
        job = load("gitlab/pgrehearse.gitlab-ci.yml")["pgrehearse"]
        self.assertLessEqual(set(job), GITLAB_JOB_KEYS)
        done = self.shell("\n".join(job["script"]), **job["variables"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(list(self.suites()), ["orders"])
        for path in [*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]]:
            self.assertTrue((self.place / path).exists(), path)

        web = HttpReceiver()
        self.addCleanup(web.close)
        after = "\n".join(job["after_script"])
        self.assertEqual(self.shell(after).returncode, 0)  # not a merge request
        done = self.shell(after, CI_MERGE_REQUEST_IID=7, PGREHEARSE_GITLAB_TOKEN="s3cr3t", CI_PROJECT_ID=3,
                          CI_API_V4_URL=web.url + "/api/v4")
        self.assertEqual(done.returncode, 0, done.stderr)
        path, headers, body = web.requests[0]
        self.assertEqual(path, "/api/v4/projects/3/merge_requests/7/notes")
        self.assertEqual(headers["PRIVATE-TOKEN"], "s3cr3t")
        note = urllib.parse.parse_qs(body.decode())["body"][0]
        self.assertEqual(note, (self.place / "pgrehearse-report/report.md").read_text())

    def test_jenkins_step_returns_the_exit_code(self):
        text = (GATES / "jenkins/Jenkinsfile").read_text()
        self.assertEqual(text.count("{"), text.count("}"))
        script = re.search(r"script: '''(.*?)'''", text, re.DOTALL).group(1)
        self.scenario("orders")
        for code in (0, 2):
            self.program(f'echo "$@" >arguments; exit {code}\n')
            done = self.shell(script, shell=("sh", "-xe"), SCENARIOS="drills/*.yaml")
            self.assertEqual(done.returncode, code)
        self.assertTrue((self.place / "arguments").read_text().startswith(
            "run drills/orders.yaml --junit pgrehearse-report/junit.xml"))

    @unittest.skipUnless(REQUIRED or shutil.which("node"), "node is missing")
    def test_github_files_match_the_schemas(self):
        validator = TOOLS / "gates/action-validator/action_validator.js"
        if not validator.exists() and not REQUIRED:
            self.skipTest("ci/setup --tests installs the validator")

        def errors(kind, file):
            done = subprocess.run(["node", pathlib.Path(__file__).parent / "validate_action.mjs", validator, kind, file],
                                  text=True, capture_output=True, check=True)
            return json.loads(done.stdout)

        self.assertEqual(errors("action", GATES / "github/action.yml"), [])
        self.assertEqual(errors("workflow", GATES / "github/example.yml"), [])
        broken = self.place / "broken.yml"
        broken.write_text((GATES / "github/action.yml").read_text().replace("using: composite", "using: compost"))
        self.assertNotEqual(errors("action", broken), [])

    def assert_known_to_kubernetes(self, text):
        """kubectl decodes the objects into its types and prints them: a field that is not in the types disappears."""
        for given in filter(None, yaml.safe_load_all(text)):
            if given["kind"] != "CronJob":
                continue
            done = self.decode(given)
            if done.returncode != 0:  # Debian 12's kubectl is older than CronJob in batch/v1
                self.assertIn("CronJob", done.stderr)
                given = {"apiVersion": "batch/v1", "kind": "Job", "metadata": given["metadata"],
                         "spec": given["spec"]["jobTemplate"]["spec"]}
                done = self.decode(given)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_contains(json.loads(done.stdout), given, given["kind"])

    def decode(self, given):
        file = self.place / "object.yaml"
        file.write_text(json.dumps(given))
        return subprocess.run(["kubectl", "set", "image", "--local", "-f", file, "pgrehearse=changed:1", "-o", "json"],
                              text=True, capture_output=True)

    def assert_contains(self, known, given, where):
        if isinstance(given, dict):
            for key, value in given.items():
                self.assertIn(key, known, f"{where}: unknown field")
                self.assert_contains(known[key], value, f"{where}.{key}")
        elif isinstance(given, list):
            self.assertEqual(len(known), len(given), where)
            for index, value in enumerate(given):
                self.assert_contains(known[index], value, f"{where}[{index}]")
        elif not where.endswith(".image"):
            self.assertEqual(known, given, where)

    @unittest.skipUnless(REQUIRED or shutil.which("kubectl"), "kubectl is missing")
    def test_cron_job_has_only_fields_that_kubernetes_knows(self):
        text = (GATES / "kubernetes/cronjob.yaml").read_text()
        self.assert_known_to_kubernetes(text)
        with self.assertRaisesRegex(AssertionError, "unknown field"):
            self.assert_known_to_kubernetes(text.replace("backoffLimit", "backofLimit"))

    @unittest.skipUnless(REQUIRED or shutil.which("kubectl"), "kubectl is missing")
    def test_helm_chart_renders_with_and_without_options(self):
        helm, chart = TOOLS / "gates/helm", GATES / "helm/pgrehearse"
        if not helm.exists() and not REQUIRED:
            self.skipTest("ci/setup --tests installs helm")

        def run(*words):
            done = subprocess.run([helm, *words], text=True, capture_output=True, check=False,
                                  env={**os.environ, "HOME": str(self.place)})
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            return done.stdout

        run("lint", "--strict", chart)
        plain = run("template", "weekly", chart)
        full = run("template", "weekly", chart, "--set", "pushgateway=http://p:9091,notifySecret=notify,"
                   "state.storageClassName=fast,imagePullSecrets[0].name=login")
        for text in (plain, full):
            kinds = sorted(one["kind"] for one in yaml.safe_load_all(text) if one)
            self.assertEqual(kinds, ["ConfigMap", "CronJob", "PersistentVolumeClaim"])
            self.assert_known_to_kubernetes(text)
        self.assertNotIn("--pushgateway", plain)
        self.assertIn("--pushgateway", full)
        # The scenario of the chart is valid: only its repository is missing here.
        scenarios = next(one for one in yaml.safe_load_all(plain) if one and one["kind"] == "ConfigMap")["data"]
        file = self.place / "weekly.yaml"
        file.write_text(scenarios["weekly.yaml"])
        done = subprocess.run([PGREHEARSE, "notify", "test", file], text=True, capture_output=True, check=False)
        self.assertIn("the scenario has no key `notify`", done.stderr)


if __name__ == "__main__":
    PGREHEARSE, GATES = os.path.realpath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve() / "ci/gates"
    RECORD, TOOLS = sys.argv[3], pathlib.Path(sys.argv[4])
    if not pathlib.Path(RECORD).exists():
        print("no laboratory: run it through ctest")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
