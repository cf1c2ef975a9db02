"""A role is given to those it trusts alone, and for as long as the rules say."""

import datetime
import json
import unittest

from simulator import CUSTOMER, OPERATOR, STRANGER, Case, administrator, allow, assume, client, control, policy, role
from simulator import send


class Trust(Case):
    @classmethod
    def setUpClass(cls):
        cls.operator = administrator(OPERATOR)
        cls.stranger = administrator(STRANGER)
        administrator(CUSTOMER)

    def ask(self, keys, role_arn, **more):
        return client("sts", keys).assume_role(RoleArn=role_arn, RoleSessionName="tester", **more)

    def test_the_external_id_has_to_be_the_right_one(self):
        role_arn = role("guarded", [allow("connect:*")], external_id="the-right-one")
        self.ask(self.operator, role_arn, ExternalId="the-right-one")
        for given in ({}, {"ExternalId": "the-wrong-one"}, {"ExternalId": "THE-RIGHT-ONE"}):
            with self.subTest(given), self.refused("AccessDenied", 403):
                self.ask(self.operator, role_arn, **given)

    def test_a_role_that_is_not_there_is_refused_in_the_same_words_as_one_that_does_not_trust(self):
        there = role("closed", [allow("connect:*")], external_id="secret-of-others")
        absent = there.replace("closed", "absent")
        said = []
        for role_arn in (there, absent):
            with self.refused("AccessDenied", 403) as seen:
                self.ask(self.operator, role_arn)
            said.append(seen.exception.response["Error"]["Message"].replace(role_arn, "it"))
        self.assertEqual(said[0], said[1])
        self.assertIn("is not authorized to perform: sts:AssumeRole on resource: it", said[0])

    def test_an_account_that_is_not_trusted_is_refused(self):
        role_arn = role("for-the-operator", [allow("connect:*")])
        with self.refused("AccessDenied", 403):
            self.ask(self.stranger, role_arn)

    def test_a_trusted_role_is_trusted_in_all_its_sessions_and_no_other_is(self):
        limiter = role("limiter", [allow("sts:AssumeRole")], account_id=OPERATOR)
        other = role("other", [allow("sts:AssumeRole")], account_id=OPERATOR)
        role_arn = role("for-the-limiter", [allow("connect:*")], trusted=limiter)
        for name in ("one", "two"):
            assume(assume(self.operator, limiter, name), role_arn)
        with self.refused("AccessDenied", 403):
            assume(assume(self.operator, other), role_arn)
        with self.refused("AccessDenied", 403):
            self.ask(self.operator, role_arn)

    def test_a_trusted_caller_still_needs_its_own_permission(self):
        silent = role("silent", [allow("connect:*")], account_id=OPERATOR)
        elsewhere = role("elsewhere", [allow("sts:AssumeRole", "arn:aws:iam::*:role/other-*")], account_id=OPERATOR)
        role_arn = role("for-both", [allow("connect:*")], trusted=[silent, elsewhere])
        for mine in (silent, elsewhere):
            with self.subTest(mine), self.refused("AccessDenied", 403):
                assume(assume(self.operator, mine), role_arn)

    def test_an_explicit_deny_in_the_trust_policy_wins(self):
        statements = [
            {"Effect": "Allow", "Principal": {"AWS": OPERATOR}, "Action": "sts:AssumeRole"},
            {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
             "Condition": {"StringNotEquals": {"sts:ExternalId": "open-sesame"}}},
        ]
        body = {"account_id": CUSTOMER, "role_name": "denying", "trust_policy": policy(*statements)}
        role_arn = control("POST", "roles", body)["role_arn"]
        self.ask(self.operator, role_arn, ExternalId="open-sesame")
        with self.refused("AccessDenied", 403):
            self.ask(self.operator, role_arn, ExternalId="another")

    def test_a_session_is_known_by_its_role_and_name(self):
        role_arn = role("visited", [allow("connect:*")])
        answer = client("sts", self.operator).assume_role(RoleArn=role_arn, RoleSessionName="ringfence-limiter")
        arn = f"arn:aws:sts::{CUSTOMER}:assumed-role/visited/ringfence-limiter"
        self.assertEqual(answer["AssumedRoleUser"]["Arn"], arn)
        keys = answer["Credentials"]
        session = {
            "access_key_id": keys["AccessKeyId"],
            "secret_access_key": keys["SecretAccessKey"],
            "session_token": keys["SessionToken"],
        }
        # Every identity may ask who it is.
        identity = client("sts", session).get_caller_identity()
        self.assertEqual(identity["Arn"], arn)
        self.assertEqual(identity["Account"], CUSTOMER)
        self.assertEqual(identity["UserId"], answer["AssumedRoleUser"]["AssumedRoleId"])

    def test_a_session_lasts_as_long_as_was_asked_for(self):
        role_arn = role("visited", [allow("connect:*")], max_session_seconds=7200)
        for asked, lasts in (({}, 3600), ({"DurationSeconds": 900}, 900), ({"DurationSeconds": 7200}, 7200)):
            answer = self.ask(self.operator, role_arn, **asked)
            left = answer["Credentials"]["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
            self.assertAlmostEqual(left.total_seconds(), lasts, delta=30)

    def test_a_session_lasts_no_longer_than_the_role_and_chaining_allow(self):
        short = role("short", [allow("connect:*")])
        long = role("long", [allow("connect:*")], max_session_seconds=43200)
        with self.refused("ValidationError", 400):
            self.ask(self.operator, short, DurationSeconds=3601)
        self.ask(self.operator, long, DurationSeconds=43200)
        chained = assume(self.operator, role("own", [allow("sts:AssumeRole")], account_id=OPERATOR))
        self.ask(chained, long, DurationSeconds=3600)
        with self.refused("ValidationError", 400):
            self.ask(chained, long, DurationSeconds=3601)
        # The SDK would refuse the first of these by itself.
        unchecked = client("sts", self.operator, parameter_validation=False)
        for wrong in (899, 43201):
            with self.refused("ValidationError", 400):
                unchecked.assume_role(RoleArn=long, RoleSessionName="tester", DurationSeconds=wrong)

    def test_what_is_not_simulated_is_refused_and_not_ignored(self):
        role_arn = role("visited", [allow("connect:*")])
        for more in (
            {"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]},
            {"Tags": [{"Key": "tenant", "Value": "one"}]},
            {"SourceIdentity": "somebody"},
        ):
            with self.subTest(more), self.refused("ValidationError", 400):
                self.ask(self.operator, role_arn, **more)

    def test_session_policies_are_checked_before_anything_is_given(self):
        role_arn = role("visited", [allow("connect:*")])
        broken = {"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps", "Action": "*", "Resource": "*"}]}
        for text in ("{", json.dumps(broken)):
            with self.refused("MalformedPolicyDocument", 400):
                self.ask(self.operator, role_arn, Policy=text)
        resources = [f"arn:aws:connect:us-east-1:{CUSTOMER}:instance/{number:036}" for number in range(40)]
        with self.refused("ValidationError", 400):
            self.ask(self.operator, role_arn, Policy=json.dumps(policy(allow("connect:*", resources))))

    def test_names_and_external_ids_are_constrained(self):
        role_arn = role("visited", [allow("connect:*")])
        sts = client("sts", self.operator)
        for name, more in (("a b", {}), ("x" * 65, {}), ("tester", {"ExternalId": "with space"})):
            with self.subTest(name), self.refused("ValidationError", 400):
                sts.assume_role(RoleArn=role_arn, RoleSessionName=name, **more)

    def test_an_instance_profile_hands_out_sessions_of_a_role_that_exists(self):
        role_arn = role("worker", [allow("sts:*")], account_id=OPERATOR)
        keys = control("POST", "role-credentials", {"role_arn": role_arn})
        arn = client("sts", keys).get_caller_identity()["Arn"]
        self.assertTrue(arn.startswith(f"arn:aws:sts::{OPERATOR}:assumed-role/worker/"), arn)
        status, body = send("POST", "/_sim/role-credentials", {"role_arn": role_arn + "-absent"})
        self.assertEqual(status, 404, body)


if __name__ == "__main__":
    unittest.main()
