"""The work on Ray."""

import ray

import measure


@ray.remote
def empty(n):
    return n


@ray.remote
def length(data):
    return len(data)


ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
measure.row(
    f"Ray {ray.__version__}",
    lambda n: ray.get(empty.remote(n)),
    lambda numbers: ray.get([empty.remote(n) for n in numbers]),
    lambda data: ray.get(length.remote(data)),
)
ray.shutdown()
