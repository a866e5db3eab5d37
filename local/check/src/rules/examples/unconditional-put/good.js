const { DynamoDBDocumentClient, PutCommand } = require('@aws-sdk/lib-dynamodb');
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');

const client = DynamoDBDocumentClient.from(new DynamoDBClient());

module.exports.handler = async (event) => {
  const { sub, email } = event.request.userAttributes;
  if (event.triggerSource === 'PostConfirmation_ConfirmSignUp') {
    try {
      await client.send(
        new PutCommand({
          TableName: process.env.TABLE,
          Item: { pk: `USER#${sub}`, email },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      );
    } catch (error) {
      if (error.name !== 'ConditionalCheckFailedException') console.error(error);
    }
  }
  return event;
};
