exports.handler = async (event) => {
  const { email, email_verified: verified } = event.request.userAttributes;
  console.log(event.triggerSource, email, verified === 'true');
  return event;
};
