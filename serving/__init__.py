"""`phasegate serve`: events from other systems, over HTTP. Needs the extra `web`."""
