"""The public API: connect to Temporal, start products, vote, ask. The CLI and the demo use it."""
