"""What the customers of the store may want."""
