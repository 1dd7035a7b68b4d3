"""Models that serve: transform jobs, endpoints, and what is between them and a server."""
