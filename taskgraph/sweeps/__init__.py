"""Sweeps: one function with many parameters, and tables of what came out."""
