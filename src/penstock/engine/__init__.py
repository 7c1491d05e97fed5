"""One download's life, from request to target: probe, plan, fetch, verify, publish; and the events it sends out."""
