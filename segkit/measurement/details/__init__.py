"""What objects have any number of: rows, runs, weights and intensities."""
