const { EventBridgeClient, PutEventsCommand } = require('@aws-sdk/client-eventbridge');

// Two short attempts: Cognito waits five seconds for the whole function.
const eventBridge = new EventBridgeClient({ maxAttempts: 2, requestHandler: { requestTimeout: 1500 } });

// Tells the bus of a new user. PutEvents succeeds as a call even if it took nothing: FailedEntryCount says so.
module.exports.announce = async ({ userName, request: { userAttributes: { sub, email, name } } }) => {
  const { FailedEntryCount, Entries } = await eventBridge.send(new PutEventsCommand({
    Entries: [{
      EventBusName: process.env.EVENT_BUS_NAME,
      Source: 'ross.users',
      DetailType: 'UserCreated',
      Detail: JSON.stringify({ id: sub, username: userName, email, name }),
    }],
  }));
  if (FailedEntryCount > 0) throw new Error(`not announced: ${Entries[0].ErrorCode}`);
};
