const { EventBridgeClient, PutEventsCommand } = require('@aws-sdk/client-eventbridge');

const bridge = new EventBridgeClient({ requestHandler: { requestTimeout: 1500 } });

async function publish(detailType, data) {
  const answer = await bridge.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: process.env.EVENT_BUS,
          Source: 'com.example.users',
          DetailType: detailType,
          Detail: JSON.stringify({ data }),
        },
      ],
    }),
  );
  if (answer.FailedEntryCount > 0) {
    throw new Error(answer.Entries[0].ErrorMessage);
  }
}

module.exports = { publish };
