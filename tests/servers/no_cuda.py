"""Writes empty libraries in place of CUDA's, which torch from PyPI is linked to and never calls without a GPU.

usage: no_cuda.py SITE_PACKAGES    (needs gcc and binutils)
"""

import collections
import re
import subprocess
import sys
from pathlib import Path

PREFIXES = {
    "cublasLt": "libcublasLt.so.13",
    "cublas": "libcublas.so.13",
    "cusparseLt": "libcusparseLt.so.0",
    "cusparse": "libcusparse.so.12",
    "cudnn": "libcudnn.so.9",
    "nccl": "libnccl.so.2",
    "pnccl": "libnccl.so.2",
    "nvrtc": "libnvrtc.so.13",
    "cufft": "libcufft.so.12",
    "curand": "libcurand.so.10",
    "cuFile": "libcufile.so.0",
    "nvshmem": "libnvshmem_host.so.3",
    "cupti": "libcupti.so.13",
    "__cuda": "libcudart.so.13",
    "cuda": "libcudart.so.13",
}


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def wanted(libraries):
    """The libraries that are linked to, and what is called of each: names with versions."""
    linked, calls = set(), collections.defaultdict(set)
    for library in libraries:
        linked |= set(re.findall(r"NEEDED.*\[(.*?)\]", output("readelf", "-d", library)))
        for line in output("nm", "-D", "--undefined-only", library).splitlines():
            name, _, version = line.split()[-1].partition("@")
            prefixes = (so for prefix, so in PREFIXES.items() if name.startswith(prefix))
            library = version if version.startswith("lib") else next(prefixes, None)
            if library:
                calls[library].add((name, version))
    return {so for so in linked if re.match(r"lib(cu|nccl|nvrtc|nvshmem)", so)}, calls


def write(path, calls, scratch):
    source = "\n".join(f"int {name}(void) {{ return 1; }}" for name, _ in sorted(calls))
    command = ["gcc", "-shared", "-fPIC", "-w", "-fno-builtin", "-x", "c", "-", "-o", path, f"-Wl,-soname,{path.name}"]
    versions = {version for _, version in calls if version}
    if versions:
        scratch.write_text(" ".join(f"{version} {{ global: *; }};" for version in versions))
        command.append(f"-Wl,--version-script={scratch}")
    subprocess.run(command, input=source or "int nothing;", text=True, check=True)


site = Path(sys.argv[1])
folder = site / "nvidia/cu13/lib"
folder.mkdir(parents=True, exist_ok=True)
linked, calls = wanted(sorted((site / "torch/lib").glob("*.so")))
for so in sorted(linked):
    if not (folder / so).exists():
        write(folder / so, calls[so], folder / "versions.map")
