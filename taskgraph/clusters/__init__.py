"""Jobs of batch systems: written, submitted, listed, ended, and left in time."""
