"""Plates as tasks: those of each field, and tables of all of them."""
