def handler(event, table):
    return table.scan(
        ProjectionExpression="pk, email, #s",
        FilterExpression="region = :r",  # <- here
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":r": event["region"]},
    )
