"""The worker of a service, and the process of a job."""
