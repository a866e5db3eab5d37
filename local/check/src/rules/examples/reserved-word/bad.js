const { UpdateCommand } = require('@aws-sdk/lib-dynamodb');

exports.handler = async (event, client) => {
  await client.send(
    new UpdateCommand({
      TableName: 'profiles',
      Key: { pk: event.pk },
      UpdateExpression: 'SET email = :e, name = :n', // <- here
      ConditionExpression: `attribute_exists(pk) AND identityAsOf < :t`,
      ExpressionAttributeValues: { ':e': event.email, ':n': event.name, ':t': event.time },
    }),
  );
};
