def handler(event, context):
    try:
        event["response"]["finalUserStatus"] = "CONFIRMED"
    except KeyError as error:
        print(error)
        raise
    else:
        return event
