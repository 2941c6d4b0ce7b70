"""The work on Dask."""

import warnings

import distributed

import measure


def empty(n):
    return n


def length(data):
    return len(data)


# `pure=False`: each call runs, also where there is a result of the same one.
def main():
    # That an argument is large.
    warnings.simplefilter("ignore")
    with distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        measure.row(
            f"Dask {distributed.__version__}",
            lambda n: client.submit(empty, n, pure=False).result(),
            lambda numbers: client.gather(client.map(empty, numbers, pure=False)),
            lambda data: client.submit(length, data, pure=False).result(),
        )


if __name__ == "__main__":
    main()
