"""The network: one thread, one libcurl multi handle, and the transfers on it. Never the disk."""
