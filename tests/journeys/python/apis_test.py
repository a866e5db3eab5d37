"""boto3: HTTP APIs and REST APIs in front of a handler, with and without a user's token."""

import io
import json
import urllib.error
import urllib.request
import zipfile

import pytest

ROLE = "arn:aws:iam::000000000000:role/any"
HANDLER = """
import json

def handler(event, context):
    if event.get("version") == "2.0":
        return {"authorizer": event["requestContext"].get("authorizer"), "id": event["pathParameters"]["id"]}
    claims = event["requestContext"].get("authorizer", {}).get("claims")
    body = {"claims": claims, "id": event["pathParameters"]["id"], "path": event["path"]}
    return {"statusCode": 201, "headers": {"X-By": "handler"}, "body": json.dumps(body)}
"""


@pytest.fixture
def function(cloud):
    """The ARN of a function that tells what it was told."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", HANDLER)
    made = cloud.client("lambda").create_function(
        FunctionName="teller", Runtime="python3.12", Role=ROLE, Handler="index.handler", Code={"ZipFile": archive.getvalue()}
    )
    return made["FunctionArn"]


def permit(cloud, source):
    cloud.client("lambda").add_permission(
        FunctionName="teller", StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{cloud.region}:000000000000:{source}",
    )


def ask(cloud, path, token=None, host=None, method="GET"):
    """Status, headers and body of an answer."""
    headers = {"Authorization": token} if token else {}
    if host:
        headers["Host"] = host
    request = urllib.request.Request(cloud.url + path, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def signed_in(cloud, email):
    cloud.confirmed_user(email)
    return cloud.sign_in(email)["AuthenticationResult"]


def issuer(cloud, pool=None):
    return f"https://cognito-idp.{cloud.region}.amazonaws.com/{pool or cloud.pool}"


@pytest.fixture
def guarded(cloud, function):
    """The id of an HTTP API with `GET /users/{id}`, guarded by the stack's pool."""
    apis = cloud.client("apigatewayv2")
    api = apis.create_api(Name="users", ProtocolType="HTTP")["ApiId"]
    integration = apis.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=function, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    authorizer = apis.create_authorizer(
        ApiId=api, Name="pool", AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer(cloud), "Audience": [cloud.app]},
    )["AuthorizerId"]
    apis.create_route(
        ApiId=api, RouteKey="GET /users/{id}", Target=f"integrations/{integration}", AuthorizationType="JWT",
        AuthorizerId=authorizer,
    )
    apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    permit(cloud, f"{api}/*/GET/users/*")
    return api


def test_an_http_api_lets_in_whoever_has_a_token_of_its_pool(cloud, guarded):
    tokens = signed_in(cloud, "ada@example.com")
    path = f"/_tandem/apis/{guarded}/users/7"
    status, _, body = ask(cloud, path, f"Bearer {tokens['AccessToken']}")
    answer = json.loads(body)
    claims = answer["authorizer"]["jwt"]["claims"]
    assert (status, answer["id"], claims["token_use"], claims["client_id"]) == (200, "7", "access", cloud.app)
    assert isinstance(claims["exp"], str) and answer["authorizer"]["jwt"]["scopes"] is None
    status, _, body = ask(cloud, path, tokens["IdToken"])
    assert (status, json.loads(body)["authorizer"]["jwt"]["claims"]["email"]) == (200, "ada@example.com")
    assert any("HTTP API users" in moment["what"] for moment in cloud.moments("ada@example.com", "api-call"))


def test_an_http_api_is_found_by_its_host(cloud, guarded):
    token = signed_in(cloud, "ada@example.com")["AccessToken"]
    for domain in ("localhost", "amazonaws.com"):
        host = f"{guarded}.execute-api.{cloud.region}.{domain}"
        assert ask(cloud, "/users/7", token, host)[0] == 200
        status, _, body = ask(cloud, "/nowhere", token, host)
        assert (status, json.loads(body)) == (404, {"message": "Not Found"})


