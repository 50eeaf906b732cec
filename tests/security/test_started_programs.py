"""Programs that Weir starts load nothing from the project folder and get only the environment they need."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.app.running.sandbox import minimal_environment
from tests.support.processes.command import ROOT, shipped_project, weir
from tests.support.repository import Repository

ENGINE = ROOT / "engine"
STARTERS = {
    "subprocess": ("run", "Popen", "call", "check_call", "check_output", "getoutput"),
    "asyncio": ("create_subprocess",),
    "os": ("exec", "spawn", "system", "popen", "posix_spawn"),
}
TOKENS = {"GH_TOKEN": "ghs_canary_of_the_runner", "STRIPE_SECRET_KEY": "rk_test_canary_of_the_team"}


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that exists once any program of the pull request has run."""
    return tmp_path / "ran"


@pytest.fixture
def script(tmp_path: Path, canary: Path) -> Path:
    """A program in a pull request: it records that it ran and with which input."""
    path = tmp_path / "program.sh"
    path.write_text(f"#!/bin/sh\nenv > {canary}\ncat\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with a project in a subfolder, two commits deep."""
    folder = tmp_path / "repository"
    folder.mkdir()
    made = Repository(folder)
    shipped_project(folder / "pipes" / "shop")
    made.commit("first")
    (folder / "pipes" / "shop" / "interfaces" / "payments.yaml").touch()
    made.commit("second")
    return made


def bare_repository(folder: Path, config: str) -> None:
    """Make the folder a bare repository for Git, with a configuration by the attacker."""
    subprocess.run(["git", "init", "--quiet", "--bare", str(folder / "made")], check=True)
    for part in (folder / "made").iterdir():
        if part.name != "config":
            part.rename(folder / part.name)
    (folder / "HEAD").write_text(f"{'1' * 40}\n")  # The commit does not exist, so Git requests it from the promisor.
    (folder / "config").write_text(config)


@pytest.mark.parametrize(
    ("verb", "place"),
    [
        (("review", "--base", "HEAD~1"), "pipes/shop"),
        (("review", "--base", "HEAD~1"), "pipes"),
        (("review", "--base", "HEAD~1"), "pipes/shop/interfaces"),
        (("run", "price_list"), "pipes/shop"),
        (("plan",), "pipes/shop"),
    ],
)
def test_embedded_bare_repository_runs_no_program(
    repository: Repository, script: Path, canary: Path, verb: tuple[str, ...], place: str
) -> None:
    bare_repository(
        repository.folder / place,
        "[core]\n\trepositoryformatversion = 1\n\tbare = false\n\tworktree = .\n"
        f"\tfsmonitor = {script}\n\thooksPath = {script.parent}\n\tsshCommand = {script}\n"
        "[extensions]\n\tpartialClone = evil\n"
        f'[remote "evil"]\n\turl = {repository.folder}\n\tpromisor = true\n\tuploadpack = {script}\n'
        f'[filter "evil"]\n\tclean = {script}\n\tprocess = {script}\n',
    )
    weir(repository.folder / "pipes" / "shop", *verb, environment=TOKENS)
    assert not canary.exists(), canary.read_text()


@pytest.mark.parametrize(
    "config",
    [
        ("core.fsmonitor", "{script}"),
        ("core.hooksPath", "{hooks}"),
        ("filter.own.clean", "{script}"),
        ("filter.own.process", "{script}"),
        ("filter.with=equals.clean", "{script}"),
        ("filter.dotted.name.clean", "{script}"),
    ],
)
def test_program_configured_by_the_repository_is_not_run(
    repository: Repository, script: Path, canary: Path, config: tuple[str, str]
) -> None:
    hooks = script.parent / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "post-checkout", "pre-auto-gc"):
        (hooks / name).symlink_to(script)
    name, value = config
    project = repository.folder / "pipes" / "shop"
    driver = name.removeprefix("filter.").rpartition(".")[0]
    (project / "interfaces" / ".gitattributes").write_text(f"*.yaml filter={driver}\n")
    repository.git("config", name, value.format(script=script, hooks=hooks))
    os.utime(project / "interfaces" / "payments.yaml", (0, 0))

    weir(project, "run", "price_list", environment=TOKENS).succeeded()
    weir(project, "review", "--base", "HEAD~1", environment=TOKENS).succeeded()
    assert not canary.exists(), canary.read_text()


