"""What a run will do: which tasks, why these, how long it takes."""
