const { announce, isAllowed } = require('./announce');

module.exports.handler = async (event) => {
  if (event.triggerSource === 'PostConfirmation_ConfirmSignUp') {
    try {
      await announce(event);
    } catch (error) {
      // The account is confirmed; the nightly reconciliation finds who has no profile.
      console.error('not announced', event.request.userAttributes.sub, error);
    }
  }
  return event;
};

module.exports.allow = async (event) => {
  try {
    await isAllowed(event);
  } catch (error) {
    throw new Error('not allowed');
  }
  return event;
};
