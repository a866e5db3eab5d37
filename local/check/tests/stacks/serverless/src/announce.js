const { publish } = require('./bus');

const DETAIL_TYPES = {
  PostConfirmation_ConfirmSignUp: 'UserCreated',
  TokenGeneration_NewPasswordChallenge: 'UserSeen',
};

module.exports.handler = async (event) => {
  const detailType = DETAIL_TYPES[event.triggerSource];
  if (detailType) {
    try {
      await publish(detailType, event.request.userAttributes);
    } catch (error) {
      // The account stays; the nightly comparison finds it.
      console.error('not announced', event.request.userAttributes.sub, error);
    }
  }
  return event;
};
