"""Only what a known key signed is served."""

import datetime
import unittest
from unittest import mock

from simulator import CUSTOMER, OPERATOR, STRANGER, Case, administrator, assume, client, control, instance, role, send
from simulator import allow

SERVICES = {
    "connect": lambda keys: client("connect", keys).list_instances(),
    "sts": lambda keys: client("sts", keys).get_caller_identity(),
    "dynamodb": lambda keys: client("dynamodb", keys).list_tables(),
    "dynamodbstreams": lambda keys: client("dynamodbstreams", keys).list_streams(),
    "lambda": lambda keys: client("lambda", keys).get_policy(FunctionName="none"),
}


class Signatures(Case):
    def setUp(self):
        self.keys = administrator(CUSTOMER)

    def refused_everywhere(self, keys, code, exceptions):
        for service, ask in SERVICES.items():
            with self.subTest(service), self.refused(exceptions.get(service, code)):
                ask(keys)

    def test_a_right_key_is_known_by_its_account(self):
        identity = client("sts", self.keys).get_caller_identity()
        self.assertEqual(identity["Account"], CUSTOMER)
        self.assertEqual(identity["Arn"], f"arn:aws:iam::{CUSTOMER}:user/administrator")

    def test_an_unknown_key_is_refused(self):
        keys = {**self.keys, "access_key_id": "AKIAUNKNOWNUNKNOWN12"}
        self.refused_everywhere(keys, "UnrecognizedClientException", {"sts": "InvalidClientTokenId"})

    def test_a_wrong_secret_is_refused(self):
        keys = {**self.keys, "secret_access_key": "x" * 40}
        self.refused_everywhere(keys, "InvalidSignatureException", {"sts": "SignatureDoesNotMatch"})

    def test_a_session_without_its_token_or_with_another_is_refused(self):
        role_arn = role("visited", [allow("*")])
        operator = administrator(OPERATOR)
        session, other = assume(operator, role_arn), assume(operator, role_arn)
        client("sts", session).get_caller_identity()
        for token in (None, other["session_token"], "x" * 100):
            keys = {**session, "session_token": token}
            self.refused_everywhere(keys, "UnrecognizedClientException", {"sts": "InvalidClientTokenId"})

    def test_a_token_does_not_go_with_a_key_that_has_none(self):
        keys = {**self.keys, "session_token": "x" * 100}
        with self.refused("InvalidClientTokenId", 403):
            client("sts", keys).get_caller_identity()

    def test_a_clock_that_is_off_by_more_than_five_minutes_is_refused(self):
        for minutes, accepted in ((4, True), (-4, True), (6, False), (-6, False)):
            def shifted(remove_tzinfo=True, minutes=minutes):
                now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
                return now.replace(tzinfo=None) if remove_tzinfo else now

            with self.subTest(minutes), mock.patch("botocore.auth.get_current_datetime", shifted):
                if accepted:
                    client("sts", self.keys).get_caller_identity()
                else:
                    with self.refused("SignatureDoesNotMatch", 403):
                        client("sts", self.keys).get_caller_identity()
                    with self.refused("InvalidSignatureException"):
                        client("connect", self.keys).list_instances()

    def test_nothing_unsigned_is_served(self):
        for path in ("/", "/instance", "/2015-03-31/functions/none/policy", "/nonsense"):
            for headers in ({}, {"authorization": "Bearer token"}, {"authorization": "AWS4-HMAC-SHA256 nonsense"}):
                status, body = send("GET", path, headers=headers)
                self.assertIn(status, (400, 403), (path, headers, body))

    def test_a_presigned_url_is_no_signature(self):
        url = client("sts", self.keys).generate_presigned_url("get_caller_identity")
        path = url[url.index("/", len("http://")):]
        status, _ = send("GET", path)
        self.assertEqual(status, 403)

    def test_odd_paths_queries_and_bodies_are_signed_as_the_sdk_does(self):
        made = instance(CUSTOMER)
        connect = client("connect", self.keys)
        control("POST", "quotas", {"enabled": False})
        instance_id = made["instance_arn"].rsplit("/", 1)[1]
        flows = connect.list_contact_flows(
            InstanceId=instance_id, ContactFlowTypes=["OUTBOUND_WHISPER", "CONTACT_FLOW"], MaxResults=50
        )
        flow = flows["ContactFlowSummaryList"][0]
        odd = {"näme+with spaces": "a/b?c=d&e=ü%20~*'()"}
        connect.tag_resource(resourceArn=flow["Arn"], tags=odd)
        described = connect.describe_contact_flow(InstanceId=instance_id, ContactFlowId=f"{flow['Id']}:$SAVED")
        self.assertEqual(described["ContactFlow"]["Tags"], odd)
        with self.refused("InvalidRequestException"):
            connect.list_queues(InstanceId=instance_id, NextToken="no token + / = & %41 ü")
        connect.untag_resource(resourceArn=flow["Arn"], tagKeys=list(odd))
        self.assertEqual(connect.list_tags_for_resource(resourceArn=flow["Arn"])["tags"], {})

    def test_another_account_is_another_caller(self):
        instance(CUSTOMER, "theirs")
        stranger = administrator(STRANGER)
        self.assertEqual(client("connect", stranger).list_instances()["InstanceSummaryList"], [])


if __name__ == "__main__":
    unittest.main()
