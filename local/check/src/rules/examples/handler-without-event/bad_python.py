def handler(event, context):  # <- here
    try:
        event["response"]["finalUserStatus"] = "CONFIRMED"
        return event
    except KeyError as error:
        print(error)
