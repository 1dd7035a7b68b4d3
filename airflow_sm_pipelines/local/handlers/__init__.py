"""What stands for the programs of SageMaker's own images: Model Monitor's and Clarify's.

They run in a job's environment, which has Python and nothing else, so they import the standard
library alone. `python -I .../handlers NAME` runs one; `images.toml` says for which image.
"""
