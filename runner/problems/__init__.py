"""The kinds of problems that commands and the service solve, chosen by what a file holds."""
