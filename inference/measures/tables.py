"""What tables of measurements have in common: their columns, with units in the names, and cells that are safe."""

SIDES = ("left", "right")
SIDE_COLUMNS = ("lung_volume_ml", "lesion_volume_ml", "extent_percent", "weight_g")
NUMBERS = (
    "extent_percent",
    "weight_g",
    "lesion_volume_ml",
    "lesion_outside_lung_ml",
    "lung_volume_ml",
    "lung_weight_g",
    "lesion_mean_hu",
    "lesion_sd_hu",
)
# A spreadsheet takes a cell that begins so for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_text(text: str) -> str:
    """A cell that no spreadsheet runs: an apostrophe before what looks like a formula, no control characters."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    return f"'{clean}" if text.startswith(FORMULA_STARTS) or clean.lstrip().startswith(FORMULA_STARTS) else clean


def number(value: float | None) -> str:
    """A number in full precision; empty where it is undefined."""
    return "" if value is None else repr(float(value))
