"""What tasks are known by: encodings of calls, names of functions, digests."""
