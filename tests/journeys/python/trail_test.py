"""boto3: what CloudTrail tells of changes in a user pool reaches rules on the default bus."""

import json

from cloud import PASSWORD

ADA = "ada@example.com"


def heard(cloud, *names):
    """A queue that hears of these calls."""
    queues, events = cloud.client("sqs"), cloud.client("events")
    url = queues.create_queue(QueueName="heard")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Resource": arn}
    policy = {"Version": "2012-10-17", "Statement": [{**allow, "Action": "sqs:SendMessage"}]}
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    pattern = {
        "source": ["aws.cognito-idp"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventSource": ["cognito-idp.amazonaws.com"], "eventName": list(names)},
    }
    events.put_rule(Name="changes", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="changes", Targets=[{"Id": "queue", "Arn": arn}])

    def received():
        cloud.settle()
        messages = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    return received


def test_a_deletion_is_heard_of_by_sub_alone(cloud):
    received = heard(cloud, "AdminDeleteUser", "DeleteUser", "AdminUpdateUserAttributes")
    cloud.confirmed_user(ADA)
    user = cloud.pools.admin_get_user(UserPoolId=cloud.pool, Username=ADA)
    sub = next(one["Value"] for one in user["UserAttributes"] if one["Name"] == "sub")
    cloud.pools.admin_delete_user(UserPoolId=cloud.pool, Username=ADA)
    [event] = received()
    assert (event["source"], event["detail"]["eventName"]) == ("aws.cognito-idp", "AdminDeleteUser")
    assert event["detail"]["additionalEventData"] == {"sub": sub}
    hidden = {"userPoolId": cloud.pool, "username": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    assert event["detail"]["requestParameters"] == hidden
    assert ADA not in json.dumps(event)
    assert PASSWORD not in json.dumps(event)
    kinds = [moment["what"] for moment in cloud.get("timeline", user=sub)["moments"]]
    assert "AWS API Call via CloudTrail (AdminDeleteUser) on bus default" in kinds
