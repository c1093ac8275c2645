"""taskgraph."""
