import type { PostConfirmationTriggerHandler } from 'aws-lambda';
import { onlyForNewUsers } from './guard.js';

export const handler: PostConfirmationTriggerHandler = onlyForNewUsers(async (event) => {
  console.log(event.request.userAttributes.sub);
  return event;
});
