"""The data-quality check of Model Monitor's analyzer, by the formats that AWS documents.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-outputs.html

columns.py      what type a column has, and its statistics
sketch.py       a distribution: buckets and a quantile sketch, and how far two are apart
constraints.py  what is suggested from a baseline
violations.py   what a dataset breaks of it
"""
