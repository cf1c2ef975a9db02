"""Asks Lambda's Runtime API for events and gives each to the function whose code came in the environment."""

import json
import os
import sys
import types
import urllib.request

api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime"
# Never by way of a proxy: the API is on this machine.
web = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(path, body):
    web.open(urllib.request.Request(api + path, json.dumps(body).encode(), method="POST")).read()


def problem(error):
    return {"errorMessage": str(error), "errorType": type(error).__name__}


code = os.environ.pop("RINGFENCE_SIM_CODE")
name, function = os.environ["_HANDLER"].rsplit(".", 1)
module = types.ModuleType(name)
try:
    exec(compile(code, name + ".py", "exec"), module.__dict__)
    handler = getattr(module, function)
except Exception as error:
    post("/init/error", problem(error))
    sys.exit(1)

while True:
    with web.open(api + "/invocation/next") as answer:
        invocation = "/invocation/" + answer.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.load(answer)
    try:
        outcome, body = "/response", handler(event, None)
    except Exception as error:
        outcome, body = "/error", problem(error)
    post(invocation + outcome, body)
