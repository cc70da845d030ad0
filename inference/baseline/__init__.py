"""The classical baseline: lungs by threshold and morphology, lesion by HU band. No training, no network."""

from inference.baseline.segment import NAME, VERSION, Segmentation, segment

__all__ = ["NAME", "VERSION", "Segmentation", "segment"]
