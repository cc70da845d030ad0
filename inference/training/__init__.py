"""Training of networks: cases and their split, sampling, augmentation, recipes."""
