"""Runs `exit N` in a pod for every exit code there is, and prints what each ended with, a line each.

codes.py KUBECONFIG NAMESPACE POD CONTAINER
"""

import sys

from kubernetes import client, config
from kubernetes.stream import stream


def main(kubeconfig, namespace, pod, container):
    api = client.CoreV1Api(config.new_client_from_config(kubeconfig))
    for code in range(256):
        options = {"stdin": False, "stdout": True, "stderr": True, "tty": False, "_preload_content": False}
        run = stream(
            api.connect_get_namespaced_pod_exec,
            pod,
            namespace,
            container=container,
            command=["sh", "-c", f"exit {code}"],
            **options,
        )
        run.run_forever()
        print(f"exit {code}: {run.returncode}")


main(*sys.argv[1:])
