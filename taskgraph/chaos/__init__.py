"""Workers killed and frozen on purpose, to see that nothing is lost on a store."""
