"""S3, kept in folders: `<root>/s3/<bucket>/<key>`.

`service.py` answers requests, `store.py` keeps objects, `names.py` says which file is which key.
"""
