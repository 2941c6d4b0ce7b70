"""The work on Celery: alone it asks a worker, which runs this file, too. Where Redis is says `BESIDE_REDIS`."""

import os

import celery

import measure

redis = os.environ["BESIDE_REDIS"]
app = celery.Celery("on_celery", broker=redis, backend=redis)
# Bytes don't go as JSON.
app.conf.update(task_serializer="pickle", result_serializer="pickle", accept_content=["pickle"])


@app.task
def empty(n):
    return n


@app.task
def length(data):
    return len(data)


if __name__ == "__main__":
    measure.row(
        f"Celery {celery.__version__} with Redis",
        lambda n: empty.delay(n).get(),
        lambda numbers: [result.get() for result in [empty.delay(n) for n in numbers]],
        lambda data: length.delay(data).get(),
    )
