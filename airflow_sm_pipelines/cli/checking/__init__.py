"""What `airflow-sm check` does: look at each definition, and tell what was found in a format.

reference --inspect--> Inspection --FORMATS--> lines
"""
