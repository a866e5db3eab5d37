"""cfn-lint, the SAM translator and `tandem check` over the templates of deploy/, and the templates over each other."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
import yaml
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from cloud import ROOT

SAM = ROOT / "deploy/sam/template.yaml"
EXISTING = ROOT / "deploy/existing-pool/template.yaml"
SERVERLESS = ROOT / "deploy/serverless/serverless.yml"
TANDEM = os.environ.get("TANDEM_BIN", ROOT / "target/debug/tandem")


class Cfn(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, as their long ones."""


def short_form(loader, name, node):
    if isinstance(node, yaml.ScalarNode):
        value = node.value.split(".", 1) if name == "GetAtt" else node.value
    else:
        value = loader.construct_sequence(node, deep=True)
    return {name if name == "Ref" else f"Fn::{name}": value}


Cfn.add_multi_constructor("!", short_form)


def read(path):
    return yaml.load(path.read_text(encoding="utf-8"), Cfn)


class NoManagedPolicies:
    """The translator asks AWS for the names of managed policies; ours has none but those that it knows itself."""

    def load(self):
        return {}


def translated():
    """deploy/sam as the SAM translator makes CloudFormation of it, the code being in a bucket."""
    template = yaml_parse(SAM.read_text(encoding="utf-8"))
    template["Globals"]["Function"].pop("CodeUri")
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://packages/bootstrap.zip"
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    return transform(template, {}, NoManagedPolicies())


