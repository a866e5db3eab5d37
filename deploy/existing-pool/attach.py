#!/usr/bin/env python3
"""Hangs Tandem's triggers on a user pool that exists, and takes nothing from it.

UpdateUserPool forgets settings that a call does not repeat: triggers and AutoVerifiedAttributes among them, and which else
differs by setting (https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html).
So this reads all of the pool's settings, repeats them, and reads them once more. It does nothing where it would have to guess:

- a setting came that the installed boto3 does not know, and would not repeat (pip install --upgrade boto3);
- another function hangs on one of the triggers;
- the functions do not let the pool call them, so that every sign-up would fail.

Without --apply it only tells. Whatever it writes, it first saves what was there; --restore writes that again.
If a template owns the pool, write the triggers into that template instead (../README.md): its next update would drop these.
"""

import argparse
import json
import pathlib
import sys
import time

import boto3
from botocore.exceptions import BotoCoreError, ClientError

# The triggers, and by which output of the stack each function is known.
TRIGGERS = {"PostConfirmation": "AnnounceUserArn", "PreTokenGeneration": "NoticeSignInArn"}

# What DescribeUserPool tells of a pool and UpdateUserPool does not take: what a pool is, not how it is set.
FIXED = {
    "Id", "Name", "Arn", "Status", "CreationDate", "LastModifiedDate", "EstimatedNumberOfUsers", "SchemaAttributes",
    "UsernameAttributes", "AliasAttributes", "UsernameConfiguration", "Domain", "CustomDomain", "SmsConfigurationFailure",
    "EmailConfigurationFailure",
}

# Survives without being repeated, and repeated it is checked against SMS settings that may have changed meanwhile.
LEFT_ALONE = {"MfaConfiguration"}

# What differs from one reading to the next.
MOVING = {"LastModifiedDate", "EstimatedNumberOfUsers"}


class Refusal(Exception):
    """Why nothing was done, and what to do about it."""


def main():
    arguments = parse()
    session = boto3.Session(region_name=arguments.region)
    clients = {name: session.client(name, endpoint_url=arguments.endpoint_url) for name in ("cognito-idp", "lambda")}
    pools = clients["cognito-idp"]
    pool = read(pools, arguments.user_pool_id)
    if arguments.restore:
        saved = json.loads(pathlib.Path(arguments.restore).read_text(encoding="utf-8"))
        if saved["Id"] != pool["Id"]:
            raise Refusal(f"{arguments.restore} is of the pool {saved['Id']}")
        return write(pools, pool, saved, arguments)
    functions = wanted(session, arguments)
    triggers = dict(pool.get("LambdaConfig", {}))
    for trigger, arn in functions.items():
        there = triggers.get(trigger) or triggers.get(f"{trigger}Config", {}).get("LambdaArn")
        if arguments.detach:
            if there == arn:
                triggers.pop(trigger, None)
                triggers.pop(f"{trigger}Config", None)
            continue
        if there not in (None, arn):
            raise Refusal(
                f"{there} hangs on {trigger} already. A trigger has one function: let that one call {arn} and answer with the "
                "event that it got, or publish UserCreated from it (docs/schemas)."
            )
        check_permission(clients["lambda"], arn, pool["Arn"])
        # With a Config of the same function's beside it, Cognito wants both to be the same: then there is nothing to do.
        if there is None:
            triggers[trigger] = arn
    return write(pools, pool, {**pool, "LambdaConfig": triggers}, arguments)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--user-pool-id", required=True)
    parser.add_argument("--stack-name", help="the stack of template.yaml, whose outputs name the functions")
    parser.add_argument("--announce-user", metavar="ARN", help="instead of the stack's output")
    parser.add_argument("--notice-sign-in", metavar="ARN", help="instead of the stack's output")
    parser.add_argument("--detach", action="store_true", help="take the triggers off again, before the stack is deleted")
    parser.add_argument("--restore", metavar="FILE", help="write the settings that were saved")
    parser.add_argument("--apply", action="store_true", help="do it; without this, only tell")
    parser.add_argument("--backup", metavar="FILE", help="where to save what was there (default: POOL-TIME.json)")
    parser.add_argument("--region")
    parser.add_argument("--endpoint-url", help="another endpoint than AWS's, such as tandem dev's")
    return parser.parse_args()


def wanted(session, arguments):
    """The function of each trigger."""
    given = {"PostConfirmation": arguments.announce_user, "PreTokenGeneration": arguments.notice_sign_in}
    if not any(given.values()):
        if not arguments.stack_name:
            raise Refusal("name the stack by --stack-name, or the functions by --announce-user and --notice-sign-in")
        stacks = session.client("cloudformation", endpoint_url=arguments.endpoint_url)
        outputs = stacks.describe_stacks(StackName=arguments.stack_name)["Stacks"][0].get("Outputs", [])
        told = {output["OutputKey"]: output["OutputValue"] for output in outputs}
        missing = set(TRIGGERS.values()) - set(told)
        if missing:
            raise Refusal(f"the stack {arguments.stack_name} has no output {', '.join(sorted(missing))}: is it template.yaml's?")
        given = {trigger: told[output] for trigger, output in TRIGGERS.items()}
    return {trigger: arn for trigger, arn in given.items() if arn}


