const { DynamoDBClient, UpdateItemCommand } = require('@aws-sdk/client-dynamodb');

const dynamoDb = new DynamoDBClient({});

// Events come at least once and in any order: a second one finds the user and changes nothing.
module.exports.handler = async ({ detail: { id, username, email, name }, time }) => {
  await dynamoDb.send(new UpdateItemCommand({
    TableName: process.env.TABLE_NAME,
    Key: { id: { S: id } },
    UpdateExpression: 'SET username = if_not_exists(username, :username), email = if_not_exists(email, :email), '
      + '#name = if_not_exists(#name, :name), createdAt = if_not_exists(createdAt, :time)',
    ExpressionAttributeNames: { '#name': 'name' },
    ExpressionAttributeValues: {
      ':username': { S: username },
      ':email': { S: email },
      ':name': name ? { S: name } : { NULL: true },
      ':time': { S: time },
    },
  }));
};
