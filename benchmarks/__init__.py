"""What claims about speed and cost rest on: `make bench` (docs/performance.md)."""
