const { ConditionalCheckFailedException, DynamoDBClient } = require('@aws-sdk/client-dynamodb');
const { DynamoDBDocumentClient, PutCommand, UpdateCommand } = require('@aws-sdk/lib-dynamodb');

const documents = DynamoDBDocumentClient.from(new DynamoDBClient());
const TableName = process.env.TABLE;

module.exports.handler = async ({ time, detail: { data } }) => {
  const pk = `USER#${data.sub}`;
  try {
    await documents.send(
      new PutCommand({ TableName, Item: { pk, createdAt: time }, ConditionExpression: 'attribute_not_exists(pk)' }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
  await documents.send(
    new UpdateCommand({
      TableName,
      Key: { pk },
      UpdateExpression: 'SET email = :email, #name = :name, identityAsOf = :time',
      ConditionExpression: 'attribute_not_exists(identityAsOf) OR identityAsOf < :time',
      ExpressionAttributeNames: { '#name': 'name' },
      ExpressionAttributeValues: { ':email': data.email, ':name': data.name, ':time': time },
    }),
  );
};
