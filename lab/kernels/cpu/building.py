"""LLVM code compiled for this machine, and made callable from JAX as a foreign function."""

import ctypes
import hashlib
import threading
from functools import cache
from typing import Any

import jax
import llvmlite.binding as llvm

ENTRY = "lab_entry"
FUNCTION = "lab_loop"


def machine() -> Any:
    """LLVM's picture of this machine, all its vector instructions included.

    Each engine comes to own the one that it is made with.
    """
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features(), opt=3, jit=True
    )


@cache
def features() -> str:
    """The instruction sets of this machine, as LLVM lists them."""
    return llvm.get_host_cpu_features().flatten()


@cache
def vector_bytes() -> int:
    """The size of this machine's vector registers."""
    have = set(features().split(","))
    return 64 if "+avx512f" in have else 32 if "+avx2" in have else 16


def description() -> str:
    """`LLVM 20.1.8 for znver4, vectors of 64 bytes`."""
    version = ".".join(map(str, llvm.llvm_version_info))
    return f"LLVM {version} for {llvm.get_host_cpu_name()}, vectors of {vector_bytes()} bytes"


_lock = threading.Lock()
_kept: dict[str, Any] = {}
"""Compiled code by the name of its JAX target; it must outlive every program that calls it."""


def registered(source: str, read: int, written: int, lanes: int) -> str:
    """Compile a function, once, and return the name by which `jax.ffi.ffi_call` finds it.

    Args:
        source: LLVM code that defines `lab_loop` of pointers and a number of lanes.
        read: how many of the pointers are to buffers that are read, the call's arguments.
        written: how many are to its results, passed after those.
        lanes: the number of lanes.
    """
    source = "\n".join([_attributes(), source, entry(read, written, lanes)])
    target = "lab_" + hashlib.sha256((source + features()).encode()).hexdigest()[:24]
    with _lock:  # blocks are compiled by whichever thread comes first
        if target not in _kept:
            engine = compiled(source)
            address = engine.get_function_address(ENTRY)
            jax.ffi.register_ffi_target(target, capsule(address), platform="cpu")
            _kept[target] = engine
    return target


def compiled(source: str) -> Any:
    """LLVM code optimized and turned into machine code."""
    module = llvm.parse_assembly(source)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_unrolling = options.loop_vectorization = options.slp_vectorization = False
    target = machine()
    builder = llvm.create_pass_builder(target, options)
    builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, target)
    engine.finalize_object()
    return engine


def capsule(address: int) -> Any:
    """A function's address as `jax.ffi.register_ffi_target` takes it."""
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = (
        ctypes.py_object,
        [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p],
    )
    return new(address, None, None)


def _attributes() -> str:
    bits = 8 * vector_bytes()
    return f'attributes #0 = {{ nounwind "prefer-vector-width"="{bits}" "no-builtins" }}'


def entry(read: int, written: int, lanes: int) -> str:
    """The function that XLA calls, with a frame of pointers (xla/ffi/api/c_api.h, version 0.x).

    At byte 8 of the frame stands an extension: where it is of type 1, XLA only asks which version
    of the interface this is, and is told its own. Else the buffers' descriptions are listed at 72
    (arguments) and 112 (results), and at byte 24 of a description stands the buffer's address.
    """
    lines = [
        f"define ptr @{ENTRY}(ptr %frame) {{",
        "  %e = getelementptr i8, ptr %frame, i64 8",
        "  %extension = load ptr, ptr %e",
        "  %plain = icmp eq ptr %extension, null",
        "  br i1 %plain, label %call, label %extended",
        "extended:",
        "  %k = getelementptr i8, ptr %extension, i64 8",
        "  %kind = load i32, ptr %k",
        "  %asked = icmp eq i32 %kind, 1",
        "  br i1 %asked, label %version, label %call",
        "version:",
        "  %m = getelementptr i8, ptr %extension, i64 24",
        "  %metadata = load ptr, ptr %m",
        "  %a = getelementptr i8, ptr %frame, i64 16",
        "  %api = load ptr, ptr %a",
        "  %theirs = getelementptr i8, ptr %api, i64 32",
        "  %numbers = load i64, ptr %theirs",
        "  %ours = getelementptr i8, ptr %metadata, i64 24",
        "  store i64 %numbers, ptr %ours",
        "  ret ptr null",
        "call:",
    ]
    names = []
    for kind, offset, count in (("a", 72, read), ("r", 112, written)):
        lines.append(f"  %{kind}_list = getelementptr i8, ptr %frame, i64 {offset}")
        lines.append(f"  %{kind}_all = load ptr, ptr %{kind}_list")
        for i in range(count):
            lines += [
                f"  %{kind}_at{i} = getelementptr ptr, ptr %{kind}_all, i64 {i}",
                f"  %{kind}_of{i} = load ptr, ptr %{kind}_at{i}",
                f"  %{kind}_data{i} = getelementptr i8, ptr %{kind}_of{i}, i64 24",
                f"  %{kind}{i} = load ptr, ptr %{kind}_data{i}",
            ]
            names.append(f"%{kind}{i}")
    given = ", ".join(f"ptr {name}" for name in names)
    lines += [
        f"  call void @{FUNCTION}({given}, i64 {lanes})",
        "  ret ptr null",
        "}",
    ]
    return "\n".join(lines)
