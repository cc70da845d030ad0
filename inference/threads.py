"""How threads that compute wait for each other. Free of torch, which must not be loaded before this is said."""

import os


def rest_while_waiting() -> None:
    """Let threads that compute together sleep while they wait, unless the environment says otherwise.

    They would spin: beside a web server or another worker on the same cores that took twice the time (a scan of 248
    slices on two cores with two busy ones beside it: 51 s of segmenting, and 21 s so).
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
