"""The part of Kubernetes' API that pgrehearse's kubectl asks for, as far as a test needs it.

There is no API server: the answers were recorded from the API's reference, and the pod's states
are played back one after another. Every request is recorded. A job's pod may also really run: then its
command is started here, with the pod's directories replaced by those of the test.
"""

import http.server
import json
import threading
import urllib.parse

GROUPS = {
    "/api/v1": ("v1", {"pods": "Pod", "configmaps": "ConfigMap", "serviceaccounts": "ServiceAccount",
                       "events": "Event", "secrets": "Secret"}),
    "/apis/batch/v1": ("batch/v1", {"jobs": "Job"}),
    "/apis/networking.k8s.io/v1": ("networking.k8s.io/v1", {"networkpolicies": "NetworkPolicy"}),
    "/apis/authorization.k8s.io/v1": ("authorization.k8s.io/v1",
                                      {"selfsubjectaccessreviews": "SelfSubjectAccessReview"}),
}
VERBS = ["create", "delete", "get", "list", "watch"]


def waiting(reason, message):
    return {"phase": "Pending", "containerStatuses": [
        {"name": "drill", "state": {"waiting": {"reason": reason, "message": message}}}]}


def terminated(exit_code, reason="Completed"):
    return {"phase": "Succeeded" if exit_code == 0 else "Failed", "containerStatuses": [
        {"name": "drill", "state": {"terminated": {"exitCode": exit_code, "reason": reason}}}]}


UNSCHEDULABLE = {"phase": "Pending", "conditions": [
    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
     "message": "0/3 nodes are available: 3 Insufficient memory."}]}
CREATING = waiting("ContainerCreating", "")
RUNNING = {"phase": "Running", "containerStatuses": [
    {"name": "drill", "state": {"running": {"startedAt": "2026-11-21T12:00:00Z"}}}]}
EVICTED = {"phase": "Failed", "reason": "Evicted",
           "message": "Usage of EmptyDir volume \"sandbox\" exceeds the limit \"2Gi\"."}


class Cluster:
    """What is in the cluster, and how its pods behave."""

    def __init__(self):
        self.lock = threading.Condition()
        self.objects = {}  # (plural, name) -> object, in the order in which they were made
        self.requests = []  # "POST networkpolicies"
        self.posted = []  # objects
        self.states = [CREATING, RUNNING, terminated(0)]  # of the pod; the last one stays
        self.hold_in = None  # a state that lasts until release() is called
        self.job_failure = None  # reason with which the job fails, its pod deleted
        self.log = ""
        self.run_pod = None  # called with the job; returns a function state() and sets self.log
        self.refuse = {}  # "POST jobs" -> (status, reason, message)
        self.allowed = True
        self.events = []

    def release(self):
        with self.lock:
            self.hold_in = None
            self.lock.notify_all()

    def names(self):
        return [f"{plural}/{name}" for plural, name in self.objects]

    def pod_status(self):
        if callable(self.states):
            return self.states()
        state = self.states[0]
        if len(self.states) > 1 and state is not self.hold_in:
            self.states = self.states[1:]
        return state

    def create(self, plural, thing):
        self.objects[(plural, thing["metadata"]["name"])] = thing
        self.posted.append(thing)
        if plural != "jobs":
            return
        if self.job_failure:
            thing["status"] = {"conditions": [
                {"type": "Failed", "status": "True", "reason": self.job_failure, "message": "job ended"}]}
            return
        name = thing["metadata"]["name"] + "-x7k2p"
        template = thing["spec"]["template"]
        self.objects[("pods", name)] = {
            "apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": name},
            "spec": template["spec"], "status": CREATING}
        if self.run_pod:
            self.states = self.run_pod(self, thing)


