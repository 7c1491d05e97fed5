"""The files of a web page: what it shows and links to, which of it is wanted, and what robots.txt allows."""
