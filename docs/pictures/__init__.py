"""The pictures of the documents and the script that draws them: ``python -m docs.pictures.diagrams``."""
