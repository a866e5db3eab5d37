const { EventBridgeClient, PutEventsCommand } = require('@aws-sdk/client-eventbridge');

const bridge = new EventBridgeClient();

exports.handler = async (event) => {
  const entry = { Source: 'com.example.users', DetailType: 'UserCreated', Detail: JSON.stringify(event) };
  const answer = await bridge.send(
    new PutEventsCommand({
      Entries: [
        { ...entry, EventBusName: process.env.EVENT_BUS },
        { ...entry, EventBusName: 'audit' },
        { ...entry, EventBusName: 'default' },
      ],
    }),
  );
  if (answer.FailedEntryCount) console.error(answer.Entries);
  return event;
};
