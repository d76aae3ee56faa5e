//! What a pickle may call: each call is a record here, and nothing is run.

use super::value::Global;

/// Functions that checkpoints call, each a record here too: rebuilding tensors, containers, and numbers of NumPy. Classes are
/// records wherever they are from, but for [`MEDDLERS`].
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

/// Modules of which a pickle calls nothing unless it is to do harm: those that run programs or code, and that reach files or the
/// network. Nothing is run here in any case; such a file is not one to go on with.
const MEDDLERS: [&str; 32] = [
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

/// Whether that is the name of a class by Python's habit, and of a module that does no harm.
pub(super) fn is_class(global: &Global) -> bool {
    let root = global.module.split('.').next().unwrap_or_default();
    let name = global.name.rsplit('.').next().unwrap_or_default();
    name.trim_start_matches('_').starts_with(char::is_uppercase) && !MEDDLERS.contains(&root)
}
