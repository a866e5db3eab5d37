"""boto3: mail that an application sends lands in the mailbox."""


def test_a_mail_lands_in_the_mailbox(cloud):
    mail = cloud.client("sesv2")
    mail.create_email_identity(EmailIdentity="shop@example.com")
    sent = mail.send_email(
        FromEmailAddress="shop@example.com",
        Destination={"ToAddresses": ["ada@example.com"]},
        Content={
            "Simple": {
                "Subject": {"Data": "Your order"},
                "Body": {"Text": {"Data": "It is on its way."}, "Html": {"Data": "<p>It is on its way.</p>"}},
            }
        },
    )
    assert sent["MessageId"]
    [message] = cloud.mailbox("ada@example.com")
    assert (message["to"], message["channel"]) == ("ada@example.com", "email")
    assert (message["subject"], message["text"]) == ("Your order", "It is on its way.")
    assert message["html"] == "<p>It is on its way.</p>"
    assert not message.get("code")


def test_everybody_addressed_gets_it(cloud):
    mail = cloud.client("sesv2")
    mail.create_email_identity(EmailIdentity="shop@example.com")
    mail.send_email(
        FromEmailAddress="shop@example.com",
        Destination={"ToAddresses": ["ada@example.com"], "BccAddresses": ["bob@example.com"]},
        Content={"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}},
    )
    assert len(cloud.mailbox("bob@example.com")) == 1


def test_a_verification_mail_carries_its_code(cloud):
    cloud.sign_up("ada@example.com")
    [message] = cloud.mailbox("ada@example.com")
    assert message["code"].isdigit() and len(message["code"]) == 6
    assert message["code"] in (message["text"] or message["html"])
    assert message["userPoolId"] == cloud.pool
