"""Quotas, faults on demand, the record of requests, and how the control API refuses."""

import json
import os
import time
import unittest

from botocore.exceptions import ClientError, ConnectionClosedError

from simulator import CUSTOMER, OPERATOR, STRANGER, Case, administrator, allow, assume, client, control, instance, role
from simulator import send

NO_CONTACT = "00000000-0000-4000-8000-000000000000"


class Stage(Case):
    @classmethod
    def setUpClass(cls):
        cls.keys = administrator(CUSTOMER)
        cls.instance_id = instance(CUSTOMER, cls.__name__.lower())["instance_arn"].rsplit("/", 1)[1]

    def setUp(self):
        control("DELETE", "faults")
        control("POST", "quotas", {"enabled": True})
        self.connect = client("connect", self.keys)

    def tearDown(self):
        control("DELETE", "faults")

    def list_queues(self, connect=None):
        return (connect or self.connect).list_queues(InstanceId=self.instance_id)


class Quotas(Stage):
    def throttled(self, ask, code, status=429):
        """How many went through before one was refused for its rate."""
        for number in range(200):
            try:
                ask()
            except ClientError as refused:
                if refused.response["Error"]["Code"] == "ContactNotFoundException":
                    continue
                self.assertEqual(refused.response["Error"]["Code"], code)
                self.assertEqual(refused.response["ResponseMetadata"]["HTTPStatusCode"], status)
                return number
        self.fail("never refused")

    def stop(self):
        self.connect.stop_contact(ContactId=NO_CONTACT, InstanceId=self.instance_id)

    def test_a_burst_goes_through_and_then_the_rate_is_kept(self):
        self.assertGreaterEqual(self.throttled(self.list_queues, "ThrottlingException"), 5)
        self.assertGreaterEqual(self.throttled(self.stop, "TooManyRequestsException"), 15)

    def test_how_a_throttled_stop_is_named_can_be_switched(self):
        control("POST", "behaviour", {"stop_contact_throttling_exception": True})
        try:
            self.throttled(self.stop, "ThrottlingException")
        finally:
            control("POST", "behaviour", {"stop_contact_throttling_exception": False})

    def test_operations_and_accounts_have_quotas_of_their_own(self):
        self.throttled(self.list_queues, "ThrottlingException")
        self.connect.list_users(InstanceId=self.instance_id)
        # A stranger is told that there is no such instance, not that it asks too often.
        with self.refused("ResourceNotFoundException", 404):
            self.list_queues(client("connect", administrator(STRANGER)))
        with self.refused("ResourceNotFoundException", 404):
            self.list_queues(client("connect", self.keys, "eu-west-2"))

    def test_sessions_draw_on_the_quota_of_the_account_they_are_in(self):
        administrator(OPERATOR)
        role_arn = role("visitor", [allow("connect:*")])
        visitor = client("connect", assume(administrator(OPERATOR), role_arn))
        self.throttled(self.list_queues, "ThrottlingException")
        with self.refused("ThrottlingException", 429):
            self.list_queues(visitor)

    def test_switched_off_nothing_is_refused(self):
        self.assertEqual(control("POST", "quotas", {"enabled": False}), {"enabled": False, "scale": 1.0})
        for _ in range(30):
            self.list_queues()

    def test_a_switch_that_is_no_switch_is_refused(self):
        for body in ({}, {"enabled": "no"}, {"enabled": True, "rate": 7}, []):
            status, answer = send("POST", "/_sim/quotas", body)
            self.assertEqual(status, 400, answer)
            self.assertIn("message", json.loads(answer)["error"])


