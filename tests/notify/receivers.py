"""Servers that receive notifications, on free loopback ports."""

import http.server
import json
import socketserver
import ssl
import subprocess
import threading
import time


class HttpReceiver:
    """Records every request; answers 200, or what `answer` (path -> status) says."""

    def __init__(self):
        receiver = self
        self.requests, self.answer, self.delay = [], {}, 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def receive(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                time.sleep(receiver.delay)
                receiver.requests.append((self.path, dict(self.headers), body))
                self.send_response(receiver.answer.get(self.path, 200))
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = do_PUT = receive

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def to(self, path):
        """The JSON bodies sent to `path`."""
        return [json.loads(body) for where, _, body in self.requests if where == path]

    def wait_for(self, condition, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"nothing that matches arrived; received: {self.requests}")

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class MailReceiver:
    """An SMTP server that requires STARTTLS and AUTH PLAIN."""

    def __init__(self, directory):
        receiver = self
        self.mails, self.logins = [], []
        self.ca = directory / "mail.crt"
        key = directory / "mail.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key,
                        "-out", self.ca], check=True, capture_output=True)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.ca, key)

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                self.lines = self.request.makefile("rb")
                encrypted, data = False, None
                self.say("220 localhost")
                while line := self.lines.readline():
                    word = line.split()[0].upper().decode() if line.split() else ""
                    if word == "EHLO":
                        self.say("250-localhost", "250-AUTH PLAIN" if encrypted else "250-8BITMIME",
                                 "250 STARTTLS" if not encrypted else "250 8BITMIME")
                    elif word == "STARTTLS":
                        self.say("220 go ahead")
                        self.request = context.wrap_socket(self.request, server_side=True)
                        self.lines, encrypted = self.request.makefile("rb"), True
                    elif not encrypted and word != "QUIT":
                        self.say("530 use STARTTLS first")
                    elif word == "AUTH":
                        receiver.logins.append(line.decode().strip())
                        if len(line.split()) < 3:
                            self.say("334 ")
                            receiver.logins[-1] += " " + self.lines.readline().decode().strip()
                        self.say("235 welcome")
                    elif word == "DATA":
                        self.say("354 end with a dot")
                        data = []
                        while (line := self.lines.readline()) != b".\r\n":
                            data.append(line)
                        receiver.mails.append(b"".join(data))
                        self.say("250 queued")
                    elif word == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

            def say(self, *lines):
                self.request.sendall("".join(f"{line}\r\n" for line in lines).encode())

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"smtp://localhost:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