def fits(thing, selector):
    labels = thing["metadata"].get("labels", {})
    pairs = [term.split("=", 1) for term in selector.split(",") if term]
    return all(labels.get(key.rstrip("=")) == value.lstrip("=") for key, value in pairs)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster = None

    def log_message(self, *_):
        pass

    def answer(self, body, status=200):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, reason, message):
        self.answer({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message,
                     "reason": reason, "code": status}, status)

    def discover(self, path):
        if path == "/version":
            self.answer({"major": "1", "minor": "31", "gitVersion": "v1.31.0", "platform": "linux/amd64"})
        elif path == "/api":
            self.answer({"kind": "APIVersions", "versions": ["v1"]})
        elif path == "/apis":
            versions = [{"groupVersion": group, "version": "v1"} for group, _ in list(GROUPS.values())[1:]]
            self.answer({"kind": "APIGroupList", "apiVersion": "v1", "groups": [
                {"name": one["groupVersion"].split("/")[0], "versions": [one], "preferredVersion": one}
                for one in versions]})
        elif path in GROUPS:
            group, kinds = GROUPS[path]
            self.answer({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": [
                {"name": plural, "singularName": kind.lower(), "namespaced": plural[:4] != "self",
                 "kind": kind, "verbs": VERBS} for plural, kind in kinds.items()]})
        else:
            return False
        return True

    def place(self):
        """Group, plural, name and rest of the path; the query."""
        url = urllib.parse.urlsplit(self.path)
        query = {key: values[0] for key, values in urllib.parse.parse_qs(url.query).items()}
        for prefix in GROUPS:
            if url.path.startswith(prefix + "/"):
                words = url.path[len(prefix) + 1:].split("/")
                if words[0] == "namespaces":
                    words = words[2:]
                words += [None] * (3 - len(words))
                return prefix, words[0], words[1], words[2], query
        return None, url.path, None, None, query

    def recorded(self, verb, plural):
        cluster = self.cluster
        cluster.requests.append(f"{verb} {plural}")
        if f"{verb} {plural}" in cluster.refuse:
            self.refuse(*cluster.refuse[f"{verb} {plural}"])
            return True
        return False

    def do_GET(self):
        if self.discover(urllib.parse.urlsplit(self.path).path):
            return
        prefix, plural, name, rest, query = self.place()
        cluster = self.cluster
        with cluster.lock:
            if rest == "log":
                self.recorded("FOLLOW" if query.get("follow") == "true" else "LOG", plural)
            elif self.recorded("GET", plural):
                return
        if rest == "log":
            self.send_log(query.get("follow") == "true")
            return
        with cluster.lock:
            self.send_objects(prefix, plural, name, query)

    def send_objects(self, prefix, plural, name, query):
        cluster = self.cluster
        if prefix is None or plural not in GROUPS[prefix][1]:
            self.refuse(404, "NotFound", "the server could not find the requested resource")
            return
        group, kinds = GROUPS[prefix]
        if name:
            found = cluster.objects.get((plural, name))
            if found is None:
                self.refuse(404, "NotFound", f'{plural} "{name}" not found')
            else:
                self.answer(found)
            return
        items = [thing for (kind, _), thing in cluster.objects.items()
                 if kind == plural and fits(thing, query.get("labelSelector", ""))]
        if plural == "events":
            items = cluster.events
        if plural == "pods" and items:
            items[0]["status"] = cluster.pod_status()
        # As in the real API, the items of a list do not repeat their kind.
        bare = [{key: value for key, value in thing.items() if key not in ("kind", "apiVersion")}
                for thing in items]
        self.answer({"kind": kinds[plural] + "List", "apiVersion": group, "metadata": {}, "items": bare})

    def send_log(self, follow):
        cluster = self.cluster
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        sent = 0
        while True:
            with cluster.lock:
                text = cluster.log
                held = cluster.hold_in is not None or (
                    callable(cluster.states) and "terminated" not in json.dumps(cluster.states()))
                if follow and held and len(text) == sent:
                    cluster.lock.wait(0.2)
                    continue
            try:
                self.wfile.write(text[sent:].encode())
                self.wfile.flush()
            except OSError:
                return
            sent = len(text)
            if not (follow and held):
                return

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        _, plural, _, _, _ = self.place()
        cluster = self.cluster
        with cluster.lock:
            if self.recorded("POST", plural):
                return
            if plural == "selfsubjectaccessreviews":
                self.answer({**body, "status": {"allowed": cluster.allowed}}, 201)
                return
            body["metadata"].setdefault("uid", f"uid-{len(cluster.posted)}")
            cluster.create(plural, body)
        self.answer(body, 201)

    def do_DELETE(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _, plural, name, _, _ = self.place()
        with self.cluster.lock:
            if self.recorded("DELETE", plural):
                return
            gone = self.cluster.objects.pop((plural, name), None)
        if gone is None:
            self.refuse(404, "NotFound", f'{plural} "{name}" not found')
        else:
            self.answer(gone)


def serve(cluster):
    """A server on a free port; call shutdown() on it."""
    handler = type("ClusterHandler", (Handler,), {"cluster": cluster})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def kubeconfig(port):
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "recorded",
        "clusters": [{"name": "recorded", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "tester", "user": {}}],
        "contexts": [{"name": "recorded", "context": {
            "cluster": "recorded", "user": "tester", "namespace": "rehearsals"}}]})
