// @aws-sdk/client-cognito-identity-provider: what an application's server does.

import assert from 'node:assert/strict';
import test from 'node:test';

import {
  ChangePasswordCommand,
  ConfirmSignUpCommand,
  DeleteUserCommand,
  GetUserCommand,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  ListUsersCommand,
  RevokeTokenCommand,
  SignUpCommand,
  UpdateUserAttributesCommand,
  VerifyUserAttributeCommand,
  paginateListUsers,
} from '@aws-sdk/client-cognito-identity-provider';

import { PASSWORD, claims, named, startCloud } from './cloud.js';

const ADA = 'ada@example.com';
const NEW_PASSWORD = 'Another-Horse-8';

async function signUp(cloud, email = ADA) {
  const pools = cloud.pools();
  const input = {
    ClientId: cloud.app,
    Username: email,
    Password: PASSWORD,
    UserAttributes: [
      { Name: 'email', Value: email },
      { Name: 'name', Value: 'Ada Lovelace' },
    ],
  };
  const { UserSub } = await pools.send(new SignUpCommand(input));
  return UserSub;
}

async function confirm(cloud, email = ADA) {
  const input = { ClientId: cloud.app, Username: email, ConfirmationCode: await cloud.code(email) };
  await cloud.pools().send(new ConfirmSignUpCommand(input));
}

async function signIn(cloud, password = PASSWORD) {
  const input = {
    ClientId: cloud.app,
    AuthFlow: 'USER_PASSWORD_AUTH',
    AuthParameters: { USERNAME: ADA, PASSWORD: password },
  };
  return (await cloud.pools().send(new InitiateAuthCommand(input))).AuthenticationResult;
}

async function refresh(cloud, token) {
  const input = {
    ClientId: cloud.app,
    AuthFlow: 'REFRESH_TOKEN_AUTH',
    AuthParameters: { REFRESH_TOKEN: token },
  };
  return (await cloud.pools().send(new InitiateAuthCommand(input))).AuthenticationResult;
}

// A confirmed user, signed in.
async function signedIn(test) {
  const cloud = await startCloud(test);
  const sub = await signUp(cloud);
  await confirm(cloud);
  const tokens = await signIn(cloud);
  const attributes = async () => {
    const user = await cloud.pools().send(new GetUserCommand({ AccessToken: tokens.AccessToken }));
    return Object.fromEntries(user.UserAttributes.map(({ Name, Value }) => [Name, Value]));
  };
  return { cloud, sub, tokens, attributes };
}

test('sdk: a sign-up is confirmed by the mailed code', async (t) => {
  const cloud = await startCloud(t);
  await signUp(cloud);
  await confirm(cloud);
  assert.equal((await signIn(cloud)).TokenType, 'Bearer');
});

test('sdk: GetUser tells who the token belongs to', async (t) => {
  const { sub, attributes } = await signedIn(t);
  assert.deepEqual(await attributes(), { sub, email: ADA, email_verified: 'true', name: 'Ada Lovelace' });
});

test('sdk: GetUser refuses what is no token', async (t) => {
  const cloud = await startCloud(t);
  const input = { AccessToken: 'nonsense' };
  await assert.rejects(cloud.pools().send(new GetUserCommand(input)), named('NotAuthorizedException', 'Invalid Access Token'));
});

test('sdk: GetUser refuses an id token', async (t) => {
  const { cloud, tokens } = await signedIn(t);
  const input = { AccessToken: tokens.IdToken };
  await assert.rejects(cloud.pools().send(new GetUserCommand(input)), named('NotAuthorizedException'));
});

test('sdk: an access token ends after an hour', async (t) => {
  const { cloud, attributes } = await signedIn(t);
  await cloud.advance(3601);
  await assert.rejects(attributes(), named('NotAuthorizedException', 'Access Token has expired'));
});

test('sdk: the tokens carry the claims that AWS documents', async (t) => {
  const { cloud, sub, tokens } = await signedIn(t);
  const [id, access] = [claims(tokens.IdToken), claims(tokens.AccessToken)];
  const issuer = `https://cognito-idp.${cloud.stack.region}.amazonaws.com/${cloud.pool}`;
  assert.deepEqual([id.iss, id.sub, id.aud, id.token_use], [issuer, sub, cloud.app, 'id']);
  assert.deepEqual([access.iss, access.sub, access.client_id, access.token_use], [issuer, sub, cloud.app, 'access']);
  assert.deepEqual([id['cognito:username'], id.email, id.email_verified, id.name], [sub, ADA, true, 'Ada Lovelace']);
  assert.deepEqual([access.username, access.scope], [sub, 'aws.cognito.signin.user.admin']);
  assert.equal(access.email, undefined);
  assert.notEqual(id.jti, access.jti);
  assert.equal(id.origin_jti, access.origin_jti);
  assert.equal(id.exp - id.iat, 3600);
});

