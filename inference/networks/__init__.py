"""Networks, one architecture a file, and weights with the card that says what they are. Needs torch."""
