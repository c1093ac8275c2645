"""Stores, by the names of jug's modules; see `taskgraph.open_store`."""
