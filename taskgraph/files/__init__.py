"""Files that tasks read and write: known by content, written whole or not at all."""
