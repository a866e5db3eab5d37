const { EventBridgeClient, PutEventsCommand } = require('@aws-sdk/client-eventbridge');

const bridge = new EventBridgeClient();

exports.handler = async (event) => {
  const entry = { Source: 'com.example.users', DetailType: 'UserCreated', Detail: JSON.stringify(event) };
  await bridge.send(new PutEventsCommand({ Entries: [entry] })); // <- here
  return event;
};
