"""The documents, and what builds them: ``sh scripts/docs``."""
