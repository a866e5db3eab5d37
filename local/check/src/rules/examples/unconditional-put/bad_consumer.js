const AWS = require('aws-sdk');
const documents = new AWS.DynamoDB.DocumentClient();

exports.handler = async (event) => {
  const params = { TableName: process.env.TABLE, Item: { pk: event.detail.data.userId } };
  await documents.put(params).promise(); // <- here
};
