"""Measurements that anyone can rerun. Ratios within one run count, not seconds."""
