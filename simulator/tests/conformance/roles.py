"""Who may assume a customer's role, and what a session may do."""

import json

from servers import CUSTOMER, OPERATOR

EXTERNAL_ID = "rf-0123456789abcdef"
ANOTHER = "rf-fedcba9876543210"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, resource="*"):
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def trust(principal, external_id=None):
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    if external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return policy(statement)


class Cast:
    """The limiter's role, a stranger of the same account, one that may assume nothing, and the customer's role."""

    def __init__(self, server):
        operator = f"arn:aws:iam::{OPERATOR}:root"
        may_assume = policy(allow("sts:AssumeRole"))
        limiter = server.role(OPERATOR, "limiter", trust(operator), may_assume)
        stranger = server.role(OPERATOR, "stranger", trust(operator), may_assume)
        powerless = server.role(OPERATOR, "powerless", trust(operator), policy(allow("dynamodb:ListTables")))
        self.runtime = server.role(
            CUSTOMER,
            "runtime",
            trust([limiter, powerless], EXTERNAL_ID),
            policy(allow(["dynamodb:ListTables", "dynamodb:DescribeLimits", "sts:AssumeRole"])),
        )
        self.denying = server.role(
            CUSTOMER,
            "denying",
            trust(limiter, EXTERNAL_ID),
            policy(allow("dynamodb:*"), {"Effect": "Deny", "Action": "dynamodb:ListTables", "Resource": "*"}),
        )
        self.open = server.role(CUSTOMER, "open", trust(limiter), policy(allow("dynamodb:ListTables")))
        self.whole_account = server.role(CUSTOMER, "whole-account", trust(OPERATOR, EXTERNAL_ID), policy(allow("dynamodb:ListTables")))
        holders = {"limiter": limiter, "stranger": stranger, "powerless": powerless}
        self.sts = {name: server.client("sts", server.holder(role)) for name, role in holders.items()}
        self.sts["customer"] = server.client("sts", server.roots[CUSTOMER])
        self.server = server


