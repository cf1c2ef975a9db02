"""What is there after a restart: tables, and nothing else."""

import unittest

from simulator import OPERATOR, Case, administrator, client, control, role, send

ITEM = {"pk": {"S": "one"}, "value": {"S": "kept"}}


class Before(Case):
    def test_something_is_stored(self):
        keys = administrator(OPERATOR)
        dynamodb = client("dynamodb", keys)
        dynamodb.create_table(
            TableName="kept",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        dynamodb.put_item(TableName="kept", Item=ITEM)
        role("forgotten", [{"Effect": "Allow", "Action": "*", "Resource": "*"}], account_id=OPERATOR)


class After(Case):
    def test_the_item_is_there_and_the_identities_are_gone(self):
        status, answer = send("POST", "/_sim/role-credentials", {"role_arn": f"arn:aws:iam::{OPERATOR}:role/forgotten"})
        self.assertEqual(status, 404, answer)
        self.assertEqual(control("GET", "state")["accounts"], [])
        dynamodb = client("dynamodb", administrator(OPERATOR))
        self.assertEqual(dynamodb.get_item(TableName="kept", Key={"pk": ITEM["pk"]})["Item"], ITEM)


if __name__ == "__main__":
    unittest.main()
