"""`sagemaker_xgboost_container`, which scripts of the XGBoost image import."""