def shape(value):
    """The members with their kinds; ids and times differ by nature."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items() if name != "ResponseMetadata"}
    return type(value).__name__


def questions(servers):
    casts = {server: Cast(server) for server in servers}

    def assume(cast, who="limiter", role=None, **changes):
        asked = {"RoleArn": role or cast.runtime, "RoleSessionName": "ringfence", "ExternalId": EXTERNAL_ID, **changes}
        return cast.sts[who].assume_role(**{name: value for name, value in asked.items() if value is not None})

    def with_cast(question):
        return lambda server: question(casts[server])

    def lists_tables(cast, role=None, **changes):
        keys = assume(cast, role=role, **changes)["Credentials"]
        return shape(cast.server.client("dynamodb", keys).list_tables())

    def makes_a_table(cast, **changes):
        keys = assume(cast, **changes)["Credentials"]
        client = cast.server.client("dynamodb", keys)
        table = {
            "TableName": "made",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        return client.create_table(**table)["ResponseMetadata"]["HTTPStatusCode"]

    def seconds(cast, **changes):
        answer = assume(cast, **changes)
        ends, told = answer["Credentials"]["Expiration"], answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        return "ends within the hour" if ends and told else "no end"

    def identity(cast):
        keys = assume(cast)["Credentials"]
        told = cast.server.client("sts", keys).get_caller_identity()
        return {"Account": told["Account"], "Arn": told["Arn"], "of the session": told["UserId"].endswith(":ringfence")}

    def assumed(cast):
        told = assume(cast)["AssumedRoleUser"]
        return {"Arn": told["Arn"], "id": told["AssumedRoleId"].startswith("AROA") and told["AssumedRoleId"].endswith(":ringfence")}

    def keys_are_of_a_session(cast):
        keys = assume(cast)["Credentials"]
        return keys["AccessKeyId"].startswith("ASIA"), 16 <= len(keys["AccessKeyId"]) <= 128

    def with_wrong_secret(cast):
        keys = {**assume(cast)["Credentials"], "SecretAccessKey": "wrong"}
        return cast.server.client("sts", keys).get_caller_identity()["Account"]

    def without_its_token(cast):
        keys = assume(cast)["Credentials"]
        keys.pop("SessionToken")
        return cast.server.client("sts", keys).get_caller_identity()["Account"]

    def further(cast, **changes):
        keys = assume(cast)["Credentials"]
        asked = {"RoleArn": cast.open, "RoleSessionName": "further", **changes}
        return shape(cast.server.client("sts", keys).assume_role(**asked))

    only_listing = json.dumps(policy(allow("dynamodb:ListTables")))
    more_than_the_role = json.dumps(policy(allow("dynamodb:*")))
    of_another = json.dumps(policy(allow("connect:StopContact", "arn:aws:connect:us-east-1:111122223333:instance/one/contact/*")))
    asked = {
        "the external id is right": lambda cast: shape(assume(cast)),
        "the external id is wrong": lambda cast: shape(assume(cast, ExternalId=ANOTHER)),
        "the external id is missing": lambda cast: shape(assume(cast, ExternalId=None)),
        "the external id differs in case": lambda cast: shape(assume(cast, ExternalId=EXTERNAL_ID.upper())),
        "the external id has a space": lambda cast: shape(assume(cast, ExternalId="has a space")),
        "the external id is one character": lambda cast: shape(assume(cast, ExternalId="x")),
        "an external id where none is demanded": lambda cast: shape(assume(cast, role=cast.open)),
        "none where none is demanded": lambda cast: shape(assume(cast, role=cast.open, ExternalId=None)),
        "another role of the trusted account": lambda cast: shape(assume(cast, who="stranger")),
        "a role that may not assume": lambda cast: shape(assume(cast, who="powerless")),
        "the customer's own administrator": lambda cast: shape(assume(cast, who="customer")),
        "the whole account is trusted": lambda cast: shape(assume(cast, who="stranger", role=cast.whole_account)),
        "the whole account is trusted, but the role may not assume": lambda cast: shape(assume(cast, who="powerless", role=cast.whole_account)),
        "a role that is not there": lambda cast: shape(assume(cast, role=f"arn:aws:iam::{CUSTOMER}:role/nobody")),
        "a role of an account that is not there": lambda cast: shape(assume(cast, role="arn:aws:iam::123456789012:role/runtime")),
        "a role that is no ARN": lambda cast: shape(assume(cast, role="runtime-role-without-an-arn")),
        "a session name with a space": lambda cast: shape(assume(cast, RoleSessionName="ring fence")),
        "a session name of one character": lambda cast: shape(assume(cast, RoleSessionName="r")),
        "no session name": lambda cast: shape(assume(cast, RoleSessionName=None)),
        "a session of an hour": lambda cast: seconds(cast, DurationSeconds=3600),
        "a session of a minute": lambda cast: seconds(cast, DurationSeconds=60),
        "a session of two hours from a role": lambda cast: seconds(cast, DurationSeconds=7200),
        "a session of a day": lambda cast: seconds(cast, DurationSeconds=86400),
        "a session policy that is no JSON": lambda cast: shape(assume(cast, Policy="{")),
        "a session policy that is none": lambda cast: shape(assume(cast, Policy='{"Version": "2012-10-17"}')),
        "a session policy is measured": lambda cast: shape(assume(cast, Policy=only_listing)),
        "who the session is": identity,
        "who was assumed": assumed,
        "what the keys look like": keys_are_of_a_session,
        "a wrong secret": with_wrong_secret,
        "the session's token left out": without_its_token,
        "the role may": lambda cast: lists_tables(cast),
        "the role may not": lambda cast: makes_a_table(cast),
        "the role may, and so does the session": lambda cast: lists_tables(cast, Policy=only_listing),
        "the role may, but not the session": lambda cast: lists_tables(cast, Policy=of_another),
        "the session may, but not the role": lambda cast: makes_a_table(cast, Policy=more_than_the_role),
        "the role is denied what it may": lambda cast: lists_tables(cast, role=cast.denying),
        "from role to role to role": further,
        "from role to role for two hours": lambda cast: further(cast, DurationSeconds=7200),
    }
    return [(f"AssumeRole: {name}", with_cast(question)) for name, question in asked.items()]
