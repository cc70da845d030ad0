"""Whether weights fit their card, asked in a process of its own: the web never loads a stranger's file.

`python -m webapp.algorithms.check_weights CARD.json` ends with 0 where they fit, with 2 and a sentence where not.
"""

import os
import subprocess
import sys
from pathlib import Path

FITS, REFUSED = 0, 2
# It takes a second; this is for a slow machine that is busy.
PATIENCE_S = 180.0
LONGEST_SENTENCE = 400


def refusal_of_weights(card: Path) -> str:
    """Why the weights beside a card do not fit it, in a sentence; empty where they do. Takes a second."""
    # One thread and no GPU: nothing is computed.
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "webapp.algorithms.check_weights", str(card)],
            cwd=Path(__file__).resolve().parents[2],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"The weights {card.stem} could not be checked within {PATIENCE_S:.0f} s: try again in a quieter hour."
    if done.returncode == FITS:
        return ""
    if done.returncode == REFUSED:
        return done.stdout.decode("utf-8", "replace").strip()[:LONGEST_SENTENCE]
    return f"The weights {card.stem} could not be opened: whatever read them ended ({done.returncode})."


def main(arguments: list[str]) -> int:
    """Load the weights of a card as a worker would."""
    from inference.networks.cards import CardRefused
    from inference.networks.weights import load_weights

    try:
        load_weights(Path(arguments[0]))
    except CardRefused as refusal:
        print(refusal)
        return REFUSED
    return FITS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
