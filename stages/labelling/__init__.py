"""Problems whose solutions give each node one of a few labels: all engines work on them."""
