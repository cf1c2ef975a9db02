"""The two servers, made alike: two accounts, roles, a function. Only how things come into being differs."""

import io
import json
import urllib.request
import zipfile

import boto3
from botocore.config import Config

OPERATOR = "999988887777"
CUSTOMER = "111122223333"
REGION = "us-east-1"
# What is asked is sent as it is: it is the servers that are to refuse it.
AS_IT_IS = Config(retries={"total_max_attempts": 1}, parameter_validation=False)


class Server:
    def client(self, service, keys):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
            config=AS_IT_IS,
        )


class Simulator(Server):
    def __init__(self, url, bootstrap):
        self.url = url
        self.bootstrap = bootstrap
        self.control("quotas", {"enabled": False})
        self.roots = {account: self.account(account) for account in (OPERATOR, CUSTOMER)}

    def control(self, path, body):
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_sim/{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def account(self, account_id):
        keys = self.control("accounts", {"account_id": account_id})
        return {"AccessKeyId": keys["access_key_id"], "SecretAccessKey": keys["secret_access_key"]}

    def role(self, account_id, name, trust, policy):
        body = {"account_id": account_id, "role_name": name, "trust_policy": trust, "policy": policy}
        return self.control("roles", body)["role_arn"]

    def holder(self, role_arn):
        keys = self.control("role-credentials", {"role_arn": role_arn})
        names = {"AccessKeyId": "access_key_id", "SecretAccessKey": "secret_access_key", "SessionToken": "session_token"}
        return {name: keys[key] for name, key in names.items()}

    def function(self, name):
        body = {"account_id": OPERATOR, "region": REGION, "name": name, "bootstrap": self.bootstrap}
        return self.control("functions", body)["function_arn"]


class Second(Server):
    """Ministack: an account's number is the key of its root user."""

    def __init__(self, url):
        self.url = url
        self.roots = {
            account: {"AccessKeyId": account, "SecretAccessKey": "test"} for account in (OPERATOR, CUSTOMER)
        }

    def role(self, account_id, name, trust, policy):
        iam = self.client("iam", self.roots[account_id])
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=json.dumps(policy))
        return made["Role"]["Arn"]

    def holder(self, role_arn):
        sts = self.client("sts", self.roots[OPERATOR])
        return sts.assume_role(RoleArn=role_arn, RoleSessionName="instance-profile")["Credentials"]

    def function(self, name):
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        nothing = {"Effect": "Deny", "Action": "*", "Resource": "*"}
        document = {"Version": "2012-10-17"}
        role = self.role(OPERATOR, f"of-{name}", {**document, "Statement": trust}, {**document, "Statement": nothing})
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("bootstrap", "#!/bin/sh\n")
        made = self.client("lambda", self.roots[OPERATOR]).create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=role,
            Code={"ZipFile": code.getvalue()},
        )
        return made["FunctionArn"]
