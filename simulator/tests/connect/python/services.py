"""Connect and Lambda through AWS's own client: every answer is held against AWS's own description of the service."""

import json
import os
import sys
import unittest

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["SIMULATOR"]
STAGE = json.loads(os.environ["STAGE"])
FLOW = json.dumps(
    {
        "Version": "2019-10-30",
        "StartAction": "dial",
        "Metadata": {},
        "Actions": [
            {"Identifier": "dial", "Type": "CompleteOutboundCall", "Parameters": {}, "Transitions": {"NextAction": "end"}},
            {"Identifier": "end", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {}},
        ],
    }
)


def faults(shape, value, path="$"):
    """Where a JSON value departs from a shape of the service model."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            return [f"{path}: not an object"]
        known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        unknown = [f"{path}.{name}: not in the model" for name in value if name not in known]
        missing = [f"{path}.{name}: required" for name in shape.required_members if name not in value]
        inner = [fault for name in value if name in known for fault in faults(known[name], value[name], f"{path}.{name}")]
        return unknown + missing + inner
    if kind == "list":
        return [fault for index, item in enumerate(value) for fault in faults(shape.member, item, f"{path}[{index}]")]
    if kind == "map":
        return [fault for name, item in value.items() for fault in faults(shape.value, item, f"{path}.{name}")]
    if kind == "string":
        fine = isinstance(value, str) and (not shape.enum or value in shape.enum)
    elif kind == "boolean":
        fine = isinstance(value, bool)
    elif kind in ("integer", "long", "timestamp", "float", "double"):
        fine = isinstance(value, (int, float)) and not isinstance(value, bool)
    else:
        fine = True
    return [] if fine else [f"{path}: {value!r} is no {kind}"]


class Checked:
    """A client whose answers are checked; remembers which operations it used."""

    used = set()

    def __init__(self, service, keys):
        self.client = boto3.client(
            service,
            endpoint_url=ENDPOINT,
            region_name=STAGE["region"],
            aws_access_key_id=keys["id"],
            aws_secret_access_key=keys["secret"],
            config=Config(retries={"total_max_attempts": 1}),
        )
        self.client.meta.events.register("after-call", self.check)

    @classmethod
    def check(cls, model, http_response, **_):
        cls.used.add(model.name)
        output = model.output_shape
        if http_response.status_code >= 300 or output is None or "payload" in output.serialization:
            return
        body = json.loads(http_response.content or b"{}")
        found = faults(output, body)
        assert not found, f"{model.name}: {found}"

    def __getattr__(self, name):
        return getattr(self.client, name)


class Services(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.connect = Checked("connect", STAGE["customer"])
        cls.awslambda = Checked("lambda", STAGE["operator"])
        cls.instance = {"InstanceId": STAGE["instance_id"]}

    def refused(self, code, act, **arguments):
        with self.assertRaises(ClientError) as seen:
            act(**arguments)
        self.assertEqual(seen.exception.response["Error"]["Code"], code)
        return seen.exception.response

    def test_flows_are_managed(self):
        connect, instance = self.connect, self.instance
        content = {"Content": FLOW}
        tags = {"managed-by": "ringfence"}
        flow = connect.create_contact_flow(Name="Ours", Type="OUTBOUND_WHISPER", Description="d", Tags=tags, **content, **instance)
        ours = {"ContactFlowId": flow["ContactFlowId"], **instance}
        self.refused("DuplicateResourceException", connect.create_contact_flow, Name="Ours", Type="OUTBOUND_WHISPER", **content, **instance)
        bad = self.refused("InvalidContactFlowException", connect.update_contact_flow_content, Content="{}", **ours)
        self.assertIn("message", bad["problems"][0])
        described = connect.describe_contact_flow(**ours)["ContactFlow"]
        self.assertEqual((described["Content"], described["Tags"]), (FLOW, tags))
        draft = {**ours, "ContactFlowId": ours["ContactFlowId"] + ":$SAVED"}
        connect.update_contact_flow_content(Content="{}", **draft)
        self.assertEqual(connect.describe_contact_flow(**draft)["ContactFlow"]["Content"], "{}")
        connect.update_contact_flow_content(**content, **ours)
        connect.update_contact_flow_metadata(Name="Renamed", ContactFlowState="ACTIVE", **ours)
        connect.update_contact_flow_name(Name="Again", **ours)
        version = connect.create_contact_flow_version(FlowContentSha256=described["FlowContentSha256"], **ours)
        numbered = {**ours, "ContactFlowId": f"{ours['ContactFlowId']}:{version['Version']}"}
        self.assertEqual(connect.describe_contact_flow(**numbered)["ContactFlow"]["Version"], 1)
        connect.tag_resource(resourceArn=flow["ContactFlowArn"], tags={"a": "b"})
        self.assertEqual(connect.list_tags_for_resource(resourceArn=flow["ContactFlowArn"])["tags"], {"a": "b", **tags})
        connect.untag_resource(resourceArn=flow["ContactFlowArn"], tagKeys=["a"])
        pages = connect.get_paginator("list_contact_flows").paginate(PaginationConfig={"PageSize": 2}, **instance)
        self.assertIn("Again", [found["Name"] for page in pages for found in page["ContactFlowSummaryList"]])
        condition = {"TagFilter": {"TagCondition": {"TagKey": "managed-by", "TagValue": "ringfence"}}}
        found = connect.search_contact_flows(SearchFilter=condition, **instance)
        self.assertIn("Again", [flow["Name"] for flow in found["ContactFlows"]])
        connect.delete_contact_flow(**ours)
        self.refused("ResourceNotFoundException", connect.describe_contact_flow, **ours)

    def test_an_instance_is_read(self):
        connect, instance = self.connect, self.instance
        self.assertEqual(connect.describe_instance(**instance)["Instance"]["Arn"], STAGE["instance_arn"])
        self.assertEqual(len(connect.list_instances()["InstanceSummaryList"]), 1)
        queue = connect.list_queues(QueueTypes=["STANDARD"], **instance)["QueueSummaryList"][0]
        connect.list_queues(**instance)
        described = connect.describe_queue(QueueId=queue["Id"], **instance)["Queue"]
        connect.update_queue_outbound_caller_config(
            QueueId=queue["Id"], OutboundCallerConfig=described["OutboundCallerConfig"], **instance
        )
        connect.describe_hours_of_operation(HoursOfOperationId=described["HoursOfOperationId"], **instance)
        user = connect.list_users(**instance)["UserSummaryList"][0]
        connect.describe_user(UserId=user["Id"], **instance)
        profile = {"RoutingProfileId": connect.list_routing_profiles(**instance)["RoutingProfileSummaryList"][0]["Id"]}
        connect.describe_routing_profile(**profile, **instance)
        connect.list_routing_profile_queues(**profile, **instance)
        self.assertEqual(len(connect.list_phone_numbers_v2(**instance)["ListPhoneNumbersSummaryList"]), 2)

    def test_contacts_are_started_described_and_stopped(self):
        connect, instance = self.connect, self.instance
        task = {"Name": "Notice", "ContactFlowId": STAGE["notice_flow_id"], "Attributes": {"AgentARN": STAGE["agent_arn"]}}
        started = connect.start_task_contact(**task, **instance)
        contact = {"ContactId": started["ContactId"], **instance}
        self.assertEqual(connect.describe_contact(**contact)["Contact"]["Channel"], "TASK")
        connect.stop_contact(**contact)
        self.refused("ContactNotFoundException", connect.stop_contact, **contact)
        self.assertEqual(connect.describe_contact(**contact)["Contact"]["DisconnectReason"], "API")

    def test_functions_are_invoked_and_opened(self):
        function = {"FunctionName": "echo"}
        answer = self.awslambda.invoke(Payload=b'{"do":"raw {}"}', **function)
        self.assertEqual((answer["Payload"].read(), answer.get("FunctionError")), (b"{}", None))
        failed = self.awslambda.invoke(Payload=b'{"do":"crash"}', **function)
        self.assertEqual(failed["FunctionError"], "Unhandled")
        self.assertEqual(self.awslambda.invoke(InvocationType="Event", **function)["StatusCode"], 202)
        grant = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "connect.amazonaws.com"}
        self.awslambda.add_permission(SourceArn=STAGE["instance_arn"], SourceAccount="111122223333", **grant, **function)
        self.refused("ResourceConflictException", self.awslambda.add_permission, **grant, **function)
        policy = self.awslambda.get_policy(**function)
        self.assertIn("s", [statement["Sid"] for statement in json.loads(policy["Policy"])["Statement"]])
        self.refused("PreconditionFailedException", self.awslambda.remove_permission, StatementId="s", RevisionId="old", **function)
        self.awslambda.remove_permission(StatementId="s", RevisionId=policy["RevisionId"], **function)
        self.assertEqual(self.awslambda.get_function_configuration(**function)["State"], "Active")
        self.awslambda.get_function(**function)
        self.refused("ResourceNotFoundException", self.awslambda.get_function, FunctionName="nobody")


if __name__ == "__main__":
    done = unittest.main(exit=False, module=None, argv=["services", "__main__"])
    missing = set(STAGE["operations"]) - Checked.used
    if missing:
        print(f"never asked for: {sorted(missing)}", file=sys.stderr)
    sys.exit(not done.result.wasSuccessful() or bool(missing))
