"""Files: written whole or not at all, owned by who wrote them, read only if they are what they should be."""
