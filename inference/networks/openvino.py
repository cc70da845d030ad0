"""OpenVINO without the package that reports its use over the network: it is never loaded, and OpenVINO does without."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

REPORTER = "openvino_telemetry"


@contextmanager
def _without_reporter() -> Iterator[None]:
    before = sys.modules.get(REPORTER)
    sys.modules[REPORTER] = None  # type: ignore[assignment]  # an import of it fails, as if it were not installed
    try:
        yield
    finally:
        del sys.modules[REPORTER]
        if before is not None:
            sys.modules[REPORTER] = before


with _without_reporter():
    import openvino as ov
    from openvino import opset13

__all__ = ["opset13", "ov"]
