"""Volumes elsewhere: read by box from buckets and web servers, and written by many."""
