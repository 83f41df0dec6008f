"""The files of examples/compose, swarm and kubernetes, as those who run them read them."""

import os
import subprocess
import sys

import kubernetes_validate
import yaml


def run(*words):
    """What the program prints; what it says on standard error, a warning too, is a failure."""
    ended = subprocess.run(words, capture_output=True, text=True)
    if ended.returncode or ended.stderr:
        sys.exit(f"{' '.join(words)}: status {ended.returncode}\n{ended.stderr}")
    return ended.stdout


def compose(path):
    # It warns of all that only a swarm heeds.
    quiet = ["--log-level", "error"] if "/swarm/" in path else []
    run("docker-compose", *quiet, "--file", path, "config", "--quiet")


def documents(folder):
    return list(yaml.safe_load_all(run("kubectl", "kustomize", folder)))


def kubernetes(folder):
    found = documents(folder)
    named = {(document["kind"], document["metadata"]["name"]) for document in found}
    for document in found:
        if document["kind"] == "ScaledObject":
            spec = document["spec"]
            target = spec["scaleTargetRef"]
            if (target["kind"], target["name"]) not in named:
                sys.exit(f"there is no {target['kind']} {target['name']} to scale")
            validate(autoscaler(document))
        else:
            validate(document)


def validate(document):
    try:
        kubernetes_validate.validate(document, "1.37", strict=True)
    except kubernetes_validate.ValidationError as error:
        sys.exit(f"{document['kind']} {document['metadata']['name']}: {error.message} at {list(error.path)}")


def autoscaler(scaled):
    """The HorizontalPodAutoscaler that KEDA makes of a ScaledObject. Kubernetes has a schema for that, and none for the
    ScaledObject: of what is KEDA's own each field is taken out here, and one that is not known is an error."""
    spec = scaled["spec"]
    target, triggers = spec.pop("scaleTargetRef"), spec.pop("triggers")
    behavior = spec.pop("advanced").pop("horizontalPodAutoscalerConfig").pop("behavior")
    low, high = spec.pop("minReplicaCount"), spec.pop("maxReplicaCount")
    metrics = []
    for trigger in triggers:
        assert trigger.pop("type") == "kafka"
        facts = trigger.pop("metadata")
        threshold = facts.pop("lagThreshold")
        for name in ["bootstrapServers", "consumerGroup", "topic"]:
            facts.pop(name)
        assert not trigger and not facts, f"unknown fields in a trigger: {trigger} {facts}"
        metric = {"metric": {"name": "lag"}, "target": {"type": "AverageValue", "averageValue": threshold}}
        metrics.append({"type": "External", "external": metric})
    assert not spec, f"unknown fields: {spec}"
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": scaled["metadata"],
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", **target},
            "minReplicas": low,
            "maxReplicas": high,
            "behavior": behavior,
            "metrics": metrics,
        },
    }


def stages(path):
    """Name, replicas and pipeline of each service that has one."""
    for name, replicas, words in commands(path):
        if "kcat-" in " ".join(words):
            # In plain sight: nothing but a shell that runs the pipeline.
            assert words[:4] == ["bash", "-o", "pipefail", "-c"] and len(words) == 5, words
            assert "\n" not in words[4] and "\t" not in words[4], words
            yield name, replicas, words[4]


def commands(path):
    if os.path.isdir(path):
        for document in documents(path):
            if document["kind"] == "StatefulSet":
                container = document["spec"]["template"]["spec"]["containers"][0]
                yield document["metadata"]["name"], 1, container["command"] + container["args"]
    else:
        with open(path) as file:
            for name, service in yaml.safe_load(file)["services"].items():
                words = [word.replace("$$", "$") for word in service.get("entrypoint", []) + service.get("command", [])]
                yield name, service.get("deploy", {}).get("replicas", 1), words
