"""The Profile API behind its function URL: a person's own profile, and what a tester makes of the OpenAPI document."""

import json
import os
import pathlib
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

ADA = "ada@example.com"
HERE = pathlib.Path(__file__).resolve().parent
SECONDS_MAX = 300


def address(cloud):
    """By a path: not every resolver takes a name under `localhost` for this machine."""
    host = urllib.parse.urlsplit(cloud.stack["urls"]["profile-api"]).hostname
    return f"{cloud.url}/_tandem/urls/{host.split('.')[0]}"


def ask(cloud, method, path, token=None, body=None, front=None, **headers):
    """Status, headers and body."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers.setdefault("content-type", "application/merge-patch+json")
    request = urllib.request.Request((front or address(cloud)) + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, error.headers, json.loads(error.read() or b"null")


def signed_in(cloud, email):
    """The `sub` and an access token of somebody new."""
    sub = cloud.confirmed_user(email)
    return sub, cloud.sign_in(email)["AuthenticationResult"]["AccessToken"]


def test_a_person_reads_and_changes_their_profile(cloud):
    sub, token = signed_in(cloud, ADA)
    status, headers, profile = ask(cloud, "GET", "/me", token)
    assert (status, profile["userId"], profile["email"], profile["version"]) == (200, sub, ADA, 0)
    etag = headers["etag"]
    assert ask(cloud, "GET", "/me", token, if_none_match=etag)[0] == 304

    status, headers, profile = ask(cloud, "PATCH", "/me", token, {"theme": {"name": "dark"}}, if_match=etag)
    assert (status, profile["theme"], profile["version"]) == (200, {"name": "dark"}, 1)
    assert ask(cloud, "PATCH", "/me", token, {"theme": None}, if_match=etag)[0] == 412
    assert cloud.profile(sub)["theme"] == {"M": {"name": {"S": "dark"}}}

    status, _, problem = ask(cloud, "PATCH", "/me", token, {"email": "eve@example.com"})
    assert (status, problem["errors"][0]["pointer"]) == (422, "#/email")


def test_a_person_deletes_their_account(cloud):
    sub, token = signed_in(cloud, ADA)
    ask(cloud, "PATCH", "/me", token, {"theme": "dark"})
    assert ask(cloud, "DELETE", "/me", token)[0] == 202
    cloud.settle()
    tombstone = cloud.profile(sub)
    assert tombstone["identityStatus"] == {"S": "DELETED"}
    assert not {"email", "name", "theme"} & tombstone.keys()
    assert ask(cloud, "GET", "/me", token)[0] == 410
    # Whoever did not hear the answer asks again.
    assert ask(cloud, "DELETE", "/me", token)[0] == 204
    # The address is free: another account, another person.
    again, token = signed_in(cloud, ADA)
    assert again != sub
    assert "theme" not in ask(cloud, "GET", "/me", token)[2]


def test_an_http_api_may_stand_in_front(cloud):
    sub, token = signed_in(cloud, ADA)
    apis, arn = cloud.client("apigatewayv2"), f"arn:aws:lambda:{cloud.region}:000000000000:function:profile-api"
    api = apis.create_api(Name="profiles", ProtocolType="HTTP", Target=arn)["ApiId"]
    apis.create_stage(ApiId=api, StageName="prod", AutoDeploy=True)
    cloud.client("lambda").add_permission(
        FunctionName="profile-api", StatementId="api", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com", SourceArn=f"arn:aws:execute-api:{cloud.region}:000000000000:{api}/*",
    )  # fmt: skip
    front = f"{cloud.url}/_tandem/apis/{api}"
    for stage in ["", "/prod"]:
        status, _, profile = ask(cloud, "PATCH", f"{stage}/me", token, {"by": stage or "default"}, front=front)
        assert (status, profile["userId"], profile["by"]) == (200, sub, stage or "default"), profile
    assert ask(cloud, "GET", "/prod/openapi.json", front=front)[2]["servers"] == [{"url": "/prod"}]


def test_administrators_read_every_profile(cloud):
    sub, token = signed_in(cloud, ADA)
    assert ask(cloud, "GET", f"/profiles/{sub}", token)[0] == 403
    status, _, profile = ask(cloud, "GET", f"/profiles/{sub}", administrator(cloud))
    assert (status, profile["email"]) == (200, ADA)


def test_tokens_of_other_pools_are_refused(cloud):
    pool = cloud.pools.create_user_pool(PoolName="other")["UserPool"]["Id"]
    client = cloud.pools.create_user_pool_client(
        UserPoolId=pool, ClientName="c", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    )["UserPoolClient"]["ClientId"]
    cloud.pools.admin_create_user(UserPoolId=pool, Username="eve", MessageAction="SUPPRESS")
    cloud.pools.admin_set_user_password(UserPoolId=pool, Username="eve", Password="Correct-Horse-7", Permanent=True)
    token = cloud.sign_in("eve", client=client)["AuthenticationResult"]["AccessToken"]
    status, _, problem = ask(cloud, "GET", "/me", token)
    assert (status, problem["type"]) == (401, "urn:tandem:problem:invalid-token")


def administrator(cloud):
    """The token of a member of the administrators' group."""
    email = "root@example.com"
    cloud.confirmed_user(email)
    cloud.pools.create_group(GroupName="admin", UserPoolId=cloud.pool)
    cloud.pools.admin_add_user_to_group(UserPoolId=cloud.pool, Username=email, GroupName="admin")
    return cloud.sign_in(email)["AuthenticationResult"]["AccessToken"]


def schemathesis(cloud, tmp_path, token, *arguments):
    """Every check that it has, with requests that follow the document and requests that do not."""
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml",
        "run", f"{address(cloud)}/openapi.json", "--url", address(cloud),
        "--header", f"Authorization: Bearer {token}", "--checks", "all", "--seed", "1", *arguments,
    ]  # fmt: skip
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_document_is_true(cloud, tmp_path):
    token = administrator(cloud)
    schemathesis(cloud, tmp_path, token, "--exclude-method", "DELETE", "--max-examples", "20")
    # The caller's own account goes first, and it is somebody who is gone that asks for the rest.
    schemathesis(cloud, tmp_path, token, "--include-method", "DELETE", "--max-examples", "5")
    assert ask(cloud, "GET", "/me", token)[0] == 410
