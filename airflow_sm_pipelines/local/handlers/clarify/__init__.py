"""The bias analysis of Clarify's image, by the formulas that AWS documents.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-data-bias.html
         https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-post-training-bias.html

configuration.py   what analysis_config.json asks for
predictions.py     what its model says of the dataset
endpoint.py        the endpoint that the model is asked at
groups.py          rows by facet, label and prediction
pre_training.py    metrics of a dataset
post_training.py   metrics of predictions
report.py          the members of analysis.json
violations.py      what an analysis breaks of an earlier one
"""
