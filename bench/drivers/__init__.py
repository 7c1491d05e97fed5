"""How each Python library is used at its best. They run where it is installed, and import nothing of ours."""
