"""Results of other code: forgotten, accepted, compared."""
