"""Tasks of the families without customers."""
