"""How a slice looks to a network: part of the network, and recorded on its card."""

from inference.transforms.looks import Look, LookRefused

__all__ = ["Look", "LookRefused"]
