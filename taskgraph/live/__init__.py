"""The live page: a run as it goes, in a browser (`tg web`)."""
