// What the article's handler does: says on the bus that somebody is confirmed, and returns the event.
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";

const bus = new EventBridgeClient({});

export const handler = async (event) => {
  if (event.triggerSource === "PostConfirmation_ConfirmSignUp") {
    const detail = { userId: event.request.userAttributes.sub, email: event.request.userAttributes.email };
    const entry = { EventBusName: process.env.BUS, Source: "bench", DetailType: "UserCreated", Detail: JSON.stringify(detail) };
    const answer = await bus.send(new PutEventsCommand({ Entries: [entry] }));
    if (answer.FailedEntryCount > 0) throw new Error(answer.Entries[0].ErrorMessage);
  }
  return event;
};
