// amazon-cognito-identity-js: what an application's pages do. It signs in by SRP.

import assert from 'node:assert/strict';
import test from 'node:test';

import { AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool } from 'amazon-cognito-identity-js';

import { PASSWORD, named, startCloud } from './cloud.js';

const ADA = 'ada@example.com';
const NEW_PASSWORD = 'Another-Horse-8';

// A page's store, one per test: nobody stays signed in from the test before.
class Storage {
  #items = new Map();
  setItem(name, value) {
    this.#items.set(name, String(value));
  }
  getItem(name) {
    return this.#items.get(name) ?? null;
  }
  removeItem(name) {
    this.#items.delete(name);
  }
  clear() {
    this.#items.clear();
  }
}

async function openPage(test) {
  const cloud = await startCloud(test);
  const storage = new Storage();
  const pool = new CognitoUserPool({ UserPoolId: cloud.pool, ClientId: cloud.app, endpoint: cloud.url, Storage: storage });
  const user = new CognitoUser({ Username: ADA, Pool: pool, Storage: storage });
  return { cloud, pool, user };
}

// What a method with a callback answers.
function answer(method) {
  return new Promise((resolve, reject) => {
    method((error, result) => (error ? reject(error) : resolve(result)));
  });
}

// What a method with an object of callbacks answers.
function outcome(method, more = {}) {
  return new Promise((resolve, reject) => {
    method({ onSuccess: resolve, onFailure: reject, ...more });
  });
}

function register(pool) {
  const attributes = [
    new CognitoUserAttribute({ Name: 'email', Value: ADA }),
    new CognitoUserAttribute({ Name: 'name', Value: 'Ada Lovelace' }),
  ];
  return answer((done) => pool.signUp(ADA, PASSWORD, attributes, null, done));
}

async function registered(test) {
  const page = await openPage(test);
  await register(page.pool);
  const code = await page.cloud.code(ADA);
  await answer((done) => page.user.confirmRegistration(code, false, done));
  return page;
}

function signIn(user, password = PASSWORD) {
  const details = new AuthenticationDetails({ Username: ADA, Password: password });
  return outcome((callbacks) => user.authenticateUser(details, callbacks));
}

test('page: registers and confirms', async (t) => {
  const { cloud, pool, user } = await openPage(t);
  const { userConfirmed, userSub, codeDeliveryDetails } = await register(pool);
  assert.deepEqual([userConfirmed, codeDeliveryDetails.DeliveryMedium], [false, 'EMAIL']);
  assert.match(userSub, /^[0-9a-f-]{36}$/);
  const code = await cloud.code(ADA);
  assert.equal(await answer((done) => user.confirmRegistration(code, false, done)), 'SUCCESS');
});

test('page: asks for the code again', async (t) => {
  const { cloud, pool, user } = await openPage(t);
  await register(pool);
  await answer((done) => user.resendConfirmationCode(done));
  assert.equal((await cloud.mailbox(ADA)).length, 2);
});

test('page: signs in by SRP', async (t) => {
  const { user } = await registered(t);
  const session = await signIn(user);
  assert.ok(session.isValid());
  assert.equal(session.getIdToken().payload.email, ADA);
});

test('page: signs in by SRP whatever numbers are drawn', async (t) => {
  const { user } = await registered(t);
  for (let round = 0; round < 6; round += 1) {
    assert.ok((await signIn(user)).isValid());
  }
});

test('page: signs in by password', async (t) => {
  const { user } = await registered(t);
  user.setAuthenticationFlowType('USER_PASSWORD_AUTH');
  assert.ok((await signIn(user)).isValid());
});

test('page: refuses a wrong password', async (t) => {
  const { user } = await registered(t);
  await assert.rejects(signIn(user, 'Wrong-Horse-7'), named('NotAuthorizedException', 'Incorrect username or password.'));
});

test('page: says that a registration is not confirmed', async (t) => {
  const { pool, user } = await openPage(t);
  await register(pool);
  await assert.rejects(signIn(user), named('UserNotConfirmedException', 'User is not confirmed.'));
});

test('page: remembers who is signed in', async (t) => {
  const { pool, user } = await registered(t);
  await signIn(user);
  const remembered = pool.getCurrentUser();
  const session = await answer((done) => remembered.getSession(done));
  assert.ok(session.isValid());
});

test('page: refreshes the session', async (t) => {
  const { user } = await registered(t);
  const session = await signIn(user);
  const fresh = await answer((done) => user.refreshSession(session.getRefreshToken(), done));
  assert.notEqual(fresh.getAccessToken().payload.jti, session.getAccessToken().payload.jti);
});

test('page: reads and changes attributes', async (t) => {
  const { user } = await registered(t);
  await signIn(user);
  await answer((done) => user.updateAttributes([new CognitoUserAttribute({ Name: 'name', Value: 'Countess' })], done));
  const attributes = await answer((done) => user.getUserAttributes(done));
  assert.equal(attributes.find((one) => one.getName() === 'name').getValue(), 'Countess');
});

test('page: changes the password', async (t) => {
  const { user } = await registered(t);
  await signIn(user);
  assert.equal(await answer((done) => user.changePassword(PASSWORD, NEW_PASSWORD, done)), 'SUCCESS');
  assert.ok((await signIn(user, NEW_PASSWORD)).isValid());
});

test('page: replaces a forgotten password', async (t) => {
  const { cloud, user } = await registered(t);
  await outcome((callbacks) => user.forgotPassword(callbacks));
  const code = await cloud.code(ADA);
  await outcome((callbacks) => user.confirmPassword(code, NEW_PASSWORD, callbacks));
  await assert.rejects(signIn(user), named('NotAuthorizedException'));
  assert.ok((await signIn(user, NEW_PASSWORD)).isValid());
});

test('page: signs out everywhere', async (t) => {
  const { user } = await registered(t);
  const session = await signIn(user);
  await outcome((callbacks) => user.globalSignOut(callbacks));
  await assert.rejects(
    answer((done) => user.refreshSession(session.getRefreshToken(), done)),
    named('NotAuthorizedException', 'Refresh Token has been revoked'),
  );
});

test('page: deletes the account', async (t) => {
  const { user } = await registered(t);
  await signIn(user);
  assert.equal(await answer((done) => user.deleteUser(done)), 'SUCCESS');
  await assert.rejects(signIn(user));
});
