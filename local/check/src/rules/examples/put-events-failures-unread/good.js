const { EventBridgeClient, PutEventsCommand } = require('@aws-sdk/client-eventbridge');

const bridge = new EventBridgeClient();

exports.handler = async (event) => {
  const entry = { Source: 'com.example.users', DetailType: 'UserCreated', Detail: JSON.stringify(event) };
  const { FailedEntryCount, Entries } = await bridge.send(new PutEventsCommand({ Entries: [entry] }));
  if (FailedEntryCount > 0) {
    console.error('not published', Entries);
  }
  return event;
};
