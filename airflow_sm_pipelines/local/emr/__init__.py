"""EMR and EMR Serverless: work that really runs, as processes of this machine."""
