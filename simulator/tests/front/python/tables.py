"""Tables and their streams, for each account and region apart."""

import json
import unittest

from simulator import CUSTOMER, OPERATOR, Case, administrator, allow, assume, client, control, role

KEYS = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}


class Tables(Case):
    @classmethod
    def setUpClass(cls):
        cls.keys = administrator(OPERATOR)
        cls.dynamodb = client("dynamodb", cls.keys)
        cls.streams = client("dynamodbstreams", cls.keys)

    def table(self, name, **more):
        description = self.dynamodb.create_table(TableName=name, **KEYS, **more)["TableDescription"]
        self.dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 5})
        return description

    def put(self, name, key, **attributes):
        item = {"pk": {"S": key}, **{attribute: {"S": value} for attribute, value in attributes.items()}}
        self.dynamodb.put_item(TableName=name, Item=item)

    def test_arns_carry_the_account_and_the_region(self):
        made = self.table("arns", StreamSpecification=STREAM)
        self.assertEqual(made["TableArn"], f"arn:aws:dynamodb:us-east-1:{OPERATOR}:table/arns")
        self.assertTrue(made["LatestStreamArn"].startswith(made["TableArn"] + "/stream/"), made)

    def test_a_table_can_be_named_by_its_arn(self):
        arn = self.table("by-arn")["TableArn"]
        self.dynamodb.put_item(TableName=arn, Item={"pk": {"S": "one"}})
        self.assertEqual(self.dynamodb.get_item(TableName=arn, Key={"pk": {"S": "one"}})["Item"]["pk"]["S"], "one")

    def test_conditions_hold(self):
        self.table("conditions")
        publish = dict(
            TableName="conditions",
            ConditionExpression="attribute_not_exists(pk) OR revision < :r",
        )
        for revision, stored in ((3, True), (3, False), (2, False), (4, True)):
            put = dict(
                publish,
                Item={"pk": {"S": "instance"}, "revision": {"N": str(revision)}},
                ExpressionAttributeValues={":r": {"N": str(revision)}},
            )
            if stored:
                self.dynamodb.put_item(**put)
            else:
                with self.refused("ConditionalCheckFailedException", 400):
                    self.dynamodb.put_item(**put)

    def test_contents_are_left_alone_though_they_look_like_arns(self):
        self.table("contents", StreamSpecification=STREAM)
        texts = {
            "embedded": "arn:aws:dynamodb:dynoxide:000000000000:table/contents",
            "own": f"arn:aws:dynamodb:us-east-1:{OPERATOR}:table/contents",
        }
        self.put("contents", "one", **texts)
        item = self.dynamodb.get_item(TableName="contents", Key={"pk": {"S": "one"}})["Item"]
        self.assertEqual({name: item[name]["S"] for name in texts}, texts)

    def test_accounts_and_regions_see_nothing_of_each_other(self):
        self.table("apart")
        self.put("apart", "one")
        for keys, region in ((administrator(CUSTOMER), "us-east-1"), (self.keys, "eu-west-2")):
            other = client("dynamodb", keys, region)
            self.assertEqual(other.list_tables()["TableNames"], [])
            with self.refused("ResourceNotFoundException", 400):
                other.get_item(TableName="apart", Key={"pk": {"S": "one"}})
        foreign = client("dynamodb", administrator(CUSTOMER))
        arn = f"arn:aws:dynamodb:us-east-1:{OPERATOR}:table/apart"
        with self.refused("AccessDeniedException", 400):
            foreign.get_item(TableName=arn, Key={"pk": {"S": "one"}})

    def test_a_role_reaches_the_tables_it_is_allowed_and_no_other(self):
        mine, other = self.table("mine")["TableArn"], self.table("other")["TableArn"]
        role_arn = role("reader", [allow(["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"], mine)], account_id=OPERATOR)
        reader = client("dynamodb", assume(self.keys, role_arn))
        key = {"pk": {"S": "one"}}
        reader.get_item(TableName="mine", Key=key)
        reader.batch_get_item(RequestItems={"mine": {"Keys": [key]}})
        for ask in (
            lambda: reader.get_item(TableName="other", Key=key),
            lambda: reader.put_item(TableName="mine", Item=key),
            lambda: reader.batch_get_item(RequestItems={"mine": {"Keys": [key]}, "other": {"Keys": [key]}}),
            lambda: reader.transact_write_items(TransactItems=[{"Delete": {"TableName": "mine", "Key": key}}]),
            lambda: reader.list_tables(),
        ):
            with self.refused("AccessDeniedException", 400):
                ask()
        self.assertTrue(other)

    def test_transactions_ask_for_the_rights_of_what_they_do(self):
        table = self.table("transacted")["TableArn"]
        role_arn = role("writer", [allow("dynamodb:PutItem", table)], account_id=OPERATOR)
        writer = client("dynamodb", assume(self.keys, role_arn))
        put = {"Put": {"TableName": "transacted", "Item": {"pk": {"S": "one"}}}}
        delete = {"Delete": {"TableName": "transacted", "Key": {"pk": {"S": "two"}}}}
        writer.transact_write_items(TransactItems=[put])
        with self.refused("AccessDeniedException", 400):
            writer.transact_write_items(TransactItems=[put, delete])

    def test_time_to_live_is_told_as_it_was_set(self):
        self.table("expiring")
        self.dynamodb.update_time_to_live(
            TableName="expiring", TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
        )
        told = self.dynamodb.describe_time_to_live(TableName="expiring")["TimeToLiveDescription"]
        self.assertEqual(told["AttributeName"], "ttl")

    def test_a_stream_tells_every_change_in_order_and_from_where_one_left_off(self):
        made = self.table("streamed", StreamSpecification=STREAM)
        listed = self.streams.list_streams(TableName="streamed")["Streams"]
        self.assertEqual([stream["StreamArn"] for stream in listed], [made["LatestStreamArn"]])
        for value in ("provisional", "final"):
            self.put("streamed", "one", record=value)
        self.put("streamed", "two", record="first")
        seen = self.read(made["LatestStreamArn"], ShardIteratorType="TRIM_HORIZON")
        told = [(it["eventName"], it["dynamodb"]["NewImage"]["record"]["S"]) for it in seen]
        self.assertEqual(told, [("INSERT", "provisional"), ("MODIFY", "final"), ("INSERT", "first")])
        after = seen[1]["dynamodb"]["SequenceNumber"]
        rest = self.read(made["LatestStreamArn"], ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=after)
        self.assertEqual([it["dynamodb"]["SequenceNumber"] for it in rest], [seen[2]["dynamodb"]["SequenceNumber"]])
        self.assertEqual(self.read(made["LatestStreamArn"], ShardIteratorType="LATEST"), [])

    def test_a_stream_is_read_only_with_the_rights_to_it(self):
        made = self.table("guarded", StreamSpecification=STREAM)
        actions = [f"dynamodb:{name}" for name in ("DescribeStream", "GetShardIterator", "GetRecords")]
        role_arn = role("ingest", [allow(actions, made["TableArn"] + "/stream/*")], account_id=OPERATOR)
        self.put("guarded", "one", record="first")
        mine = client("dynamodbstreams", assume(self.keys, role_arn))
        self.assertEqual(len(self.read(made["LatestStreamArn"], mine, ShardIteratorType="TRIM_HORIZON")), 1)
        other = self.table("other-guarded", StreamSpecification=STREAM)
        with self.refused("AccessDeniedException", 400):
            mine.describe_stream(StreamArn=other["LatestStreamArn"])
        with self.refused("AccessDeniedException", 400):
            mine.list_streams(TableName="guarded")
        iterator = self.iterators(other["LatestStreamArn"], self.streams, ShardIteratorType="TRIM_HORIZON")[0]
        with self.refused("AccessDeniedException", 400):
            mine.get_records(ShardIterator=iterator)

    def iterators(self, stream_arn, streams, **start):
        shards = streams.describe_stream(StreamArn=stream_arn)["StreamDescription"]["Shards"]
        asked = [dict(StreamArn=stream_arn, ShardId=shard["ShardId"], **start) for shard in shards]
        return [streams.get_shard_iterator(**one)["ShardIterator"] for one in asked]

    def read(self, stream_arn, streams=None, **start):
        streams, records = streams or self.streams, []
        for iterator in self.iterators(stream_arn, streams, **start):
            while iterator:
                page = streams.get_records(ShardIterator=iterator, Limit=2)
                records += page["Records"]
                iterator = page.get("NextShardIterator") if page["Records"] else None
        return records

    def test_the_record_tells_tables_without_their_contents_being_signed_away(self):
        self.table("recorded")
        self.put("recorded", "one")
        seen = control("GET", "requests?service=dynamodb&operation=PutItem")["data"]
        mine = [it for it in seen if it["parameters"]["TableName"] == "recorded"]
        self.assertEqual(len(mine), 1, json.dumps(seen))
        self.assertEqual(mine[0]["caller"], f"arn:aws:iam::{OPERATOR}:user/administrator")


if __name__ == "__main__":
    unittest.main()
