"""Pure decisions: no socket, file, thread, clock, randomness or logging. Each is a value in, a value out."""
