"""The Kubernetes manifests: valid by the schemas of the API, and true to each other."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml

from cli.addresses import SERVICES
from tools.settings_reference import ROOT

K8S: Final = ROOT / "deploy" / "k8s"
BASE: Final = K8S / "base"
#: Kinds that come with the API itself; of the others no schema is at hand.
FOREIGN: Final = frozenset({"Kustomization", "HTTPRoute", "GRPCRoute"})


def objects(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text())


OBJECTS: Final = list(objects(BASE))
OURS: Final = [each for each in OBJECTS if each["kind"] in ("Deployment", "StatefulSet")]


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in OBJECTS if each["kind"] == kind}


@pytest.mark.parametrize("manifest", OBJECTS, ids=lambda each: f"{each['kind']} {each.get('metadata', {}).get('name')}")
def test_it_is_valid(manifest: dict[str, Any]) -> None:
    if manifest["kind"] in FOREIGN:
        assert manifest["apiVersion"]
        return
    kubernetes_validate.validate(manifest, "1.33", strict=True)


def test_every_file_of_the_base_is_part_of_it() -> None:
    (base,) = [each for each in OBJECTS if each["kind"] == "Kustomization"]
    files = {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(base["resources"]) == files
    generated = [file for each in base["configMapGenerator"] for file in each["files"]]
    assert all((BASE / file).exists() for file in generated)


@pytest.mark.parametrize("workload", OURS, ids=lambda each: each["metadata"]["name"])
def test_every_workload_has_a_service_a_budget_and_a_policy(workload: dict[str, Any]) -> None:
    name = workload["metadata"]["name"]
    for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
        assert name in named(kind), kind


def test_services_are_looked_for_where_they_listen() -> None:
    told = named("ConfigMap")["vivavoce"]["data"]
    for service in SERVICES:
        name = service.replace("_", "-")
        (port,) = named("Service")[name]["spec"]["ports"]
        assert told[f"VIVAVOCE_PEERS_{service.upper()}"] == f"dns:///{name}:{port['port']}"
        assert named("Service")[name]["spec"]["clusterIP"] == "None"
        workload = next(each for each in OURS if each["metadata"]["name"] == name)
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        assert container["args"][3].endswith(f":{port['port']}")


def test_every_secret_that_is_named_is_told_to_whoever_has_to_make_it() -> None:
    text = "".join(path.read_text() for path in BASE.glob("*.yaml"))
    secrets = set(re.findall(r"(?:secretKeyRef: \{name|secretRef: \{name|secretName): ([\w-]+)", text))
    told = (K8S / "overlays/example/kustomization.yaml").read_text()
    for secret in secrets:
        assert secret.removeprefix("certificate-") in told, secret
    assert not [each for each in OBJECTS if each["kind"] == "Secret"]


def test_routes_lead_to_the_ingress() -> None:
    ports = {each["port"] for each in named("Service")["ingress"]["spec"]["ports"]}
    for kind in ("HTTPRoute", "GRPCRoute"):
        (route,) = named(kind).values()
        (rule,) = route["spec"]["rules"]
        assert rule["backendRefs"][0]["name"] == "ingress"
        assert rule["backendRefs"][0]["port"] in ports
