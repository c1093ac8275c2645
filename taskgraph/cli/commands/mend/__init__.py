"""Commands that forget, restore and repair what a store has."""
