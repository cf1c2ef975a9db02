"""A function's resource policy: who may invoke it, statement by statement."""

import json

from servers import CUSTOMER, OPERATOR, REGION

INSTANCE = f"arn:aws:connect:{REGION}:{CUSTOMER}:instance/11111111-2222-3333-4444-555555555555"
GRANT = {
    "FunctionName": "limiter",
    "StatementId": "instance-one",
    "Action": "lambda:InvokeFunction",
    "Principal": "connect.amazonaws.com",
    "SourceAccount": CUSTOMER,
    "SourceArn": INSTANCE,
}


def questions(servers):
    lambdas = {}
    for server in servers:
        for name in ("limiter", "empty", "crowded"):
            server.function(name)
        lambdas[server] = server.client("lambda", server.roots[OPERATOR])

    def add(client, **changes):
        asked = {name: value for name, value in {**GRANT, **changes}.items() if value is not None}
        answer = client.add_permission(**asked)
        return answer["ResponseMetadata"]["HTTPStatusCode"], json.loads(answer["Statement"])

    def document(client, name="limiter"):
        answer = client.get_policy(FunctionName=name)
        told = json.loads(answer["Policy"])
        return {
            "status": answer["ResponseMetadata"]["HTTPStatusCode"],
            "members": sorted(told),
            "Version": told["Version"],
            "Id": told["Id"],
            "statements": sorted(told["Statement"], key=lambda statement: statement["Sid"]),
            "has a revision": bool(answer["RevisionId"]),
        }

    def revision(client):
        return client.get_policy(FunctionName="limiter")["RevisionId"]

    def changes_with_each_edit(client):
        before = revision(client)
        add(client, StatementId="passing")
        between = revision(client)
        client.remove_permission(FunctionName="limiter", StatementId="passing")
        return len({before, between, revision(client)})

    def remove(client, statement, name="limiter", **changes):
        answer = client.remove_permission(FunctionName=name, StatementId=statement, **changes)
        return answer["ResponseMetadata"]["HTTPStatusCode"]

    def crowd(client):
        for number in range(80):
            try:
                add(client, FunctionName="crowded", StatementId=f"instance-11111111-2222-3333-4444-{number:012}")
            except client.exceptions.ClientError as error:
                told = error.response
                return 45 <= number <= 60, told["ResponseMetadata"]["HTTPStatusCode"], told["Error"]["Code"]
        return "80 and more"

    stale = "00000000-0000-4000-8000-000000000000"
    asked = {
        "the policy before there is one": lambda client: document(client, "empty"),
        "a grant": add,
        "the same grant again": add,
        "another grant of the same id": lambda client: add(client, SourceAccount="444455556666"),
        "the policy": document,
        "a grant without the instance": lambda client: add(client, StatementId="account-only", SourceArn=None),
        "a grant without the account": lambda client: add(client, StatementId="arn-only", SourceAccount=None),
        "a grant to a service": lambda client: add(client, StatementId="service-only", SourceArn=None, SourceAccount=None),
        "a grant to a role": lambda client: add(
            client, StatementId="to-role", Principal=f"arn:aws:iam::{CUSTOMER}:role/runtime", SourceArn=None, SourceAccount=None
        ),
        "the policy with all of them": document,
        "a grant to an account": lambda client: add(
            client, StatementId="to-account", Principal=CUSTOMER, SourceArn=None, SourceAccount=None
        ),
        "a grant with a wildcard in its ARN": lambda client: add(client, StatementId="wild", SourceArn=f"arn:aws:connect:*:{CUSTOMER}:instance/*"),
        "a grant on an old revision": lambda client: add(client, StatementId="late", RevisionId=stale),
        "a grant on the present revision": lambda client: add(client, StatementId="in-time", RevisionId=revision(client)),
        "revisions change with each edit": changes_with_each_edit,
        "a statement id with a space": lambda client: add(client, StatementId="has a space"),
        "no statement id": lambda client: add(client, StatementId=None),
        "a statement id of 101 characters": lambda client: add(client, StatementId="s" * 101),
        "no principal": lambda client: add(client, StatementId="no-principal", Principal=None),
        "an account of two digits": lambda client: add(client, StatementId="short-account", SourceAccount="12"),
        "a source that is no ARN": lambda client: add(client, StatementId="no-arn", SourceArn="instance"),
        "an action of another service": lambda client: add(client, StatementId="other-action", Action="connect:StopContact"),
        "a function that is not there": lambda client: add(client, FunctionName="nobody"),
        "the policy of a function that is not there": lambda client: document(client, "nobody"),
        "by the function's ARN": lambda client: add(
            client, FunctionName=f"arn:aws:lambda:{REGION}:{OPERATOR}:function:limiter", StatementId="by-arn"
        ),
        "on an alias that is not there": lambda client: add(client, StatementId="qualified", Qualifier="nobody"),
        "a removal on an old revision": lambda client: remove(client, "arn-only", RevisionId=stale),
        "a removal": lambda client: remove(client, "wild"),
        "a removal of what is gone": lambda client: remove(client, "wild"),
        "a removal where no policy is": lambda client: remove(client, "wild", "empty"),
        "a removal from a function that is not there": lambda client: remove(client, "wild", "nobody"),
        "the policy after the last is gone": lambda client: (
            add(client, FunctionName="empty")[0],
            remove(client, GRANT["StatementId"], "empty"),
            document(client, "empty"),
        ),
        "more statements than a policy holds": crowd,
    }

    def with_client(question):
        return lambda server: question(lambdas[server])

    return [(f"AddPermission: {name}", with_client(question)) for name, question in asked.items()]
