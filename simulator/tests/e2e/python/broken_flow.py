"""Tries to publish a flow with an unknown action and a dangling reference; prints the problems it was refused with."""

import json
import sys

import boto3

content = {
    "Version": "2019-10-30",
    "StartAction": "one",
    "Metadata": {},
    "Actions": [
        {"Identifier": "one", "Type": "PlayPrompt", "Parameters": {}, "Transitions": {"NextAction": "nowhere"}},
        {"Identifier": "two", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}},
    ],
}
connect = boto3.client("connect")
try:
    connect.create_contact_flow(
        InstanceId=sys.argv[1], Name="Broken", Type="OUTBOUND_WHISPER", Content=json.dumps(content)
    )
except connect.exceptions.InvalidContactFlowException as refused:
    print(json.dumps([problem["message"] for problem in refused.response["problems"]]))
else:
    sys.exit("the broken flow was accepted")
