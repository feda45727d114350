"""What `fit` returns, and how it shows itself."""
