"""What the toolkits of SageMaker's images have in common."""
