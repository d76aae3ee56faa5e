//! What a pickle may call: a call becomes a record, and nothing is run.

use super::value::Global;

/// Functions that checkpoints call: they rebuild tensors, containers, and numbers of NumPy. Classes may be of any module but the
/// [`DANGEROUS`].
const CALLABLE: [(&str, &[&str]); 24] = [
    (
        "torch._utils",
        &[
            "_rebuild_tensor",
            "_rebuild_tensor_v2",
            "_rebuild_tensor_v3",
            "_rebuild_parameter",
            "_rebuild_parameter_with_state",
            "_rebuild_qtensor",
        ],
    ),
    ("torch._tensor", &["_rebuild_from_type", "_rebuild_from_type_v2"]),
    ("torch.jit._pickle", &["build_intlist", "build_boollist", "build_doublelist", "build_tensorlist", "restore_type_tag"]),
    ("functools", &["partial", "partialmethod"]),
    ("torch", &["Size", "device"]),
    // Modules before PyTorch 1.1 keep what this returned.
    ("torch.nn.backends.thnn", &["_get_thnn_function_backend"]),
    ("torch.serialization", &["_get_layout"]),
    ("collections", &["OrderedDict", "defaultdict", "Counter", "deque"]),
    ("builtins", &["dict", "list", "set", "frozenset", "tuple", "bytearray", "complex", "slice", "range"]),
    ("__builtin__", &["dict", "list", "set", "frozenset", "tuple", "bytearray", "complex", "slice", "xrange"]),
    ("numpy", &["dtype"]),
    ("numpy.core.multiarray", &["scalar", "_reconstruct"]),
    ("numpy._core.multiarray", &["scalar", "_reconstruct"]),
    ("numpy.core.numeric", &["_frombuffer"]),
    ("numpy._core.numeric", &["_frombuffer"]),
    ("numpy.random._pickle", &["__randomstate_ctor", "__generator_ctor", "__bit_generator_ctor"]),
    ("_codecs", &["encode"]),
    ("datetime", &["datetime", "date", "time", "timedelta", "timezone"]),
    ("decimal", &["Decimal"]),
    ("pathlib._local", &["PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath", "Path"]),
    ("torchvision.transforms.functional", &["InterpolationMode"]),
    ("pathlib", &["PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath", "Path"]),
    ("copy_reg", &["_reconstructor", "__newobj__", "__newobj_ex__"]),
    ("copyreg", &["_reconstructor", "__newobj__", "__newobj_ex__"]),
];

/// Modules that run programs or code, or reach files or the network. Nothing is run here in any case, but a pickle that calls them is
/// an attack, and refused.
const DANGEROUS: [&str; 32] = [
    "os",
    "posix",
    "nt",
    "sys",
    "subprocess",
    "shutil",
    "socket",
    "builtins",
    "__builtin__",
    "importlib",
    "runpy",
    "code",
    "codeop",
    "pty",
    "ctypes",
    "multiprocessing",
    "threading",
    "asyncio",
    "signal",
    "pdb",
    "bdb",
    "timeit",
    "webbrowser",
    "http",
    "urllib",
    "requests",
    "ftplib",
    "smtplib",
    "tempfile",
    "zipimport",
    "pickle",
    "marshal",
];

/// Whether a pickle may call that class or function.
pub(super) fn is_callable(global: &Global) -> bool {
    CALLABLE.iter().any(|(module, names)| *module == global.module && names.contains(&global.name.as_str())) || is_class(global)
}

/// Whether that is a class, by Python's naming convention, of a module that is not [`DANGEROUS`].
pub(super) fn is_class(global: &Global) -> bool {
    let root = global.module.split('.').next().unwrap_or_default();
    let name = global.name.rsplit('.').next().unwrap_or_default();
    name.trim_start_matches('_').starts_with(char::is_uppercase) && !DANGEROUS.contains(&root)
}
