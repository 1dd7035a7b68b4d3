"""Hundreds of real definitions, which are too many to ship: see `cases.DEFINITIONS`."""
