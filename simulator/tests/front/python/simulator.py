"""Clients of the running simulator, and its control API."""

import contextlib
import json
import os
import unittest
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["SIMULATOR"]
REGION = "us-east-1"
OPERATOR = "999988887777"
CUSTOMER = "111122223333"
STRANGER = "444455556666"
ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10)


def send(method, path, body=None, headers=None):
    """An unsigned request: its status and its body."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(ENDPOINT + path, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def control(method, path, body=None):
    """A call of the control API that has to succeed."""
    status, answer = send(method, f"/_sim/{path}", body)
    assert status < 300, (method, path, status, answer)
    return json.loads(answer) if answer else None


def client(service, keys, region=REGION, **config):
    return boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name=region,
        aws_access_key_id=keys["access_key_id"],
        aws_secret_access_key=keys["secret_access_key"],
        aws_session_token=keys.get("session_token"),
        config=ONCE.merge(Config(**config)),
    )


def administrator(account_id):
    return control("POST", "accounts", {"account_id": account_id})


def role(name, statements, account_id=CUSTOMER, trusted=None, external_id=None, **more):
    """Makes a role, or replaces it: trusting the operator's account unless told otherwise."""
    trust = {"Effect": "Allow", "Principal": {"AWS": trusted or OPERATOR}, "Action": "sts:AssumeRole"}
    if external_id:
        trust["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    body = {
        "account_id": account_id,
        "role_name": name,
        "trust_policy": policy(trust),
        "policy": policy(*statements),
        **more,
    }
    return control("POST", "roles", body)["role_arn"]


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions, resources="*", **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def assume(keys, role_arn, name="tester", **more):
    """Keys of a session of the role."""
    answer = client("sts", keys).assume_role(RoleArn=role_arn, RoleSessionName=name, **more)
    found = answer["Credentials"]
    return {
        "access_key_id": found["AccessKeyId"],
        "secret_access_key": found["SecretAccessKey"],
        "session_token": found["SessionToken"],
    }


def instance(account_id, alias="shop"):
    body = {
        "account_id": account_id,
        "region": REGION,
        "alias": alias,
        "queues": [{"name": "sales", "caller_id": "+12065550100"}],
        "agents": [{"username": "ada", "queues": ["sales"]}],
    }
    return control("POST", "instances", body)


class Case(unittest.TestCase):
    @contextlib.contextmanager
    def refused(self, code, status=None):
        """What is done inside must be refused with this code; the error's text is looked at afterwards."""
        with self.assertRaises(ClientError) as seen:
            yield seen
        response = seen.exception.response
        self.assertEqual(response["Error"]["Code"], code, response)
        if status:
            self.assertEqual(response["ResponseMetadata"]["HTTPStatusCode"], status, response)
