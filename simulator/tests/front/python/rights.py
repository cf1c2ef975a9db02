"""A session may do what its role's policies and its session policy both allow, and nothing that any of them denies."""

import json
import unittest

from simulator import CUSTOMER, OPERATOR, Case, administrator, allow, assume, client, control, instance, policy, role
from simulator import send

FLOW = {
    "Version": "2019-10-30",
    "StartAction": "end",
    "Metadata": {},
    "Actions": [{"Identifier": "end", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {}}],
}


class Rights(Case):
    @classmethod
    def setUpClass(cls):
        control("POST", "quotas", {"enabled": False})
        cls.operator = administrator(OPERATOR)
        cls.administrator = administrator(CUSTOMER)
        cls.one, cls.two = instance(CUSTOMER, "one"), instance(CUSTOMER, "two")

    def session(self, *statements, **more):
        self.role_arn = role("worker", statements)
        return client("connect", assume(self.operator, self.role_arn, **more))

    def test_what_no_statement_allows_is_denied_in_aws_words(self):
        connect = self.session(allow("connect:DescribeInstance"))
        connect.describe_instance(InstanceId=self.one["instance_arn"].rsplit("/", 1)[1])
        with self.refused("AccessDeniedException", 403) as seen:
            connect.list_queues(InstanceId=id_of(self.one))
        message = seen.exception.response["Error"]["Message"]
        self.assertIn(f"User: arn:aws:sts::{CUSTOMER}:assumed-role/worker/tester", message)
        self.assertIn("is not authorized to perform: connect:ListQueues on resource: " + self.one["instance_arn"], message)

    def test_an_explicit_deny_wins(self):
        deny = {"Effect": "Deny", "Action": "connect:List*", "Resource": "*"}
        connect = self.session(allow("*"), deny)
        connect.describe_instance(InstanceId=id_of(self.one))
        with self.refused("AccessDeniedException", 403):
            connect.list_queues(InstanceId=id_of(self.one))

    def test_a_session_policy_narrows_and_never_widens(self):
        narrow = json.dumps(policy(allow("connect:*", self.one["instance_arn"] + "*")))
        connect = self.session(allow(["connect:ListQueues", "connect:ListUsers"]), Policy=narrow)
        connect.list_queues(InstanceId=id_of(self.one))
        for ask in (
            lambda: connect.list_queues(InstanceId=id_of(self.two)),
            lambda: connect.describe_instance(InstanceId=id_of(self.one)),
        ):
            with self.refused("AccessDeniedException", 403):
                ask()

    def test_rights_are_looked_at_before_existence(self):
        connect = self.session(allow("connect:ListQueues"))
        with self.refused("AccessDeniedException", 403):
            connect.describe_queue(InstanceId=id_of(self.one), QueueId="00000000-0000-4000-8000-000000000000")

    def test_creating_only_with_the_tag_and_changing_only_what_carries_it(self):
        tagged = {"StringEquals": {"aws:RequestTag/managed-by": "ringfence"}}
        carrying = {"StringEquals": {"aws:ResourceTag/managed-by": "ringfence"}}
        connect = self.session(
            allow(["connect:CreateContactFlow", "connect:TagResource"], Condition=tagged),
            allow(["connect:UpdateContactFlowContent", "connect:DeleteContactFlow"], Condition=carrying),
        )
        flow = dict(InstanceId=id_of(self.one), Name="mine", Type="CONTACT_FLOW", Content=json.dumps(disconnecting()))
        with self.refused("AccessDeniedException", 403):
            connect.create_contact_flow(**flow)
        with self.refused("AccessDeniedException", 403):
            connect.create_contact_flow(**flow, Tags={"managed-by": "another"})
        made = connect.create_contact_flow(**flow, Tags={"managed-by": "ringfence"})
        theirs = client("connect", self.administrator).create_contact_flow(**{**flow, "Name": "theirs"})
        content = dict(InstanceId=id_of(self.one), Content=json.dumps(disconnecting()))
        connect.update_contact_flow_content(**content, ContactFlowId=made["ContactFlowId"])
        for change in (
            lambda: connect.update_contact_flow_content(**content, ContactFlowId=theirs["ContactFlowId"]),
            lambda: connect.delete_contact_flow(InstanceId=id_of(self.one), ContactFlowId=theirs["ContactFlowId"]),
        ):
            with self.refused("AccessDeniedException", 403):
                change()
        connect.delete_contact_flow(InstanceId=id_of(self.one), ContactFlowId=made["ContactFlowId"])

    def test_a_role_that_is_replaced_changes_its_sessions_at_once(self):
        connect = self.session(allow("connect:ListQueues"))
        connect.list_queues(InstanceId=id_of(self.one))
        role("worker", [allow("connect:ListUsers")])
        with self.refused("AccessDeniedException", 403):
            connect.list_queues(InstanceId=id_of(self.one))

    def test_an_administrator_is_one_in_their_own_account_only(self):
        theirs = role("theirs", [allow("*")], trusted=CUSTOMER)
        self.assertTrue(assume(self.administrator, theirs))
        operator = client("connect", self.operator)
        with self.refused("AccessDeniedException", 403):
            operator.list_tags_for_resource(resourceArn=self.one["instance_arn"])

    def test_a_policy_that_would_not_be_understood_is_not_stored(self):
        trust = policy({"Effect": "Allow", "Principal": {"AWS": OPERATOR}, "Action": "sts:AssumeRole"})
        unknown = allow("*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
        for field, body in (
            ("policy", {"trust_policy": trust, "policy": policy(unknown)}),
            ("policy", {"trust_policy": trust, "policy": policy({"Effect": "Allow", "Action": "*"})}),
            ("trust_policy", {"trust_policy": policy(allow("sts:AssumeRole"))}),
            ("trust_policy", {"trust_policy": "text"}),
        ):
            body = {"account_id": CUSTOMER, "role_name": "odd", **body}
            status, answer = send("POST", "/_sim/roles", body)
            self.assertEqual(status, 400, answer)
            self.assertTrue(json.loads(answer)["error"]["field"].startswith(field), answer)


def disconnecting():
    action = {"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
    return {**FLOW, "Actions": [action]}


def id_of(made):
    return made["instance_arn"].rsplit("/", 1)[1]


if __name__ == "__main__":
    unittest.main()
