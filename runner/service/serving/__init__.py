"""The processes of a service, and who keeps them going."""
