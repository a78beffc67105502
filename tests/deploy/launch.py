"""Starts MiniStack, with what AWS does, the template needs and MiniStack 1.5 lacks:

- `RotateSecret` puts the old value at once into force there. Here it makes a version without a
  value, labelled AWSPENDING, and has the rotation function take its four steps.
- `AWS::SecretsManager::RotationSchedule` is no known resource there. Here it names the rotation
  function of its secret and begins a first rotation, as RotateImmediatelyOnUpdate has it. Later
  ones are asked for by the tests: the calendar is not kept.
- `!Ref` of a secret gives its name there. Here it gives the ARN, which policies name.
- A parameter that is a number stays text there, on which readers of the resource trip.
- A call of SQS for many messages is authorised by the action for one, as in AWS.

It also copies what the functions write into its own output.
"""

import json
import os
import threading
import time
import urllib.request
import uuid

from ministack import app
from ministack.core import iam_actions, lambda_runtime
from ministack.core.responses import error_response_json, json_response
from ministack.services import secretsmanager
from ministack.services.cloudformation import provisioners

STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]


def invoke(function, event):
    """Invokes a function through the front door, as its service would."""
    url = f"{os.environ['AWS_ENDPOINT_URL']}/2015-03-31/functions/{function}/invocations"
    request = urllib.request.Request(url, json.dumps(event).encode(), {"Authorization": ROOT})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.headers.get("X-Amz-Function-Error"), answer.read().decode()


# MiniStack does not check the signature of its own account's root.
ROOT = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


def take_steps(secret, function, version):
    for step in STEPS:
        event = {"Step": step, "SecretId": secret["ARN"], "ClientRequestToken": version}
        error, body = invoke(function, event)
        if error:
            print(f"rotation of {secret['Name']}: {step}: {error}: {body}", flush=True)
            return
    print(f"rotation of {secret['Name']}: done", flush=True)


def rotate_secret(data):
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    if not secret:
        return error_response_json("ResourceNotFoundException", "no such secret", 400)
    function = data.get("RotationLambdaARN") or secret["RotationLambdaARN"]
    secret["RotationLambdaARN"] = function
    secret["RotationRules"] = data.get("RotationRules") or secret["RotationRules"]
    secret["RotationEnabled"] = True
    version = data.get("ClientRequestToken") or str(uuid.uuid4())
    if data.get("RotateImmediately", True):
        secretsmanager._remove_stage_everywhere(secret, "AWSPENDING")
        secret["Versions"][version] = {
            "SecretString": None,
            "SecretBinary": None,
            "CreatedDate": int(time.time()),
            "Stages": ["AWSPENDING"],
        }
        threading.Thread(target=take_steps, args=(secret, function, version), daemon=True).start()
    return json_response({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": version})


def get_secret_value(data, get=secretsmanager._get_secret_value):
    """A version without a value has none to be got."""
    status, headers, body = get(data)
    if status == 200 and not {"SecretString", "SecretBinary"} & json.loads(body).keys():
        return error_response_json("ResourceNotFoundException", "the version has no value", 400)
    return status, headers, body


def create_schedule(_logical_id, properties, _stack):
    days = int(properties["RotationRules"]["AutomaticallyAfterDays"])
    status, _, body = rotate_secret(
        {
            "SecretId": properties["SecretId"],
            "RotationLambdaARN": properties["RotationLambdaARN"],
            "RotationRules": {"AutomaticallyAfterDays": days},
            "RotateImmediately": properties.get("RotateImmediatelyOnUpdate", "true")
            not in (False, "false"),
        }
    )
    if status != 200:
        raise ValueError(body)
    return json.loads(body)["ARN"], {}


HANDLERS = provisioners._RESOURCE_HANDLERS
SECRET = "AWS::SecretsManager::Secret"
SOURCE = "AWS::Lambda::EventSourceMapping"


def create_secret(logical_id, properties, stack, create=HANDLERS[SECRET]["create"]):
    _, attributes = create(logical_id, properties, stack)
    return attributes["Arn"], attributes


def create_source(logical_id, properties, stack, create=HANDLERS[SOURCE]["create"]):
    scaling = properties.get("ScalingConfig")
    if scaling:
        scaling["MaximumConcurrency"] = int(scaling["MaximumConcurrency"])
    return create(logical_id, properties, stack)


def iam_action(*arguments, extract=iam_actions.extract_iam_action):
    action = extract(*arguments)
    return action.removesuffix("Batch") if action and action.startswith("sqs:") else action


class Copied:
    """The output of a function, copied while it is read."""

    def __init__(self, stream, name):
        self.stream, self.name = stream, name

    def readline(self):
        line = self.stream.readline()
        if line:
            print(f"{self.name}: {line.decode(errors='replace').rstrip()}", flush=True)
        return line

    def close(self):
        self.stream.close()


def pump(worker, stream, lines, pump=lambda_runtime.ProvidedWorker._pump_output):
    pump(worker, Copied(stream, worker.func_name), lines)


iam_actions.extract_iam_action = iam_action
lambda_runtime.ProvidedWorker._pump_output = pump
secretsmanager._rotate_secret = rotate_secret
secretsmanager._get_secret_value = get_secret_value
HANDLERS[SECRET]["create"] = create_secret
HANDLERS[SOURCE]["create"] = create_source
HANDLERS["AWS::SecretsManager::RotationSchedule"] = {
    "create": create_schedule,
    "delete": lambda _physical_id, _properties: None,
}
app.main()
