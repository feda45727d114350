"""The web application of a service."""
