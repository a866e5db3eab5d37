// Nothing is returned; the callback of map does not count.
exports.announce = async (event) => { // <- here
  const names = Object.keys(event.request).map((name) => { return name; });
  console.log(event.triggerSource, names);
};

// Only one way returns it.
exports.allow = async function (event) { // <- here
  if (event.triggerSource === 'PreSignUp_ExternalProvider') {
    event.response.autoConfirmUser = true;
    return event;
  }
};

exports.watch = async (event) => {
  if (!event.userName) return; // <- here
  return event;
};

exports.answer = async (event) => {
  console.log(event.userName);
  return { statusCode: 200, body: 'ok' }; // <- here
};

// Up to Node.js 22 only promises and callbacks answer.
exports.words = (event) => { // <- here
  event.response.emailSubject = 'Welcome';
  return event;
};
