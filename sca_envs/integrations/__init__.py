"""Views of the environments for other libraries, each an extra of its own and imported lazily."""
