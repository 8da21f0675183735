"""The bodies of the command line. Loaded when called; heavy imports are inside the functions."""
