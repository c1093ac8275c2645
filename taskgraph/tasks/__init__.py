"""Calls written down, the graph they make, and the script that writes them."""
