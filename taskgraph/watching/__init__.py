"""How a run goes: one model of it, for whoever shows it."""
