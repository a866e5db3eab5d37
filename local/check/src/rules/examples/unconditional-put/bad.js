const { DynamoDBDocumentClient, PutCommand } = require('@aws-sdk/lib-dynamodb');
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');

const client = DynamoDBDocumentClient.from(new DynamoDBClient());
const cache = new Map();

module.exports.handler = async (event) => {
  const { sub, email } = event.request.userAttributes;
  if (event.triggerSource === 'PostConfirmation_ConfirmSignUp') {
    await client.send(new PutCommand({ TableName: process.env.TABLE, Item: { pk: `USER#${sub}`, email } })); // <- here
  }
  return event;
};

module.exports.consumer = async ({ detail }) => {
  await cache.put({ key: detail.data.userId });
};
