"""What the Kubernetes client library for Python does with streams, a line of JSON for each thing done.

streams.py KUBECONFIG NAMESPACE NAME

There are the pods `web` (ports 80 and 8080), and for whoever asks alone `attach-NAME` and `log-NAME`.
"""

import hashlib
import http.client
import json
import re
import sys

from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException
from kubernetes.stream import portforward, stream

STDIN = 0
RESIZE = 4


def digest(data):
    return f"{len(data)} bytes, {hashlib.sha256(data).hexdigest()}"


class Pods:
    def __init__(self, kubeconfig, namespace, protocol=None):
        """The library offers v5 and v4 of messages; or this alone."""
        self.namespace = namespace
        self.api = client.CoreV1Api(config.new_client_from_config(kubeconfig))
        if protocol:
            self.api.api_client.set_default_header("sec-websocket-protocol", protocol)

    def exec(self, pod, *command, **options):
        options = {"stdin": False, "stdout": True, "stderr": True, "tty": False} | options
        asked = self.api.connect_get_namespaced_pod_exec
        return stream(asked, pod, self.namespace, command=list(command), **options)

    def runs(self, *command, said=()):
        """What a command prints, and how it ends."""
        run = self.exec("web", *command, container="web", stdin=bool(said), binary=True, _preload_content=False)
        for piece in said:
            run.write_stdin(piece)
        if said:
            run.close_channel(STDIN)
        run.run_forever()
        out, err = run.read_stdout(), run.read_stderr()
        return {"protocol": run.subprotocol, "out": told(out), "err": told(err), "code": run.returncode}

    def terminal(self):
        """A terminal, the size of which changes while a program runs in it."""
        options = {"stdin": True, "tty": True, "binary": True, "_preload_content": False}
        run = self.exec("web", "sh", "-c", SIZED, container="web", **options)
        run.write_channel(RESIZE, json.dumps({"Width": 97, "Height": 31}))
        sized = run.readline_stdout()
        run.write_stdin(b"typed\n")
        run.run_forever()
        return {"sized": told(sized), "out": told(run.read_stdout()), "code": run.returncode}

    def attached(self, pod):
        asked = self.api.connect_get_namespaced_pod_attach
        options = {"stdin": True, "stdout": True, "stderr": True, "tty": False, "_preload_content": False}
        attached = stream(asked, pod, self.namespace, container="sh", **options)
        lines = []
        for line in ["one", "two"]:
            attached.write_stdin(line + "\n")
            lines.append(attached.readline_stdout())
        attached.close_channel(STDIN)
        attached.run_forever()
        return lines + [attached.read_stdout(), attached.read_stderr()]

    def followed(self, pod):
        """A log whose last lines are written after the first was read."""
        lines = []
        for line in watch.Watch().stream(self.api.read_namespaced_pod_log, pod, self.namespace, container="sh"):
            lines.append(line)
            if len(lines) == 1:
                self.exec(pod, "touch", "/tmp/go", container="sh")
        return lines[:1] + [digest("\n".join(lines[1:]).encode())]

    def forward(self, *ports):
        asked = self.api.connect_get_namespaced_pod_portforward
        return portforward(asked, "web", self.namespace, ports=",".join(map(str, ports)))

    def requests(self, *ports):
        """The same requests to the web server on each port, all on one connection for each, which is left open."""
        way = self.forward(*ports)
        answers = []
        for port in ports:
            server = http.client.HTTPConnection("web", port)
            server.sock = way.socket(port)
            for request in REQUESTS[port]:
                server.request(*request)
                answer = server.getresponse()
                answers.append(f"{port}: {answer.status}, {digest(answer.read())}")
        way.close()
        return answers

    def nobody_listens(self, port):
        way = self.forward(port)
        came = way.socket(port).recv(1)
        return {"came": digest(came), "error": re.sub(r"[0-9a-f]{64}|[0-9a-f-]{36}", "…", way.error(port) or "")}


# Until the size has arrived, which takes a moment.
SIZED = 'until [ "$(stty size)" = "31 97" ]; do sleep 0.1; done; echo it is so large; read line; echo got $line; exit 5'
# A program that is served, and a form that comes back.
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
REQUESTS = {
    80: [("GET", "/agnhost", None, {"Range": f"bytes=1000-{1000 + size - 1}"}) for size in (10, 1_048_000, 1)],
    8080: [("POST", "/echo", "msg=" + "abcdefghij" * (size // 10), FORM) for size in (10, 1_048_560)],
}


def told(data):
    """Short text as it is."""
    return data.decode() if len(data) < 200 else digest(data)


def main(kubeconfig, namespace, name):
    pods = Pods(kubeconfig, namespace)
    older = Pods(kubeconfig, namespace, protocol="v4.channel.k8s.io")
    noise = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(32_768))
    pieces = [noise[at : at + 65_536] for at in range(0, len(noise), 65_536)]
    every = {
        "exec": lambda: pods.runs("sh", "-c", "echo out; echo err >&2; exit 3"),
        "exec in the older version": lambda: older.runs("sh", "-c", "echo out; echo err >&2; exit 3"),
        "exec that reads": lambda: pods.runs("sh", "-c", "read line; echo got $line; cat", said=[b"one\ntwo\n", b"three"]),
        "exec that is told much": lambda: pods.runs("cksum", said=pieces),
        "exec that prints much": lambda: pods.runs("seq", "200000"),
        "exec with a terminal": pods.terminal,
        "exec of nothing": lambda: pods.exec("web", "no-such-program", container="web"),
        "attach": lambda: pods.attached(f"attach-{name}"),
        "log": lambda: pods.followed(f"log-{name}"),
        "port-forward": lambda: pods.requests(80),
        "port-forward of two": lambda: pods.requests(8080, 80),
        "port-forward to nobody": lambda: pods.nobody_listens(81),
    }
    for what, do in every.items():
        try:
            done = do()
        except ApiException as error:
            done = f"{error.status} {error.reason}"
        print(json.dumps({what: done}, ensure_ascii=False), flush=True)


main(*sys.argv[1:])