def read(pools, pool_id):
    """The pool's settings; refuses if the answer had any that boto3 left out."""
    raw = {}

    def keep(response_dict, **_):
        raw.update(json.loads(response_dict["body"] or b"{}").get("UserPool", {}))

    pools.meta.events.register("before-parse.cognito-idp.DescribeUserPool", keep)
    try:
        pool = pools.describe_user_pool(UserPoolId=pool_id)["UserPool"]
    finally:
        pools.meta.events.unregister("before-parse.cognito-idp.DescribeUserPool", keep)
    model = pools.meta.service_model.operation_model("DescribeUserPool").output_shape.members["UserPool"]
    unknown = list(unread(raw, model))
    if unknown:
        raise Refusal(
            f"the pool has settings that boto3 {boto3.__version__} does not know, and would forget: {', '.join(unknown)}. "
            "pip install --upgrade boto3"
        )
    return json.loads(json.dumps(pool, default=str))


def unread(value, shape, path=""):
    """The paths in an answer that its model does not have."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, inner in value.items():
            if name not in shape.members:
                yield f"{path}{name}"
            else:
                yield from unread(inner, shape.members[name], f"{path}{name}.")
    elif shape.type_name == "list" and isinstance(value, list):
        for inner in value:
            yield from unread(inner, shape.member, path)


def check_permission(functions, arn, pool_arn):
    advice = "deploy template.yaml with this pool's id first (it grants that)"
    try:
        policy = json.loads(functions.get_policy(FunctionName=arn)["Policy"])
    except functions.exceptions.ResourceNotFoundException:
        raise Refusal(f"{arn} is not there, or lets nobody call it: {advice}") from None
    for statement in policy["Statement"]:
        principal = statement.get("Principal", {})
        service = principal.get("Service") if isinstance(principal, dict) else principal
        source = json.dumps(statement.get("Condition", {}))
        if statement["Effect"] == "Allow" and service == "cognito-idp.amazonaws.com" and pool_arn in source:
            return
    raise Refusal(f"{arn} does not let {pool_arn} call it, so every sign-up would fail: {advice}")


def settings(pools, pool):
    """All of a pool's settings, as UpdateUserPool takes them."""
    taken = pools.meta.service_model.operation_model("UpdateUserPool").input_shape.members
    lost = set(pool) - set(taken) - FIXED
    if lost:
        raise Refusal(f"UpdateUserPool of boto3 {boto3.__version__} does not take {', '.join(sorted(lost))}: upgrade boto3")
    repeated = {name: value for name, value in pool.items() if name in taken and name not in FIXED | LEFT_ALONE}
    # The older name of the same number; Cognito refuses both at once.
    if "TemporaryPasswordValidityDays" in repeated.get("Policies", {}).get("PasswordPolicy", {}):
        invitations = {**repeated.get("AdminCreateUserConfig", {})}
        invitations.pop("UnusedAccountValidityDays", None)
        repeated["AdminCreateUserConfig"] = invitations
    return repeated


def write(pools, before, after, arguments):
    """Writes settings, unless nothing differs, and reads them again."""
    differing = {name for name in {*before, *after} - FIXED if before.get(name) != after.get(name)}
    if not differing:
        print("nothing to do: the pool is as wanted")
        return 0
    for name in sorted(differing):
        print(f"{name}\n  now   {json.dumps(before.get(name))}\n  then  {json.dumps(after.get(name))}")
    update = settings(pools, after)
    print(f"repeated unchanged: {', '.join(sorted(set(update) - differing))}")
    if not arguments.apply:
        print("nothing was written: add --apply")
        return 0
    backup = pathlib.Path(arguments.backup or f"{before['Id']}-{int(time.time())}.json")
    backup.write_text(json.dumps(before, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(f"saved what was there in {backup}")
    pools.update_user_pool(UserPoolId=before["Id"], **update)
    now = read(pools, before["Id"])
    moved = {name for name in {*after, *now} - MOVING if after.get(name) != now.get(name)}
    # An empty LambdaConfig and none are the same.
    moved -= {name for name in moved if not after.get(name) and not now.get(name)}
    if moved:
        for name in sorted(moved):
            print(f"{name} came out as {json.dumps(now.get(name))} instead of {json.dumps(after.get(name))}", file=sys.stderr)
        raise Refusal(f"the pool is not as wanted: see above, and write the old settings again by --restore {backup}")
    print("written, and read again: nothing else changed")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Refusal, ClientError, BotoCoreError, OSError) as error:
        print(f"attach: {error}", file=sys.stderr)
        sys.exit(1)
