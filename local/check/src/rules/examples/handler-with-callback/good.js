module.exports.handler = async (event) => {
  console.log(event.triggerSource);
  return event;
};
