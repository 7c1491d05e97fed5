"""What Sphinx does not do by itself, one thing a file."""
