"""What users type and set: words, options, settings, and what they mean."""
