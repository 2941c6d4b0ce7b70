"""The work on Ray: by default on one node, whose processes share memory; with `--nodes`, called from one node and done on
another one of the same machine, as it is between machines."""

import sys

import ray
from ray.cluster_utils import Cluster

import measure


@ray.remote
def empty(n):
    return n


@ray.remote
def length(data):
    return len(data)


def work(name):
    measure.row(
        name,
        lambda n: ray.get(empty.remote(n)),
        lambda numbers: ray.get([empty.remote(n) for n in numbers]),
        lambda data: ray.get(length.remote(data)),
    )


quiet = {"log_to_driver": False, "logging_level": "error"}
if "--nodes" in sys.argv:
    # The head is the caller's node, and has nothing to work with.
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes.add_node(num_cpus=2)
    nodes.wait_for_nodes()
    ray.init(address=nodes.address, **quiet)
    work(f"Ray {ray.__version__}, from node to node")
    ray.shutdown()
    nodes.shutdown()
else:
    ray.init(num_cpus=2, include_dashboard=False, **quiet)
    work(f"Ray {ray.__version__}")
    ray.shutdown()
