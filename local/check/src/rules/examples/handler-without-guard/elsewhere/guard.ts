import type { PostConfirmationTriggerHandler } from 'aws-lambda';

export const onlyForNewUsers = (inner: PostConfirmationTriggerHandler): PostConfirmationTriggerHandler =>
  async (event, context, callback) =>
    event.triggerSource === 'PostConfirmation_ConfirmSignUp' ? inner(event, context, callback) : event;
