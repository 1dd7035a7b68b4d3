"""What tests tell the local AWS, outside AWS's protocols: scripts of jobs, faults of requests."""
