"""Roadmaps as pictures: HTML, SVG and PNG."""
