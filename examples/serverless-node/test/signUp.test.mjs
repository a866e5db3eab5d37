// The whole stack, from sign-up to profile, on `tandem dev`. By itself: `npm install && npm test`.
// Nothing here is imported but Node: what is called is the AWS API, as any client would.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { dirname, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROJECT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const PASSWORD = 'Correct-Horse-7';

async function startStack(t) {
  const binary = process.env.TANDEM_BIN ?? resolve(PROJECT, '../../target/debug/tandem');
  const server = spawn(binary, ['dev', '--in-memory', '--port', '0'], {
    cwd: PROJECT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(server, 'exit');
  t.after(async () => {
    server.kill('SIGTERM');
    await ended;
  });
  const lines = createInterface({ input: server.stdout });
  const [first] = await Promise.race([once(lines, 'line'), ended.then(() => [''])]);
  const url = first.match(/^ready (http:\S+)$/)?.[1];
  assert.ok(url, `the server did not start: ${first}`);
  const stack = await (await fetch(`${url}/_tandem/stack`)).json();
  return { url, stack };
}

async function call({ url }, target, body) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, `${target}: ${text}`);
  return text ? JSON.parse(text) : {};
}

const cognito = (cloud, operation, body) => call(cloud, `AWSCognitoIdentityProviderService.${operation}`, body);

async function profiles(cloud) {
  const { Items } = await call(cloud, 'DynamoDB_20120810.Scan', { TableName: cloud.stack.tableName });
  return Items;
}

async function mailbox(cloud, to) {
  return (await (await fetch(`${cloud.url}/_tandem/mailbox?to=${to}`)).json()).messages;
}

async function settle({ url }) {
  const answer = await fetch(`${url}/_tandem/settle?timeoutMs=60000`, { method: 'POST' });
  assert.equal(answer.status, 200, await answer.text());
}

async function signUp(cloud, email) {
  const ClientId = cloud.stack.userPoolClientId;
  const UserAttributes = [{ Name: 'email', Value: email }, { Name: 'name', Value: 'Ada' }];
  const { UserSub } = await cognito(cloud, 'SignUp', { ClientId, Username: email, Password: PASSWORD, UserAttributes });
  const code = (await mailbox(cloud, email)).at(-1).code;
  await cognito(cloud, 'ConfirmSignUp', { ClientId, Username: email, ConfirmationCode: code });
  await settle(cloud);
  return UserSub;
}

test('from sign-up to profile', async (t) => {
  const cloud = await startStack(t);
  const sub = await signUp(cloud, 'ada@example.com');

  await t.test('the profile is there', async () => {
    const [item, ...others] = await profiles(cloud);
    assert.deepEqual(others, []);
    assert.equal(item.id.S, sub);
    assert.equal(item.email.S, 'ada@example.com');
    assert.equal(item.name.S, 'Ada');
  });

  await t.test('one welcome mail was sent', async () => {
    const subjects = (await mailbox(cloud, 'ada@example.com')).map(({ subject }) => subject);
    assert.equal(subjects.filter((subject) => subject === 'Welcome').length, 1);
  });

  await t.test('there is one pool, and names have no case', async () => {
    const { UserPools } = await cognito(cloud, 'ListUserPools', { MaxResults: 10 });
    assert.deepEqual(UserPools.map(({ Name }) => Name), ['RossUserPool']);
    const UserPoolId = UserPools[0].Id;
    const { UserPool } = await cognito(cloud, 'DescribeUserPool', { UserPoolId });
    assert.deepEqual(UserPool.UsernameConfiguration, { CaseSensitive: false });
    const { Username } = await cognito(cloud, 'AdminGetUser', { UserPoolId, Username: 'ADA@example.com' });
    assert.equal(Username, sub);
  });

  await t.test('a password reset changes nothing', async () => {
    const [before] = await profiles(cloud);
    const ClientId = cloud.stack.userPoolClientId;
    await cognito(cloud, 'ForgotPassword', { ClientId, Username: 'ada@example.com' });
    const ConfirmationCode = (await mailbox(cloud, 'ada@example.com')).at(-1).code;
    const Password = 'Battery-Staple-8';
    await cognito(cloud, 'ConfirmForgotPassword', { ClientId, Username: 'ada@example.com', ConfirmationCode, Password });
    await settle(cloud);
    assert.deepEqual(await profiles(cloud), [before]);
  });
});
