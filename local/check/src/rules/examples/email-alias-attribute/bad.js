exports.handler = async (event) => {
  const email = event.request.userAttributes['cognito:email_alias']; // <- here
  console.log(event.triggerSource, email);
  return event;
};
