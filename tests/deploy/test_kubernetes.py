"""The Kubernetes manifests: valid by the schemas of the API, and true to each other."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml
from google.protobuf import descriptor_pool

from cli.addresses import SERVICES
from edge.contract import open_to_people
from mesh.access import rule_of
from mesh.peers import SERVICE_NAMES
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
(KUSTOMIZATION,) = [each for each in OBJECTS if each["kind"] == "Kustomization"]
COMPOSE: Final = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
#: After SIGTERM, as is promised.
EXITS_S: Final = 10


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in OBJECTS if each["kind"] == kind}


@pytest.mark.parametrize("manifest", OBJECTS, ids=lambda each: f"{each['kind']} {each.get('metadata', {}).get('name')}")
def test_it_is_valid(manifest: dict[str, Any]) -> None:
    if manifest["kind"] in FOREIGN:
        assert manifest["apiVersion"]
        return
    kubernetes_validate.validate(manifest, "1.33", strict=True)


def test_every_file_of_the_base_is_part_of_it() -> None:
    files = {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(KUSTOMIZATION["resources"]) == files
    generated = [file for each in KUSTOMIZATION["configMapGenerator"] for file in each["files"]]
    assert all((BASE / file).exists() for file in generated)


@pytest.mark.parametrize("workload", OURS, ids=lambda each: each["metadata"]["name"])
def test_every_workload_has_a_service_a_budget_and_a_policy(workload: dict[str, Any]) -> None:
    name = workload["metadata"]["name"]
    for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
        assert name in named(kind), kind


@pytest.mark.parametrize("workload", OURS, ids=lambda each: each["metadata"]["name"])
def test_every_pod_is_one_certain_version_and_has_time_to_let_people_finish(workload: dict[str, Any]) -> None:
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert "readinessProbe" in container
    if "args" not in container:
        assert container["image"] == COMPOSE["services"]["ingress"]["image"]
        return
    assert container["image"] in {each["name"] for each in KUSTOMIZATION["images"] if each["newTag"] != "latest"}
    assert {"startupProbe", "livenessProbe"} < container.keys()
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    waits_s = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= waits_s + EXITS_S


@pytest.mark.parametrize("service", SERVICES)
def test_whoever_may_call_a_service_reaches_it(service: str) -> None:
    full_name = SERVICE_NAMES[service]
    methods = descriptor_pool.Default().FindServiceByName(full_name).methods
    rules = [rule for method in methods if (rule := rule_of(f"/{full_name}/{method.name}"))]
    callers = {name.replace("_", "-") for rule in rules for name in rule.services}
    if service in {rpc.service for rpc in open_to_people()}:
        callers |= {"edge", "ingress"}
    policy = named("NetworkPolicy")[service.replace("_", "-")]["spec"]
    ((let_in,),) = [each["from"] for each in policy["ingress"]]
    assert callers <= set(let_in["podSelector"]["matchExpressions"][0]["values"])
    (port,) = named("Service")[service.replace("_", "-")]["spec"]["ports"]
    assert policy["ingress"][0]["ports"] == [{"port": port["port"]}]


def test_the_overlay_changes_what_is_there() -> None:
    overlay = yaml.safe_load((K8S / "overlays/example/kustomization.yaml").read_text())
    assert [(K8S / "overlays/example" / each).resolve() for each in overlay["resources"]] == [BASE]
    assert {each["name"] for each in overlay["images"]} == {each["name"] for each in KUSTOMIZATION["images"]}
    for patch in overlay["patches"]:
        if "path" in patch:
            for changed in yaml.safe_load_all((K8S / "overlays/example" / patch["path"]).read_text()):
                kubernetes_validate.validate(changed, "1.33", strict=True)
                assert changed["metadata"]["name"] in named(changed["kind"])
        else:
            assert patch["target"]["name"] in named(patch["target"]["kind"])


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
