const { AdminCreateUserCommand, CognitoIdentityProviderClient } = require('@aws-sdk/client-cognito-identity-provider');
const { EventBridgeClient, PutEventsCommand } = require('@aws-sdk/client-eventbridge');

const cognito = new CognitoIdentityProviderClient();
const bridge = new EventBridgeClient();

exports.handler = async ({ email }) => {
  const { User } = await cognito.send(
    new AdminCreateUserCommand({ UserPoolId: process.env.USER_POOL_ID, Username: email }),
  );
  const entry = {
    EventBusName: process.env.EVENT_BUS,
    Source: 'com.example.users',
    DetailType: 'UserCreated',
    Detail: JSON.stringify({ data: { userId: User.Attributes.find(({ Name }) => Name === 'sub').Value, email } }),
  };
  const { FailedEntryCount } = await bridge.send(new PutEventsCommand({ Entries: [entry] }));
  if (FailedEntryCount) throw new Error('the user is there, and nobody knows');
};
