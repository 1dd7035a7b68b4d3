"""Where the toolkit has what scripts import of it."""
