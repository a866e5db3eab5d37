"""boto3: a table as DynamoDB has it."""

import pytest

from cloud import refused


@pytest.fixture
def table(cloud):
    tables = cloud.client("dynamodb")
    tables.create_table(
        TableName="notes",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "who", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        KeySchema=[
            {"AttributeName": "who", "KeyType": "HASH"},
            {"AttributeName": "at", "KeyType": "RANGE"},
        ],
    )
    return tables


def note(who, at, text="…"):
    return {"who": {"S": who}, "at": {"N": str(at)}, "text": {"S": text}}


def test_an_item_comes_back(table):
    table.put_item(TableName="notes", Item=note("ada", 1, "hello"))
    answer = table.get_item(TableName="notes", Key={"who": {"S": "ada"}, "at": {"N": "1"}})
    assert answer["Item"] == note("ada", 1, "hello")


def test_a_query_is_in_order_and_in_pages(table):
    for at in (3, 1, 2, 10):
        table.put_item(TableName="notes", Item=note("ada", at))
    table.put_item(TableName="notes", Item=note("bob", 1))
    pages = table.get_paginator("query").paginate(
        TableName="notes",
        KeyConditionExpression="who = :who AND #at > :least",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":who": {"S": "ada"}, ":least": {"N": "1"}},
        PaginationConfig={"PageSize": 2},
    )
    assert [item["at"]["N"] for page in pages for item in page["Items"]] == ["2", "3", "10"]


def test_a_condition_stops_a_write(table):
    table.put_item(TableName="notes", Item=note("ada", 1, "first"))
    with refused("ConditionalCheckFailedException", "The conditional request failed"):
        table.put_item(
            TableName="notes", Item=note("ada", 1, "second"), ConditionExpression="attribute_not_exists(who)"
        )


def test_a_counter_counts(table):
    key = {"who": {"S": "ada"}, "at": {"N": "1"}}
    for expected in ("1", "2"):
        answer = table.update_item(
            TableName="notes",
            Key=key,
            UpdateExpression="ADD visits :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        assert answer["Attributes"]["visits"]["N"] == expected


def test_a_transaction_is_all_or_nothing(table):
    table.put_item(TableName="notes", Item=note("ada", 1))
    put = {"TableName": "notes", "Item": note("bob", 1)}
    again = {"TableName": "notes", "Item": note("ada", 1), "ConditionExpression": "attribute_not_exists(who)"}
    with refused("TransactionCanceledException"):
        table.transact_write_items(TransactItems=[{"Put": put}, {"Put": again}])
    assert "Item" not in table.get_item(TableName="notes", Key={"who": {"S": "bob"}, "at": {"N": "1"}})


def test_an_unknown_table_is_refused(table):
    with refused("ResourceNotFoundException"):
        table.get_item(TableName="nowhere", Key={"who": {"S": "ada"}})


def test_a_profile_is_found_by_its_address(cloud):
    sub = cloud.confirmed_user("Ada@Example.com")
    answer = cloud.client("dynamodb").scan(TableName=cloud.table)
    assert [item["userId"]["S"] for item in answer["Items"] if item["sk"]["S"] == "PROFILE"] == [sub]
    indexes = cloud.client("dynamodb").describe_table(TableName=cloud.table)["Table"]["GlobalSecondaryIndexes"]
    [by_email] = [index for index in indexes if index["IndexName"] == "byEmail"]
    [key] = [part["AttributeName"] for part in by_email["KeySchema"] if part["KeyType"] == "HASH"]
    found = cloud.client("dynamodb").query(
        TableName=cloud.table,
        IndexName="byEmail",
        KeyConditionExpression="#key = :email",
        ExpressionAttributeNames={"#key": key},
        ExpressionAttributeValues={":email": answer["Items"][0][key]},
    )
    assert [item["pk"]["S"] for item in found["Items"]] == [f"USER#{sub}"]
