"""Two real products, played from inception to their end in about a minute."""