def lint(path):
    linter = pathlib.Path(sys.executable).parent / "cfn-lint"
    told = subprocess.run([linter, path], capture_output=True, text=True, env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"})
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("path", [SAM, EXISTING], ids=["sam", "existing-pool"])
def test_cfn_lint_finds_nothing(path):
    lint(path)


def test_cfn_lint_finds_nothing_in_what_sam_makes(tmp_path):
    path = tmp_path / "template.json"
    path.write_text(json.dumps(translated()), encoding="utf-8")
    lint(path)


@pytest.mark.parametrize("path", [SAM, EXISTING, SERVERLESS], ids=["sam", "existing-pool", "serverless"])
def test_tandem_check_finds_nothing(path):
    told = subprocess.run([TANDEM, "check", str(path)], capture_output=True, text=True)
    assert (told.returncode, told.stdout.strip()) == (0, "nothing found"), told.stdout + told.stderr


# -- The three say the same


def functions():
    """What each template says of a function, by handler: the same few words for each."""
    sam, existing, serverless = read(SAM), read(EXISTING), read(SERVERLESS)
    common = set(sam["Globals"]["Function"]["Environment"]["Variables"])
    said = {"sam": {}, "existing-pool": {}, "serverless": {}}
    for resource in sam["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            its = resource["Properties"]
            said["sam"][its["Handler"]] = {
                "variables": common | set(its["Environment"]["Variables"]),
                "actions": actions(its["Policies"][0]["Statement"]),
                "timeout": its.get("Timeout", sam["Globals"]["Function"]["Timeout"]),
                "memory": its.get("MemorySize", sam["Globals"]["Function"]["MemorySize"]),
                "retries": its.get("EventInvokeConfig", {}).get("MaximumRetryAttempts"),
                "routes": {
                    f"{event['Properties']['Method']} {event['Properties']['Path']}"
                    for event in its["Events"].values()
                    if event["Type"] == "HttpApi"
                },
                "patterns": [event["Properties"]["Pattern"] for event in its["Events"].values() if "Pattern" in event["Properties"]],
            }
    resources = existing["Resources"]
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            its = resource["Properties"]
            rule = resources.get(f"{name}Rule", {}).get("Properties", {})
            said["existing-pool"][its["Handler"]] = {
                "variables": set(its["Environment"]["Variables"]),
                "actions": role_actions(resources[f"{name}Role"]),
                "timeout": its["Timeout"],
                "memory": its["MemorySize"],
                "retries": resources.get(f"{name}Failures", {}).get("Properties", {}).get("MaximumRetryAttempts"),
                "routes": {
                    route["Properties"]["RouteKey"]
                    for route in resources.values()
                    if route["Type"] == "AWS::ApiGatewayV2::Route" and its["Handler"] == "profile-api"
                },
                "patterns": [rule["EventPattern"]] if "EventPattern" in rule else [],
            }
    for name, its in serverless["functions"].items():
        provider = serverless["provider"]
        said["serverless"][its["handler"]] = {
            "variables": set(provider["environment"]) | set(its["environment"]),
            "actions": role_actions(serverless["resources"]["Resources"][its["role"]]),
            "timeout": its.get("timeout", provider["timeout"]),
            "memory": its.get("memorySize", provider["memorySize"]),
            "retries": its.get("maximumRetryAttempts"),
            "routes": {f"{e['httpApi']['method']} {e['httpApi']['path']}" for e in its["events"] if "httpApi" in e},
            "patterns": [e["eventBridge"]["pattern"] for e in its["events"] if "pattern" in e.get("eventBridge", {})],
        }
    return said


def actions(statements):
    """What is allowed, and on how many resources; neither wildcards for all nor for a service."""
    allowed = set()
    for statement in statements:
        listed = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not any("*" in action for action in listed), statement
        allowed |= set(listed)
        assert statement["Resource"] != "*" or allowed_everywhere(listed), statement
    return {action for action in allowed if action.split(":")[0] not in ("logs", "xray", "sqs")}


def allowed_everywhere(listed):
    """X-Ray's actions know no resources: docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html"""
    return all(action.startswith("xray:") for action in listed)


def role_actions(role):
    return actions(role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"])


def test_the_three_say_the_same_of_functions():
    said = functions()
    assert set(said["sam"]) == {
        "announce-user", "notice-sign-in", "create-profile", "welcome-email", "reread-user", "reconcile-profiles", "profile-api",
    }
    assert said["existing-pool"] == said["sam"]
    assert said["serverless"] == said["sam"]


def test_the_three_make_the_same_table_and_alarms():
    def shared(resources, kinds):
        return {name: set(r["Properties"]) for name, r in resources.items() if r["Type"] in kinds}

    def keys(resources):
        table = resources["Profiles"]["Properties"]
        return {name: value for name, value in table.items() if name != "TableName"}

    sam, existing = read(SAM)["Resources"], read(EXISTING)["Resources"]
    serverless = read(SERVERLESS)["resources"]["Resources"]
    kinds = {"AWS::CloudWatch::Alarm", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "AWS::Events::EventBus", "AWS::Events::Archive", "AWS::Logs::MetricFilter"}
    assert shared(existing, kinds) == shared(serverless, kinds) == shared(sam, kinds)
    assert keys(existing) == keys(serverless) == keys(sam)


def test_every_alarm_has_its_section_in_the_runbook():
    runbook = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    headings = {line[3:].strip() for line in runbook.splitlines() if line.startswith("## ")}
    for name, resource in read(SAM)["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            section = re.search(r"docs/runbook\.md#([\w-]+)", resource["Properties"]["AlarmDescription"])
            assert section and section[1] in headings, name


def test_the_rule_lets_through_what_reread_user_listens_to():
    source = ROOT / "app/functions/src/reread_user.rs"
    operations = re.search(r"pub const OPERATIONS: &\[&str\] = &\[(.*?)\];", source.read_text(encoding="utf-8"), re.DOTALL)
    listened = set(re.findall(r'"(\w+)"', operations[1]))
    (pattern,) = functions()["sam"]["reread-user"]["patterns"]
    assert set(pattern["detail"]["eventName"]) == listened


def test_the_drift_metric_reads_what_reconcile_profiles_says():
    source = (ROOT / "app/functions/src/reconcile_profiles.rs").read_text(encoding="utf-8")
    for path in (SAM, EXISTING):
        its = read(path)["Resources"]["DriftMetric"]["Properties"]
        phrase = re.fullmatch(r'\{ \$\.fields\.message = ("[^"]+") \}', its["FilterPattern"])[1]
        assert phrase in source
        (transformation,) = its["MetricTransformations"]
        assert f"{transformation['MetricValue'].removeprefix('$.fields.')} = " in source


def test_the_archive_forgets_before_tombstones_do():
    days = re.search(r"TOMBSTONE_DAYS: u16 = (\d+)", (ROOT / "app/profiles/src/store/apply.rs").read_text(encoding="utf-8"))
    assert read(SAM)["Parameters"]["ArchiveDays"]["MaxValue"] < int(days[1])
