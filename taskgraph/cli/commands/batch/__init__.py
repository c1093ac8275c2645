"""Commands about jobs of batch systems, one file each."""