def test_an_http_api_refuses_everybody_else(cloud, guarded):
    path = f"/_tandem/apis/{guarded}/users/7"
    status, headers, body = ask(cloud, path)
    assert (status, json.loads(body), headers["www-authenticate"]) == (401, {"message": "Unauthorized"}, "Bearer")
    token = signed_in(cloud, "ada@example.com")["AccessToken"]
    assert ask(cloud, path, token[:-4] + "AAAA")[0] == 401
    cloud.advance(hours=2)
    status, headers, _ = ask(cloud, path, token)
    assert status == 401 and "the token has expired" in headers["www-authenticate"]

    pool = cloud.pools.create_user_pool(PoolName="foreign")["UserPool"]["Id"]
    client = cloud.pools.create_user_pool_client(
        UserPoolId=pool, ClientName="c", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    cloud.pools.admin_create_user(UserPoolId=pool, Username="eve", MessageAction="SUPPRESS")
    cloud.pools.admin_set_user_password(UserPoolId=pool, Username="eve", Password="Correct-Horse-7", Permanent=True)
    foreign = cloud.sign_in("eve", client=client)["AuthenticationResult"]["AccessToken"]
    status, headers, _ = ask(cloud, path, foreign)
    assert status == 401 and "valid issuer" in headers["www-authenticate"]


def test_a_rest_api_lets_in_whoever_has_an_id_token(cloud, function):
    apis = cloud.client("apigateway")
    api = apis.create_rest_api(name="users")["id"]
    root = apis.get_resources(restApiId=api)["items"][0]["id"]
    users = apis.create_resource(restApiId=api, parentId=root, pathPart="users")["id"]
    user = apis.create_resource(restApiId=api, parentId=users, pathPart="{id}")["id"]
    authorizer = apis.create_authorizer(
        restApiId=api, name="pool", type="COGNITO_USER_POOLS", identitySource="method.request.header.Authorization",
        providerARNs=[f"arn:aws:cognito-idp:{cloud.region}:000000000000:userpool/{cloud.pool}"],
    )["id"]
    at = {"restApiId": api, "resourceId": user, "httpMethod": "GET"}
    apis.put_method(**at, authorizationType="COGNITO_USER_POOLS", authorizerId=authorizer)
    uri = f"arn:aws:apigateway:{cloud.region}:lambda:path/2015-03-31/functions/{function}/invocations"
    apis.put_integration(**at, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    apis.create_deployment(restApiId=api, stageName="dev")
    permit(cloud, f"{api}/*/GET/users/*")

    tokens = signed_in(cloud, "ada@example.com")
    path = f"/_tandem/apis/{api}/dev/users/7"
    status, headers, body = ask(cloud, path, tokens["IdToken"])
    answer = json.loads(body)
    assert (status, headers["x-by"], answer["id"], answer["path"]) == (201, "handler", "7", "/users/7")
    assert answer["claims"]["email"] == "ada@example.com"
    for token in (tokens["AccessToken"], None):
        assert ask(cloud, path, token)[0] == 401
    status, _, body = ask(cloud, f"/_tandem/apis/{api}/dev/nowhere", tokens["IdToken"])
    assert (status, json.loads(body)) == (403, {"message": "Missing Authentication Token"})
    assert apis.get_stages(restApiId=api)["item"][0]["stageName"] == "dev"


def test_both_clients_list_change_and_delete(cloud, function):
    apis = cloud.client("apigatewayv2")
    made = apis.create_api(Name="quick", ProtocolType="HTTP", Target=function, Tags={"team": "a"})
    api = made["ApiId"]
    assert made["ApiEndpoint"].startswith(f"http://{api}.execute-api.{cloud.region}.localhost:")
    assert [one["Name"] for one in apis.get_apis()["Items"]] == ["quick"]
    assert apis.update_api(ApiId=api, Name="slow")["Name"] == "slow"
    arn = f"arn:aws:apigateway:{cloud.region}::/apis/{api}"
    apis.tag_resource(ResourceArn=arn, Tags={"more": "b"})
    apis.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert apis.get_tags(ResourceArn=arn)["Tags"] == {"more": "b"}
    assert apis.get_routes(ApiId=api)["Items"][0]["RouteKey"] == "$default"
    apis.delete_api(ApiId=api)
    with pytest.raises(apis.exceptions.NotFoundException):
        apis.get_api(ApiId=api)

    rest = cloud.client("apigateway")
    one = rest.create_rest_api(name="r", tags={"team": "a"})["id"]
    arn = f"arn:aws:apigateway:{cloud.region}::/restapis/{one}"
    rest.tag_resource(resourceArn=arn, tags={"more": "b"})
    rest.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert rest.get_tags(resourceArn=arn)["tags"] == {"more": "b"}
    patch = [{"op": "replace", "path": "/name", "value": "s"}]
    assert rest.update_rest_api(restApiId=one, patchOperations=patch)["name"] == "s"
    assert [api["name"] for api in rest.get_rest_apis()["items"]] == ["s"]
    rest.delete_rest_api(restApiId=one)
    with pytest.raises(rest.exceptions.NotFoundException):
        rest.get_rest_api(restApiId=one)
