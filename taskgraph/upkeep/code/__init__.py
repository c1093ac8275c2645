"""Results that were made by other code than there is now."""
