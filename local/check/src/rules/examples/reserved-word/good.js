const { UpdateCommand } = require('@aws-sdk/lib-dynamodb');

exports.handler = async (event, client) => {
  await client.send(
    new UpdateCommand({
      TableName: 'profiles',
      Key: { pk: event.pk },
      UpdateExpression: 'SET email = :e, #name = :n REMOVE temporaryCode ADD visits :one',
      ConditionExpression: 'attribute_exists(pk) AND size(email) > :zero',
      ExpressionAttributeNames: { '#name': 'name' },
      ExpressionAttributeValues: { ':e': event.email, ':n': event.name, ':one': 1, ':zero': 0 },
    }),
  );
};
