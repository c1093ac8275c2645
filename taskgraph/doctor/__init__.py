"""Stores measured before work is given to them, and what they carry."""
