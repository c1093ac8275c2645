"""Reports: what a run was and what came of it, in one file."""
