"""From scans on disk to masks, numbers and pictures on disk: what `groundglass segment` does."""
