"""Files that tasks write and need, while they run."""
