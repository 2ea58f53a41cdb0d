#!/usr/bin/env python3
"""Drills in pods: the real pgrehearse and the real kubectl against a recorded API.

usage: kubernetes_test.py PGREHEARSE LABORATORY_RECORD [unittest options]
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import recorded_api
from recorded_api import Cluster

PGREHEARSE, RECORD = None, None
MARK = "pgrehearse-report: "


def laboratory_configuration():
    return str(next(pathlib.Path(json.loads(pathlib.Path(RECORD).read_text())["directory"])
                    .glob("laboratory/**/pgbackrest.conf")))


def scenario(configuration="/etc/pgbackrest/pgbackrest.conf", rest=""):
    return f"""name: orders
repository: {{ stanza: demo, config: {configuration} }}
sandbox:
  type: kubernetes
  image: registry.example/pgrehearse:15
  memory: 512MB
  cpus: 1
  kubernetes: {{ storage: 3GB, config_secret: orders-pgbackrest, start_timeout: 1s }}
checks: [databases]
{rest}"""


class RealPod:
    """Runs what the job's container would run, with the pod's directories below `place`."""

    def __init__(self, place):
        self.place = pathlib.Path(place)
        self.process = None

    def __call__(self, cluster, job):
        container = job["spec"]["template"]["spec"]["containers"][0]
        files = next(thing for (plural, _), thing in cluster.objects.items() if plural == "configmaps")
        volume = self.place / "pgrehearse"
        etc = self.place / "etc"
        for directory in (self.place, volume, etc):
            directory.mkdir()
            directory.chmod(0o777)
        for name, text in files["data"].items():
            (etc / name).write_text(text.replace("/pgrehearse/", f"{volume}/"))
        command = [word.replace("/etc/pgrehearse", str(etc)).replace("/pgrehearse/", f"{volume}/")
                   for word in container["command"]]
        # The pod's account may not be able to reach the build directory.
        command[0] = shutil.copy(PGREHEARSE, self.place / "program")
        log = self.place / "log"
        account = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, cwd="/", **account)

        def state():
            ended = self.process.poll()
            cluster.log = log.read_text()
            return recorded_api.RUNNING if ended is None else recorded_api.terminated(
                ended, "Completed" if ended == 0 else "Error")

        return state


class KubernetesTest(unittest.TestCase):
    report_log = None  # of the one real drill, played back by the others

    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="pgrehearse-kubernetes-", dir="/var/tmp"))
        self.scratch.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.scratch, True)
        self.cluster = Cluster()
        self.server = recorded_api.serve(self.cluster)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        (self.scratch / "config").write_text(recorded_api.kubeconfig(self.server.server_address[1]))
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.scratch),
                            "KUBECONFIG": str(self.scratch / "config"),
                            "KUBECACHEDIR": str(self.scratch / "cache")}

    def command(self, *words):
        return [PGREHEARSE, *words, "--state", str(self.scratch / "state")]

    def run_words(self, *words):
        return subprocess.run(self.command(*words), env=self.environment, capture_output=True, text=True,
                              timeout=300)

    def write_scenario(self, text):
        file = self.scratch / "scenario.yaml"
        file.write_text(text)
        return str(file)

    def drill(self, text=None, *options):
        """Runs a drill; returns the process and the stored report."""
        done = self.run_words("run", self.write_scenario(text or scenario()), *options)
        record = self.scratch / "state/runs/orders/latest/report.json"
        return done, json.loads(record.read_text()) if record.exists() else None

    def played_back(self, verdict="pass", exit_code=0):
        if KubernetesTest.report_log is None:
            self.test_report_of_a_real_drill_is_read_from_the_log()
            self.doCleanups()
            self.setUp()
        *lines, last = KubernetesTest.report_log.splitlines()
        report = json.loads(last.removeprefix(MARK))
        report["verdict"] = verdict
        self.cluster.log = "\n".join([*lines, MARK + json.dumps(report), ""])
        self.cluster.states = [recorded_api.CREATING, recorded_api.RUNNING,
                               recorded_api.terminated(exit_code, "Completed" if not exit_code else "Error")]

    def expect_nothing_left(self):
        self.assertEqual(self.cluster.names(), [])
        self.assertEqual(list((self.scratch / "state/sandboxes").glob("*")), [])

    def expect_unknown(self, done, report, *words):
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(report["verdict"], "unknown")
        self.assertEqual(report["diagnosis"]["code"], "PGR-ENV-KUBERNETES", report["diagnosis"])
        self.assertEqual(report["diagnosis"]["likely_cause"], "environment")
        diagnosis = json.dumps(report["diagnosis"])
        for word in words:
            self.assertIn(word, diagnosis)

    # Drills that work.

    def test_report_of_a_real_drill_is_read_from_the_log(self):
        self.cluster.run_pod = RealPod(self.scratch / "pod")
        done, report = self.drill(scenario(laboratory_configuration()))
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout + self.cluster.log)
        KubernetesTest.report_log = self.cluster.log[:self.cluster.log.rindex("}") + 1]
        KubernetesTest.report_log = "\n".join(
            sorted(KubernetesTest.report_log.splitlines(), key=lambda line: line.startswith(MARK)))
        self.assertEqual(report["verdict"], "pass")
        self.assertEqual(report["sandbox"]["type"], "kubernetes")
        self.assertTrue(report["sandbox"]["removed"])
        self.assertEqual(len(report["sandbox"]["removal"]), 5)
        self.assertTrue(report["landing"]["proved"])
        self.assertEqual(report["backup"]["stanza"], "demo")
        phases = [phase["name"] for phase in report["phases"]]
        self.assertEqual(phases[:3], ["prepare", "start pod", "prepare"])
        self.assertIn("restore", phases)
        self.assertEqual(phases[-1], "delete pod")
        self.assertIn("databases", [check["name"] for check in report["checks"]])
        self.assertIn("pgbackrest", " ".join(command["command"] for command in report["commands"]))
        self.assertIn("kubectl", " ".join(command["command"] for command in report["commands"]))
        self.assertIn("restore: ", done.stderr)
        run = self.scratch / "state/runs/orders/latest"
        self.assertIn(MARK, (run / "logs/pod.log").read_text())
        self.assertTrue((run / "report.xml").exists())
        self.expect_nothing_left()

    def test_network_policy_is_created_before_and_removed_after_the_pod(self):
        self.played_back()
        done, report = self.drill()
        self.assertEqual(done.returncode, 0, done.stderr)
        made = [thing["kind"] for thing in self.cluster.posted]
        self.assertEqual(made, ["NetworkPolicy", "ServiceAccount", "ConfigMap", "Job"])
        gone = [request for request in self.cluster.requests if request.startswith("DELETE")]
        self.assertLess(gone.index("DELETE pods"), gone.index("DELETE networkpolicies"))
        self.assertLess(gone.index("DELETE jobs"), gone.index("DELETE networkpolicies"))
        self.assertFalse([request for request in self.cluster.requests if "secrets" in request])
        self.expect_nothing_left()

    def test_failed_drill_fails(self):
        self.played_back("fail", 1)
        done, report = self.drill()
        self.assertEqual((done.returncode, report["verdict"]), (1, "fail"))
        self.expect_nothing_left()

    def test_interrupted_log_is_followed_again(self):
        self.played_back()
        self.cluster.states.insert(2, recorded_api.RUNNING)
        done, _ = self.drill()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.cluster.requests.count("FOLLOW pods"), 2)

    def test_plan_shows_the_manifest_without_contacting_the_cluster(self):
        self.server.shutdown()
        shown = self.run_words("plan", "--manifest", self.write_scenario(scenario()))
        self.assertEqual(shown.returncode, 0, shown.stderr)
        for words in ("kind: \"NetworkPolicy\"", "kind: \"Job\"", "readOnlyRootFilesystem: true",
                      "secretName: \"orders-pgbackrest\""):
            self.assertIn(words, shown.stdout)
        self.assertEqual(self.cluster.requests, [])
        # kubectl itself validates it, without a cluster.
        read = subprocess.run(["kubectl", "label", "--local", "--filename=-", "--output=json", "seen=yes"],
                              input=shown.stdout, env=self.environment, capture_output=True, text=True)
        self.assertEqual(read.returncode, 0, read.stderr)
        self.assertIn('"kind": "Job"', read.stdout)

    def test_doctor_queries_the_cluster(self):
        seen = self.run_words("doctor", self.write_scenario(scenario()))
        self.assertEqual(seen.returncode, 0, seen.stderr + seen.stdout)
        self.assertIn("Kubernetes v1.31.0, context recorded, namespace rehearsals", seen.stdout)
        self.assertNotIn("POST jobs", self.cluster.requests)

    # Drills that fail.

    def test_passed_report_without_its_exit_code_is_unknown(self):
        self.played_back("pass", 1)
        self.expect_unknown(*self.drill(), "exited with code 1, but the verdict in its report is pass")

    def test_reason_of_a_failed_pod_is_reported(self):
        pull = recorded_api.waiting("ImagePullBackOff", "Back-off pulling image")
        cases = [
            ([recorded_api.CREATING, pull], ["registry.example/pgrehearse:15 cannot be pulled", "pull_secret"]),
            ([recorded_api.UNSCHEDULABLE], ["no node accepts the pod", "Insufficient memory"]),
            ([recorded_api.CREATING], ["did not start", "MountVolume.SetUp failed"]),
            ([recorded_api.RUNNING, recorded_api.terminated(137, "OOMKilled")],
             ["ran out of memory: its limit is 512.0 MB"]),
            ([recorded_api.RUNNING, recorded_api.EVICTED], ["evicted", "exceeds the limit"]),
        ]
        self.cluster.events = [{
            "metadata": {"name": "event"}, "type": "Warning", "reason": "FailedMount",
            "message": "MountVolume.SetUp failed: secret \"orders-pgbackrest\" not found",
            "involvedObject": {"kind": "Pod", "name": "pgrehearse-"}}]
        original = self.cluster.create

        def create(plural, thing):
            original(plural, thing)
            self.cluster.events[0]["involvedObject"]["name"] = thing["metadata"]["name"] + "-x7k2p"

        self.cluster.create = create
        for states, words in cases:
            with self.subTest(words[0]):
                self.cluster.states = list(states)
                self.expect_unknown(*self.drill(), *words)
                self.expect_nothing_left()

    def test_job_past_its_deadline_is_reported(self):
        self.cluster.job_failure = "DeadlineExceeded"
        self.expect_unknown(*self.drill(), "its deadline passed")
        self.expect_nothing_left()

    def test_error_of_a_failed_pod_is_quoted(self):
        self.cluster.log = "error: /etc/pgrehearse/scenario.yaml:3: unknown key 'new'\n"
        self.cluster.states = [recorded_api.RUNNING, recorded_api.terminated(3, "Error")]
        self.expect_unknown(*self.drill(), "unknown key 'new'")

    def test_kubectl_errors_have_a_hint(self):
        forbidden = (403, "Forbidden", 'networkpolicies.networking.k8s.io is forbidden: User "tester" cannot')
        missing = (404, "NotFound", 'namespaces "rehearsals" not found')
        for refused, answer, words in [("POST networkpolicies", forbidden, ["grant the account"]),
                                       ("POST networkpolicies", missing, ["sandbox.kubernetes.namespace"])]:
            with self.subTest(words[0]):
                self.cluster.refuse = {refused: answer}
                self.expect_unknown(*self.drill(), *words)
                self.assertNotIn("POST jobs", self.cluster.requests, "a pod without its network policy")
                self.expect_nothing_left()
        self.cluster.refuse = {}
        self.cluster.allowed = False
        self.expect_unknown(*self.drill(), "no permission to create jobs in namespace rehearsals")
        self.assertNotIn("POST jobs", self.cluster.requests)
        self.expect_unknown(*self.drill(None, "--set", "sandbox.kubernetes.context=other"), "other")
        self.server.shutdown()
        self.server.server_close()
        self.expect_unknown(*self.drill(), "check that the cluster is up")
        self.environment["KUBECONFIG"] = "/nonexistent"
        self.expect_unknown(*self.drill(), "sandbox.kubernetes.context")
        self.environment["PATH"] = str(self.scratch)
        self.expect_unknown(*self.drill(), "install kubectl (Debian: kubernetes-client)")

    def test_object_that_cannot_be_removed_is_named_and_stays_isolated(self):
        self.played_back()
        self.cluster.refuse = {"DELETE pods": (500, "InternalError", "etcd is full")}
        done, report = self.drill()
        self.assertEqual((done.returncode, report["diagnosis"]["code"]), (2, "PGR-ENV-LEFTOVER"))
        self.assertTrue(report["sandbox"]["remaining"])
        self.assertNotIn("DELETE networkpolicies", self.cluster.requests)
        self.cluster.refuse = {}
        self.assertEqual(self.run_words("clean").returncode, 0)
        self.expect_nothing_left()

    # Drills that are killed.

    def running_drill(self):
        self.cluster.states = [recorded_api.RUNNING]
        self.cluster.hold_in = recorded_api.RUNNING
        follows = self.cluster.requests.count("FOLLOW pods")
        process = subprocess.Popen(self.command("run", self.write_scenario(scenario())),
                                   env=self.environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 60
        while self.cluster.requests.count("FOLLOW pods") == follows:
            self.assertLess(time.monotonic(), deadline, self.cluster.requests)
            time.sleep(0.05)
        return process

    def test_interrupted_drill_removes_its_pod(self):
        process = self.running_drill()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 130)
        self.expect_nothing_left()

    def test_timed_out_drill_removes_its_pod(self):
        self.cluster.states = [recorded_api.RUNNING]
        self.cluster.hold_in = recorded_api.RUNNING
        done, report = self.drill(None, "--timeout", "2s")
        self.assertEqual((done.returncode, report["diagnosis"]["code"]), (2, "PGR-ENV-TIMEOUT"))
        self.expect_nothing_left()

    def test_clean_and_the_next_run_remove_leftovers_and_keep_running_drills(self):
        for remover in ("clean", "run", "run without registry"):
            with self.subTest(remover):
                dead = self.running_drill()
                dead.kill()
                dead.wait()
                dead_objects = self.cluster.names()
                self.assertEqual(len(dead_objects), 5, dead_objects)
                living = self.running_drill() if remover == "clean" else None
                if living:
                    # The next run has already removed the leftovers: create them again.
                    self.assertFalse(set(dead_objects) & set(self.cluster.names()))
                    other = self.running_drill()
                    before = set(self.cluster.names())
                    other.kill()
                    other.wait()
                    cleaned = self.run_words("clean")
                    self.assertEqual(cleaned.returncode, 0, cleaned.stderr + cleaned.stdout)
                    self.assertIn("the drill is still running", cleaned.stdout)
                    self.assertEqual(len(self.cluster.names()), 5)
                    self.assertLess(set(self.cluster.names()), before)
                    living.send_signal(signal.SIGTERM)
                    self.assertEqual(living.wait(60), 130)
                else:
                    if remover == "run without registry":
                        shutil.rmtree(self.scratch / "state/sandboxes")
                    self.cluster.release()
                    self.cluster.states = [recorded_api.UNSCHEDULABLE]
                    self.drill()
                self.expect_nothing_left()


if __name__ == "__main__":
    if shutil.which("kubectl") is None:
        if os.environ.get("PGREHEARSE_REQUIRE") == "all":
            sys.exit("error: kubectl is missing\nhint: ci/setup --tests")
        print("skipped: kubectl is missing")
        sys.exit(77)
    PGREHEARSE, RECORD = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
