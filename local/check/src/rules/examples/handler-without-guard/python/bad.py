"""Tells others of new users, whatever the triggerSource."""


def handler(event, context):  # <- here
    print(event["request"]["userAttributes"]["sub"])
    return event
