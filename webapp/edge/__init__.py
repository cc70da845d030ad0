"""What surrounds every request whatever app it is for: headers on the way out, files that need no Django."""
