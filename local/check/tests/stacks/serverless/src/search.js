module.exports.handler = async ({ Records }) => {
  console.log(Records.length);
  return { batchItemFailures: [] };
};
