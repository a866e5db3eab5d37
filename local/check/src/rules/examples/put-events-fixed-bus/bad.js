const { EventBridgeClient, PutEventsCommand } = require('@aws-sdk/client-eventbridge');

const bridge = new EventBridgeClient();

exports.handler = async (event) => {
  const entry = { Source: 'com.example.users', DetailType: 'UserCreated', Detail: JSON.stringify(event) };
  const right = { ...entry, EventBusName: 'users-dev' }; // <- here
  const wrong = { ...entry, EventBusName: 'user-events' }; // <- here
  const answer = await bridge.send(new PutEventsCommand({ Entries: [right, wrong] }));
  if (answer.FailedEntryCount) console.error(answer.Entries);
  return event;
};