test('sdk: a refresh gives new tokens of the same sign-in', async (t) => {
  const { cloud, tokens } = await signedIn(t);
  await cloud.advance(60);
  const fresh = await refresh(cloud, tokens.RefreshToken);
  const [old, now] = [claims(tokens.AccessToken), claims(fresh.AccessToken)];
  assert.equal(fresh.RefreshToken, undefined);
  assert.deepEqual([now.auth_time, now.origin_jti], [old.auth_time, old.origin_jti]);
  assert.notEqual(now.jti, old.jti);
  assert.ok(now.iat >= old.iat + 60);
});

test('sdk: a refresh token ends after thirty days', async (t) => {
  const { cloud, tokens } = await signedIn(t);
  await cloud.advance(30 * 86_400 + 1);
  await assert.rejects(refresh(cloud, tokens.RefreshToken), named('NotAuthorizedException', 'Refresh Token has expired'));
});

test('sdk: what is no refresh token is refused', async (t) => {
  const cloud = await startCloud(t);
  await assert.rejects(refresh(cloud, 'nonsense'), named('NotAuthorizedException', 'Invalid Refresh Token'));
});

test('sdk: a revoked token refreshes nothing, and its access tokens end', async (t) => {
  const { cloud, tokens, attributes } = await signedIn(t);
  await cloud.pools().send(new RevokeTokenCommand({ ClientId: cloud.app, Token: tokens.RefreshToken }));
  await assert.rejects(refresh(cloud, tokens.RefreshToken), named('NotAuthorizedException', 'Refresh Token has been revoked'));
  await assert.rejects(attributes(), named('NotAuthorizedException', 'Access Token has been revoked'));
});

test('sdk: only a refresh token can be revoked', async (t) => {
  const { cloud, tokens } = await signedIn(t);
  const input = { ClientId: cloud.app, Token: tokens.AccessToken };
  await assert.rejects(cloud.pools().send(new RevokeTokenCommand(input)), named('UnsupportedTokenTypeException'));
});

test('sdk: a revoked token leaves other sign-ins alone', async (t) => {
  const { cloud, tokens } = await signedIn(t);
  const other = await signIn(cloud);
  await cloud.pools().send(new RevokeTokenCommand({ ClientId: cloud.app, Token: tokens.RefreshToken }));
  assert.ok((await refresh(cloud, other.RefreshToken)).AccessToken);
});

test('sdk: a global sign-out ends every sign-in', async (t) => {
  const { cloud, tokens, attributes } = await signedIn(t);
  const other = await signIn(cloud);
  await cloud.pools().send(new GlobalSignOutCommand({ AccessToken: other.AccessToken }));
  await assert.rejects(refresh(cloud, tokens.RefreshToken), named('NotAuthorizedException', 'Refresh Token has been revoked'));
  await assert.rejects(attributes(), named('NotAuthorizedException', 'Access Token has been revoked'));
});

test('sdk: a user changes the password', async (t) => {
  const { cloud, tokens } = await signedIn(t);
  const input = { AccessToken: tokens.AccessToken, PreviousPassword: PASSWORD, ProposedPassword: NEW_PASSWORD };
  await cloud.pools().send(new ChangePasswordCommand(input));
  await assert.rejects(signIn(cloud), named('NotAuthorizedException', 'Incorrect username or password.'));
  assert.ok(await signIn(cloud, NEW_PASSWORD));
});

test('sdk: a changed address is verified by its own code', async (t) => {
  const { cloud, tokens, attributes } = await signedIn(t);
  const AccessToken = tokens.AccessToken;
  const pools = cloud.pools();
  const UserAttributes = [{ Name: 'email', Value: 'countess@example.com' }];
  await pools.send(new UpdateUserAttributesCommand({ AccessToken, UserAttributes }));
  const Code = await cloud.code('countess@example.com');
  await pools.send(new VerifyUserAttributeCommand({ AccessToken, AttributeName: 'email', Code }));
  const { email, email_verified } = await attributes();
  assert.deepEqual([email, email_verified], ['countess@example.com', 'true']);
});

test('sdk: a user who deletes the account is gone', async (t) => {
  const { cloud, tokens } = await signedIn(t);
  await cloud.pools().send(new DeleteUserCommand({ AccessToken: tokens.AccessToken }));
  const { Users } = await cloud.pools().send(new ListUsersCommand({ UserPoolId: cloud.pool }));
  assert.deepEqual(Users, []);
});

test('sdk: a paginator finds everybody', async (t) => {
  const cloud = await startCloud(t);
  const expected = [];
  for (let n = 0; n < 5; n += 1) expected.push(await signUp(cloud, `user-${n}@example.com`));
  const found = [];
  for await (const page of paginateListUsers({ client: cloud.pools(), pageSize: 2 }, { UserPoolId: cloud.pool })) {
    found.push(...page.Users.map((user) => user.Username));
  }
  assert.deepEqual(found.sort(), expected.sort());
});
