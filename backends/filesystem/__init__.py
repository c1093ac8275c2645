"""A journal in a directory, shared by all machines that mount it."""
