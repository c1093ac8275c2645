"""Files that tasks read, whose content is in no key."""
