"""Modules that scripts import in AWS's images and that no package index has for a current Python.

This folder is the last on the path of a job: what a job installs of the same name comes first. What
is here are the parts that user scripts import, not those that the images' own servers are made of;
all is of our own making, after the documented interfaces. `sm_toolkits` is the implementation, the
others are its public names.
"""
