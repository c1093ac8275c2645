"""A jugfile as a script: the module that it is, and where it stands at a barrier."""
