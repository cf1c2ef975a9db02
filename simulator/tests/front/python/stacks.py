"""The customer's template as it is shipped makes the roles that it says, and nothing wider."""

import json
import os
import unittest

from simulator import CUSTOMER, OPERATOR, Case, administrator, allow, assume, client, control, instance, role, send

with open(os.environ["CUSTOMER_TEMPLATE"], encoding="utf-8") as file:
    TEMPLATE = file.read()
EXTERNAL_ID = "issued-for-this-connection"
TAGS = {"managed-by": "ringfence"}
CONTENT = json.dumps(
    {
        "Version": "2019-10-30",
        "StartAction": "end",
        "Metadata": {},
        "Actions": [{"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}],
    }
)


class Stacks(Case):
    @classmethod
    def setUpClass(cls):
        control("POST", "quotas", {"enabled": False})
        administrator(CUSTOMER)
        cls.operator = administrator(OPERATOR)
        cls.control_plane = role("control-plane", [allow("sts:AssumeRole")], account_id=OPERATOR)
        cls.limiter = role("limiter", [allow("sts:AssumeRole")], account_id=OPERATOR)
        cls.instance_id = instance(CUSTOMER)["instance_arn"].rsplit("/", 1)[1]

    def body(self, template=TEMPLATE, **parameters):
        given = {
            "ConnectionId": "con_1",
            "ExternalId": EXTERNAL_ID,
            "ControlPlanePrincipal": self.control_plane,
            "LimiterPrincipal": self.limiter,
            **parameters,
        }
        body = {"account_id": CUSTOMER, "region": "us-east-1", "template": template, "stack_name": "ringfence"}
        return {**body, "parameters": {name: value for name, value in given.items() if value is not None}}

    def deploy(self, **parameters):
        return control("POST", "stacks", self.body(**parameters))["outputs"]

    def session_of(self, mine, role_arn, **more):
        return assume(assume(self.operator, mine), role_arn, **{"ExternalId": EXTERNAL_ID, **more})

    def connect(self, mine, role_arn):
        return client("connect", self.session_of(mine, role_arn))

    def test_roles_are_for_their_principals_with_the_external_id_alone(self):
        outputs = self.deploy()
        installer, runtime = outputs["InstallerRoleArn"], outputs["RuntimeRoleArn"]
        self.assertEqual(installer, f"arn:aws:iam::{CUSTOMER}:role/ringfence-installer-con_1")
        for mine, role_arn, trusted in (
            (self.control_plane, installer, True),
            (self.limiter, installer, False),
            (self.limiter, runtime, True),
            (self.control_plane, runtime, True),
        ):
            with self.subTest(mine=mine, role_arn=role_arn):
                if trusted:
                    self.session_of(mine, role_arn)
                else:
                    with self.refused("AccessDenied", 403):
                        self.session_of(mine, role_arn)
                with self.refused("AccessDenied", 403):
                    self.session_of(mine, role_arn, ExternalId="another")
                with self.refused("AccessDenied", 403):
                    assume(assume(self.operator, mine), role_arn)

    def test_the_installer_changes_only_flows_that_carry_the_tag(self):
        installer = self.connect(self.control_plane, self.deploy()["InstallerRoleArn"])
        flow = dict(InstanceId=self.instance_id, Type="CONTACT_FLOW", Content=CONTENT)
        with self.refused("AccessDeniedException", 403):
            installer.create_contact_flow(**flow, Name="untagged")
        mine = installer.create_contact_flow(**flow, Name="mine", Tags=TAGS)["ContactFlowId"]
        summaries = installer.list_contact_flows(InstanceId=self.instance_id)["ContactFlowSummaryList"]
        theirs = next(it["Id"] for it in summaries if it["Name"] != "mine")
        change = dict(InstanceId=self.instance_id, Content=CONTENT)
        installer.update_contact_flow_content(**change, ContactFlowId=mine)
        for ask in (installer.update_contact_flow_content, installer.delete_contact_flow):
            more = change if ask == installer.update_contact_flow_content else {"InstanceId": self.instance_id}
            with self.refused("AccessDeniedException", 403):
                ask(**more, ContactFlowId=theirs)
        installer.delete_contact_flow(InstanceId=self.instance_id, ContactFlowId=mine)

    def test_the_runtime_role_stops_calls_and_does_nothing_else(self):
        runtime = self.connect(self.limiter, self.deploy()["RuntimeRoleArn"])
        with self.refused("ContactNotFoundException"):
            runtime.stop_contact(InstanceId=self.instance_id, ContactId="00000000-0000-4000-8000-000000000000")
        for ask in (runtime.list_queues, runtime.list_contact_flows, runtime.describe_instance, runtime.list_users):
            with self.refused("AccessDeniedException", 403):
                ask(InstanceId=self.instance_id)

    def test_deployed_again_a_stack_changes_its_roles(self):
        self.deploy()
        outputs = self.deploy(ExternalId="issued-anew")
        with self.refused("AccessDenied"):
            self.session_of(self.control_plane, outputs["InstallerRoleArn"])
        self.session_of(self.control_plane, outputs["InstallerRoleArn"], ExternalId="issued-anew")

    def test_a_removed_stack_takes_its_roles_and_their_sessions_with_it(self):
        installer_arn = self.deploy()["InstallerRoleArn"]
        installer = self.connect(self.control_plane, installer_arn)
        installer.describe_instance(InstanceId=self.instance_id)
        removed = control("DELETE", f"stacks/ringfence?account_id={CUSTOMER}")["removed"]
        self.assertEqual(sorted(removed), ["ringfence-installer-con_1", "ringfence-runtime-con_1"])
        with self.refused("AccessDenied"):
            self.session_of(self.control_plane, installer_arn)
        with self.refused("AccessDeniedException"):
            installer.describe_instance(InstanceId=self.instance_id)
        status, answer = send("DELETE", f"/_sim/stacks/ringfence?account_id={CUSTOMER}")
        self.assertEqual(status, 404, answer)

    def test_what_is_wrong_is_refused_by_its_name_and_changes_nothing(self):
        role_arn = self.deploy()["InstallerRoleArn"]
        for field, body in (
            ("parameters.ExternalId", self.body(ExternalId=None)),
            ("parameters.ExternalId", self.body(ExternalId="with space")),
            ("parameters.Unknown", self.body(Unknown="x")),
            ("template", self.body(template="Resources: [")),
            ("template", self.body(template="Resources: {Bucket: {Type: AWS::S3::Bucket}}")),
            ("template", self.body(template=TEMPLATE.replace("StringEquals:", "IpAddress:"))),
            ("account_id", {**self.body(), "account_id": "000000000001"}),
            ("region", {name: value for name, value in self.body().items() if name != "region"}),
        ):
            status, answer = send("POST", "/_sim/stacks", body)
            self.assertIn(status, (400, 404), answer)
            found = json.loads(answer)["error"]
            self.assertTrue(found["field"] == field or field in found["message"], found)
        self.session_of(self.control_plane, role_arn)


if __name__ == "__main__":
    unittest.main()