class Faults(Stage):
    def setUp(self):
        super().setUp()
        control("POST", "quotas", {"enabled": False})
        self.dynamodb = client("dynamodb", self.keys)
        self.sts = client("sts", self.keys)

    def order(self, service, kind, **more):
        return control("POST", "faults", {"service": service, "kind": kind, **more})

    def test_each_service_fails_in_its_own_words(self):
        asks = {
            "connect": self.list_queues,
            "dynamodb": self.dynamodb.list_tables,
            "sts": self.sts.get_caller_identity,
            "lambda": lambda: client("lambda", self.keys).get_policy(FunctionName="none"),
        }
        for service, kind, code, status in (
            ("connect", "throttle", "ThrottlingException", 429),
            ("connect", "error_500", "InternalServiceException", 500),
            ("connect", "access_denied", "AccessDeniedException", 403),
            ("connect", "unavailable", "ServiceUnavailable", 503),
            ("dynamodb", "throttle", "ThrottlingException", 400),
            ("dynamodb", "error_500", "InternalServerError", 500),
            ("dynamodb", "access_denied", "AccessDeniedException", 400),
            ("dynamodb", "unavailable", "ServiceUnavailable", 503),
            ("sts", "throttle", "Throttling", 400),
            ("sts", "access_denied", "AccessDenied", 403),
            ("sts", "unavailable", "ServiceUnavailable", 503),
            ("lambda", "throttle", "TooManyRequestsException", 429),
            ("lambda", "error_500", "ServiceException", 500),
        ):
            with self.subTest(service=service, kind=kind):
                control("DELETE", "faults")
                self.order(service, kind)
                with self.refused(code, status):
                    asks[service]()

    def test_only_the_operation_and_account_that_were_named_are_struck(self):
        self.order("connect", "error_500", operation="ListUsers", account_id=CUSTOMER)
        self.list_queues()
        client("connect", administrator(STRANGER)).list_instances()
        with self.refused("InternalServiceException"):
            self.connect.list_users(InstanceId=self.instance_id)

    def test_a_fault_with_a_count_is_gone_afterwards(self):
        self.order("connect", "error_500", count=2)
        for _ in range(2):
            with self.refused("InternalServiceException"):
                self.list_queues()
        self.list_queues()
        self.assertEqual(control("GET", "faults")["data"], [])

    def test_an_ordered_fault_is_listed_until_it_is_cleared(self):
        self.order("dynamodb", "unavailable", probability=0.25)
        self.assertEqual(
            control("GET", "faults")["data"], [{"service": "dynamodb", "kind": "unavailable", "probability": 0.25}]
        )
        control("DELETE", "faults")
        self.dynamodb.list_tables()

    def test_a_delay_delays(self):
        self.order("connect", "delay_ms", delay_ms=300)
        started = time.monotonic()
        self.list_queues()
        self.assertGreaterEqual(time.monotonic() - started, 0.3)

    def test_a_lost_response_is_lost_after_the_work_was_done(self):
        self.order("dynamodb", "lost_response", operation="CreateTable", count=1)
        with self.assertRaises(ConnectionClosedError):
            self.dynamodb.create_table(
                TableName="made-all-the-same",
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
            )
        self.assertIn("made-all-the-same", self.dynamodb.list_tables()["TableNames"])

    def test_a_fault_that_makes_no_sense_is_refused_by_its_field(self):
        for field, body in (
            ("service", {"service": "s3", "kind": "throttle"}),
            ("kind", {"service": "sts", "kind": "explode"}),
            ("probability", {"service": "sts", "kind": "throttle", "probability": 2}),
            ("count", {"service": "sts", "kind": "throttle", "count": -1}),
            ("delay_ms", {"service": "sts", "kind": "delay_ms"}),
        ):
            status, answer = send("POST", "/_sim/faults", body)
            self.assertEqual((status, json.loads(answer)["error"]["field"]), (400, field), answer)


class Record(Stage):
    def test_what_was_asked_and_answered_is_told(self):
        self.list_queues()
        with self.refused("ContactNotFoundException"):
            self.connect.stop_contact(ContactId=NO_CONTACT, InstanceId=self.instance_id)
        query = f"requests?service=connect&operation=StopContact&account_id={CUSTOMER}&limit=1"
        (entry,) = control("GET", query)["data"]
        self.assertEqual(entry["parameters"], {"ContactId": NO_CONTACT, "InstanceId": self.instance_id})
        self.assertEqual((entry["status"], entry["error"]), (410, "ContactNotFoundException"))
        self.assertEqual((entry["account_id"], entry["region"]), (CUSTOMER, "us-east-1"))
        self.assertEqual(entry["caller"], f"arn:aws:iam::{CUSTOMER}:user/administrator")

    def test_throttled_and_failed_requests_are_told_too(self):
        control("POST", "faults", {"service": "connect", "operation": "ListUsers", "kind": "throttle", "count": 1})
        with self.refused("ThrottlingException"):
            self.connect.list_users(InstanceId=self.instance_id)
        entry = control("GET", "requests?operation=ListUsers")["data"][-1]
        self.assertEqual((entry["status"], entry["error"]), (429, "ThrottlingException"))

    def test_a_request_of_nobody_is_told_without_a_caller(self):
        with self.refused("UnrecognizedClientException"):
            client("connect", {**self.keys, "access_key_id": "AKIAUNKNOWNUNKNOWN12"}).list_instances()
        entry = control("GET", "requests?service=connect&operation=ListInstances")["data"][-1]
        self.assertEqual((entry["caller"], entry["error"]), ("", "UnrecognizedClientException"))

    def test_external_ids_and_keys_are_not_in_it(self):
        operator = administrator(OPERATOR)
        role_arn = role("guarded", [allow("connect:*")], external_id="a-secret-external-id")
        session = assume(operator, role_arn, ExternalId="a-secret-external-id")
        client("sts", session).get_caller_identity()
        with open(os.environ["REQUEST_LOG"], encoding="utf-8") as file:
            text = file.read()
        self.assertIn("AssumeRole", text)
        for secret in ("a-secret-external-id", *session.values(), operator["secret_access_key"]):
            self.assertNotIn(secret, text)

    def test_the_file_holds_one_json_object_a_line_for_each_request(self):
        self.list_queues()
        shown = control("GET", "requests")["data"]
        with open(os.environ["REQUEST_LOG"], encoding="utf-8") as file:
            written = [json.loads(line) for line in file]
        self.assertEqual(written, shown)

    def test_a_question_that_makes_no_sense_is_refused(self):
        status, answer = send("GET", "/_sim/requests?limit=many")
        self.assertEqual(status, 400, answer)
        self.assertIn("error", json.loads(answer))


class ControlApi(Case):
    def test_what_is_missing_is_named_and_the_wrong_method_told(self):
        for method, path, status, field in (
            ("POST", "accounts", 400, "account_id"),
            ("POST", "instances", 400, "account_id"),
            ("PUT", "faults", 405, "method"),
            ("GET", "nothing", 404, "path"),
        ):
            seen, answer = send(method, f"/_sim/{path}", {} if method == "POST" else None)
            self.assertEqual((seen, json.loads(answer)["error"]["field"]), (status, field), answer)


if __name__ == "__main__":
    unittest.main()
