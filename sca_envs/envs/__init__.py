"""Gymnasium environments: thin views of the kernel's `Episode`, their spaces and wrappers."""
