"""What was measured, shown: tables, the page, plots. Knows nothing of how it is measured."""
