"""A Lambda function: whether a model is good."""


def handler(event, context):
    """The verdict on `accuracy`."""
    accuracy = float(event["accuracy"])
    print(f"{event['model']} has an accuracy of {accuracy}")
    return {"verdict": "good" if accuracy > 0.6 else "bad", "score": accuracy}
