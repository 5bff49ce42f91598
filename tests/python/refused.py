"""What the Kubernetes client library for Python is told of ports that it may not connect to, a line of JSON for each.

refused.py KUBECONFIG NAMESPACE

Port 80 of the pod `web` is permitted and port 81 is not. The last connection stays open until its session ends.
"""

import http.client
import json
import sys

from kubernetes import client, config
from kubernetes.client.rest import ApiException
from kubernetes.stream import portforward


def tell(what):
    print(json.dumps(what, ensure_ascii=False), flush=True)


def asked(port):
    """How many bytes a request brought."""
    server = http.client.HTTPConnection("web")
    server.sock = port
    server.request("GET", "/agnhost", headers={"Range": "bytes=0-9"})
    return len(server.getresponse().read())


def main(kubeconfig, namespace):
    api = client.CoreV1Api(config.new_client_from_config(kubeconfig))

    def forward(ports):
        return portforward(api.connect_get_namespaced_pod_portforward, "web", namespace, ports=ports)

    try:
        forward("81")
    except ApiException as error:
        tell({"81": error.reason.splitlines()[0].split(" -+-+- ")[0]})
    both = forward("81,80")
    refused = both.socket(81).recv(1)
    came = asked(both.socket(80))
    tell({"81,80": {"81": [len(refused), both.error(81)], "80": [came, both.error(80)]}})
    both.close()
    rude = forward("80")
    came = asked(rude.socket(80))
    rude.websocket.send_binary(b"\x02there is no such channel")
    tell({"rude": [came, len(rude.socket(80).recv(1)), rude.error(80)]})
    left = forward("80")
    left.socket(80).sendall(b"GET /")
    tell("open")
    tell({"80": [len(left.socket(80).recv(1)), left.error(80)]})


main(*sys.argv[1:])
