"""The record of a product as a bundle, and deriving from it again what was decided."""