def test_missing_blobs_of_a_partial_clone_are_not_fetched(repository: Repository, script: Path, canary: Path) -> None:
    project = repository.folder / "pipes" / "shop"
    blob = repository.git("rev-parse", "HEAD~1:pipes/shop/interfaces/payments.yaml")
    repository.git("config", "extensions.partialClone", "evil")
    repository.git("config", "core.repositoryformatversion", "1")
    repository.git("config", "remote.evil.url", str(repository.folder))
    repository.git("config", "remote.evil.promisor", "true")
    repository.git("config", "remote.evil.uploadpack", str(script))
    (repository.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()

    done = weir(project, "review", "--base", "HEAD~1", environment=TOKENS)
    assert done.code == 3
    assert "Traceback" not in done.err
    assert not canary.exists(), canary.read_text()


def test_git_in_the_project_folder_is_not_used(repository: Repository, script: Path, canary: Path) -> None:
    project = repository.folder / "pipes" / "shop"
    (project / "git").symlink_to(script)
    path = f".{os.pathsep}{os.pathsep}{os.environ['PATH']}"
    weir(project, "review", "--base", "HEAD~1", environment={**TOKENS, "PATH": path}).succeeded()
    weir(project, "run", "price_list", environment={**TOKENS, "PATH": path}).succeeded()
    assert not canary.exists()


def test_git_gets_only_its_own_environment(repository: Repository, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "git").write_text(f"#!/bin/sh\nenv >> {tmp_path / 'given'}\nexit 1\n")
    (tools / "git").chmod(0o755)
    environment = {**TOKENS, "GIT_DIR": "/elsewhere", "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    weir(repository.folder / "pipes" / "shop", "review", "--base", "HEAD~1", environment=environment)
    names = {line.partition("=")[0] for line in (tmp_path / "given").read_text().splitlines()}
    assert {name for name in names if not name.startswith("GIT_")} <= {"PATH", "LC_ALL", "PWD", "SHLVL", "_", "OLDPWD"}
    assert "GIT_DIR" not in names


@pytest.mark.parametrize(
    "verb", [("run", "price_list"), ("query", "stripe_playground", "SELECT id FROM customers LIMIT 1")]
)
def test_python_modules_of_the_project_are_not_imported(tmp_path: Path, canary: Path, verb: tuple[str, ...]) -> None:
    project = shipped_project(tmp_path / "project")
    ours = {path.stem for path in ENGINE.glob("*") if path.is_dir()} | {"engine", "stripe", "duckdb", "sitecustomize"}
    for name in (sys.stdlib_module_names | ours) - {"__future__"}:
        (project / f"{name}.py").write_text(f"open({str(canary)!r}, 'a').write({name!r})\n")
    weir(project, *verb, environment=TOKENS).succeeded()
    assert not canary.exists(), canary.read_text()


def test_relative_module_folders_are_not_passed_to_programs() -> None:
    given = {"PYTHONPATH": os.pathsep.join([".", "", "/srv/modules", "relative"]), "PATH": "/bin", **TOKENS}
    assert minimal_environment(given) == {"PYTHONPATH": "/srv/modules", "PATH": "/bin"}
    assert minimal_environment({"PYTHONPATH": "."}) == {}


def starts() -> list[tuple[str, ast.Call]]:
    """Each place in the engine that starts a program."""
    found = []
    for file in sorted(ENGINE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = ast.unparse(node.func.value)
                if node.func.attr.startswith(STARTERS.get(owner, ("?",))):
                    found.append((f"{file.relative_to(ROOT)}:{node.lineno}", node))
    return found


def test_every_program_is_started_with_explicit_environment_and_folder() -> None:
    """Every call passes folder and environment explicitly, so that nothing is inherited by accident."""
    wrong = []
    for place, call in starts():
        named = {keyword.arg for keyword in call.keywords}
        if ast.unparse(call.func) == "os.execve":
            continue  # The process itself becomes the program: the folder is the user's own.
        if ast.unparse(call.func).startswith("os.") or not {"env", "cwd"} <= named:
            wrong.append(place)
    assert starts()
    assert wrong == []


def test_every_python_child_ignores_its_working_folder() -> None:
    wrong = []
    for file in sorted(ENGINE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.List) and node.elts and ast.unparse(node.elts[0]) == "sys.executable":
                words = [each.value for each in node.elts if isinstance(each, ast.Constant)]
                if words[0] != "-P":
                    wrong.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []
