"""Images arranged otherwise than they lie: axes in order, channels by their names."""
