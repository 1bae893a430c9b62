"""Calls AWS's interface by boto3, for programs in other languages: one question a line on standard input, one answer a
line on standard output. A question: {"id", "service", "action", "params", "check"}; an answer: {"id", "result"} or {"id", "code",
"message"}. With "check" the question is only compared with AWS's model of it. Where the interface is, and who calls, is in boto3's own environment variables (AWS_ENDPOINT_URL)."""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.validate import validate_parameters
from botocore.exceptions import BotoCoreError, ClientError

PARALLEL = 4
config = Config(retries={"max_attempts": 1}, connect_timeout=10, read_timeout=60, max_pool_connections=PARALLEL)
clients = {}
lock = threading.Lock()


def client(service):
    with lock:
        if service not in clients:
            clients[service] = boto3.client(service, config=config)
        return clients[service]


def answer(line):
    asked = json.loads(line)
    try:
        caller = client(asked["service"])
        if asked["check"]:
            shape = caller.meta.service_model.operation_model(asked["action"]).input_shape
            validate_parameters(asked["params"], shape)
            result = {}
        else:
            result = getattr(caller, xform_name(asked["action"]))(**asked["params"])
            result.pop("ResponseMetadata", None)
        said = {"id": asked["id"], "result": result}
    except ClientError as error:
        said = {"id": asked["id"], "code": error.response["Error"]["Code"], "message": str(error)}
    except (BotoCoreError, AttributeError) as error:
        said = {"id": asked["id"], "code": type(error).__name__, "message": str(error)}
    text = json.dumps(said, default=str)
    with lock:
        print(text, flush=True)


with ThreadPoolExecutor(PARALLEL) as pool:
    for question in sys.stdin:
        pool.submit(answer, question)
