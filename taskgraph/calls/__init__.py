"""The arguments of calls as plain data, kept with a graph."""
