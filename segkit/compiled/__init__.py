"""Kernels compiled when first called, and their machine code kept."""
