"""What lies on disk: part file, journal, lock, digests, and the threads that do the slow work. Never the network."""
