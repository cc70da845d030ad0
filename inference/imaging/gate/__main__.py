"""`python -m inference.imaging.gate` writes docs/reference/geometry-gate.md from the table."""

from pathlib import Path

from inference.imaging.gate.page import page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "geometry-gate.md"

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
