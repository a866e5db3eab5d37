// Stores the user once, however often the event comes.
import { ConditionalCheckFailedException, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";

const tables = new DynamoDBClient({});

export const handler = async ({ detail }) => {
  const Item = { pk: { S: `USER#${detail.userId}` }, sk: { S: "PROFILE" }, email: { S: detail.email } };
  const put = { TableName: process.env.TABLE, Item, ConditionExpression: "attribute_not_exists(pk)" };
  try {
    await tables.send(new PutItemCommand(put));
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
};
