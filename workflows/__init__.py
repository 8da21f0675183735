"""What must be durable: the product's lifecycle, its gate reviews and its sunset."""
