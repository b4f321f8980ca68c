"""Serves a handler's invocations from Lambda's Runtime API: runtime.py MODULE.FUNCTION"""
import http.client
import importlib
import json
import os
import sys

module, function = sys.argv[1].rsplit(".", 1)
handler = getattr(importlib.import_module(module), function)
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    invocation = api.getresponse()
    event = json.loads(invocation.read())
    path = "/2018-06-01/runtime/invocation/" + invocation.headers["Lambda-Runtime-Aws-Request-Id"]
    try:
        answer, path = handler(event, None), path + "/response"
    except Exception as error:
        answer, path = {"errorType": type(error).__name__, "errorMessage": str(error)}, path + "/error"
    api.request("POST", path, json.dumps(answer))
    api.getresponse().read()
