"""Commands that tell how far a run is and what came out; they change nothing."""
