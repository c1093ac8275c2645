"""Sums over windows, and the comparison with them: what `segkit.ndnt` is made of."""
