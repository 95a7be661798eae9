"""What the generated customers of the airline want."""
