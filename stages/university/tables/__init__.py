"""Solutions as tables: for pandas, and as CSV."""
