"""Runs the recipes for stubs in other languages, compiles what comes of them, and prints how far each language got."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
RECIPES: Final = ROOT / "clients" / "recipes"
VECTORS: Final = ROOT / "protos" / "testdata" / "every_field"
#: Of crates.io; what they write needs the runtimes that rust/Cargo.toml names.
CRATES: Final = ("protoc-gen-prost@0.5.0", "protoc-gen-prost-crate@0.5.0", "protoc-gen-tonic@0.5.0")


class RecipeError(Exception):
    """A recipe failed; carries what the program said that failed, or which one is missing."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The recipe of one language."""

    language: str
    #: As in buf.gen.<name>.yaml; its code goes to gen/<name>.
    name: str
    #: Compiles or loads the code in a folder, and tells by what and how far.
    compiled: Callable[[Path], str]
    #: The end of the names of its source files.
    suffix: str
    #: Fetches generators that the system's packages lack, and names the folder they are in.
    generators: Callable[[], Path] | None = None

    def generate(self, out: Path) -> Path:
        """Writes the code below `out`, as `buf generate` does below this repository, and names its folder."""
        folders = [self.generators()] if self.generators else []
        path = os.pathsep.join(map(str, [*folders, Path(sys.executable).parent, os.environ["PATH"]]))
        with tempfile.TemporaryDirectory() as cache:
            env = {**os.environ, "PATH": path, "BUF_CACHE_DIR": cache}
            run("buf", "generate", "--template", f"{RECIPES}/buf.gen.{self.name}.yaml", "-o", str(out), env=env)
        return out / "gen" / self.name

    def sources(self, code: Path) -> list[str]:
        """The source files in `code`, relative to it."""
        return sorted(file.relative_to(code).as_posix() for file in code.rglob(f"*{self.suffix}"))


def run(*command: str, folder: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """What a program prints. Raises `RecipeError` where it is missing or fails."""
    if shutil.which(command[0], path=env["PATH"] if env else None) is None:
        raise RecipeError(f"{command[0]} is missing; `make recipe-tools` installs Debian's")
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise RecipeError(f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()


def cpp(code: Path) -> str:
    """Compiles everything, and links it so that nothing is left undefined (minutes)."""
    flags = run("pkg-config", "--cflags", "--libs", "grpc++", "protobuf").split()
    library = ("-shared", "-fPIC", "-Wl,--no-undefined", "-o", "libvivavoce.so")
    run("g++", "-std=c++17", "-I.", *library, *CPP.sources(code), *flags, folder=code)
    return f"compiled and linked by g++ {run('g++', '-dumpfullversion')}"


def ruby(code: Path) -> str:
    """Loads everything, and reads and writes every field."""
    vectors = run("ruby", f"{RECIPES}/ruby/vectors.rb", str(code), str(VECTORS))
    return f"loaded, {vectors} read and written by Ruby {run('ruby', '-e', 'print RUBY_VERSION')}"


def php(code: Path) -> str:
    """Loads everything, and reads and writes every field."""
    vectors = run("php", f"{RECIPES}/php/vectors.php", str(code), str(VECTORS))
    return f"loaded, {vectors} read and written by PHP {run('php', '-r', 'echo PHP_VERSION;')}"


def csharp(code: Path) -> str:
    """Parses everything: the runtime of the messages, which it would be compiled against, is no package of Debian's."""
    run("mcs", "--parse", *CSHARP.sources(code), folder=code)
    return "parsed, not compiled, by Mono's mcs"


def java(code: Path) -> str:
    """Compiles everything against the full runtime."""
    target = code.parent / "java-target"
    run("mvn", *MAVEN, "compile", f"-Dgen={code}", f"-Dtarget={target}")
    classes = sum(1 for _ in target.rglob("*.class"))
    return f"{classes} classes compiled by javac {run('javac', '-version').split()[-1]}"


def java_generators() -> Path:
    """Fetches protoc and its plugin for gRPC from where Maven gets its packages."""
    run("mvn", *MAVEN, "dependency:copy@generators")
    folder = RECIPES / "java" / "target" / "generators"
    for program in folder.iterdir():
        program.chmod(0o755)
    return folder


def rust(code: Path) -> str:
    """Checks the crate: names, types and borrows, without machine code."""
    run("cargo", "check", "--quiet", folder=code)
    return f"checked by cargo {run('cargo', '--version').split()[1]}"


def rust_generators() -> Path:
    """Builds the three generators, once."""
    folder = RECIPES / "rust" / "target" / "generators"
    run("cargo", "install", "--quiet", "--locked", "--root", str(folder), *CRATES)
    return folder / "bin"


MAVEN: Final = ("--quiet", "--batch-mode", "--no-transfer-progress", "-f", str(RECIPES / "java"))
CPP: Final = Recipe("C++", "cpp", cpp, ".cc")
RUBY: Final = Recipe("Ruby", "ruby", ruby, ".rb")
PHP: Final = Recipe("PHP", "php", php, ".php")
CSHARP: Final = Recipe("C#", "csharp", csharp, ".cs")
JAVA: Final = Recipe("Java", "java", java, ".java", java_generators)
RUST: Final = Recipe("Rust", "rust", rust, ".rs", rust_generators)
TRIED: Final = (RUBY, PHP, CSHARP, JAVA, RUST, CPP)
#: Their generators are in none of the registries this was written with.
UNTRIED: Final = ("csharp-grpc", "swift", "dart")


def main() -> int:
    """Tries every recipe and prints a line about each; fails if one of them failed."""
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        for recipe in TRIED:
            try:
                code = recipe.generate(Path(temporary))
                row = f"{len(recipe.sources(code))} files generated", recipe.compiled(code)
            except RecipeError as error:
                failed += 1
                row = "FAILED", str(error)
            print(f"{recipe.language:6} | {row[0]:20} | {row[1]}", flush=True)
    for name in UNTRIED:
        print(f"buf.gen.{name}.yaml | untested: its generator was not to be had")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
