"""The files that start clusters: against Ray's own schema where there is one, and against this repository."""

import json
import re
import shlex
from pathlib import Path

import jsonschema
import pytest
import yaml

from helpers.paths import REPO_ROOT

DEPLOY = REPO_ROOT / "tools" / "deploy"
ray = pytest.importorskip("ray", reason='the extra "scale" is not installed')


def read(name: str) -> dict:
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def locked(package: str) -> str:
    lock = (REPO_ROOT / "requirements.lock").read_text(encoding="utf-8")
    return re.search(rf"^{package}==(\S+)", lock, re.MULTILINE)[1]


def assert_command_is_understood(command: str) -> None:
    """Parse the options of a segment-many command without running it."""
    import typer

    from helpers.cli import app

    words = shlex.split(command)
    assert words[:4] == ["python", "-m", "helpers", "segment-many"]
    group = typer.main.get_command(app)
    with group.make_context("helpers", words[3:]) as context:
        name, chosen, rest = group.resolve_command(context, words[3:])
        parsed = chosen.make_context(name, rest, parent=context).params
    assert parsed["engine"] == "ray" and parsed["address"] == "auto"
    assert all(parsed[key].startswith("s3://") for key in ("source", "labels", "out"))


def test_the_cluster_fits_rays_schema_and_is_complete() -> None:
    cluster = read("ray-cluster.yaml")
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    jsonschema.validate(cluster, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(cluster | {"max_wrokers": 3}, schema)
    assert cluster["head_node_type"] in cluster["available_node_types"]
    starts = [c for key in ("head", "worker") for c in cluster[f"{key}_start_ray_commands"] if "ray start" in c]
    assert len(starts) == 2 and all(command.startswith("RAY_USAGE_STATS_ENABLED=0 ") for command in starts)
    workers = sum(kind.get("max_workers", 0) for kind in cluster["available_node_types"].values())
    assert workers == cluster["max_workers"]


def test_the_command_above_the_cluster_is_understood() -> None:
    comment = (DEPLOY / "ray-cluster.yaml").read_text(encoding="utf-8").split("ray down")[0]
    text = " ".join(line.lstrip("# ") for line in comment.splitlines())
    assert_command_is_understood(re.search(r"'cd /app && (.*?)'", text)[1])


def test_the_job_has_room_for_its_workers_and_rays_version() -> None:
    job = read("rayjob.yaml")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    spec = job["spec"]
    assert_command_is_understood(spec["entrypoint"])
    cluster = spec["rayClusterSpec"]
    assert cluster["rayVersion"] == locked("ray")
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    cpus = 0
    for group in groups:
        (container,) = group["template"]["spec"]["containers"]
        assert {"name": "RAY_USAGE_STATS_ENABLED", "value": "0"} in container["env"]
        assert container["image"] == read("ray-cluster.yaml")["docker"]["image"]
        resources = container["resources"]
        assert resources["requests"] == resources["limits"]  # else the system may end a worker for its memory
        cpus += group.get("replicas", 0) * int(resources["limits"]["cpu"])
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())  # KubeRay takes no numbers
    assert int(re.search(r"--workers (\d+)", spec["entrypoint"])[1]) <= cpus


def test_the_image_copies_what_is_there_and_uses_the_locks_tools() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    copied = [source for line in re.findall(r"^COPY (.*)$", text, re.MULTILINE) for source in line.split()[:-1]]
    assert copied and all((REPO_ROOT / source).exists() for source in copied)
    makefile = (REPO_ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"uv==(\S+)", text)[1] == re.search(r"UV_VERSION := (\S+)", makefile)[1]
    assert "ENV RAY_USAGE_STATS_ENABLED=0" in text
