"""Commands that carry results from one store to another."""
