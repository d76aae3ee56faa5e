"""Other engines on a DenseNet: one of them in one process, which prints one JSON object.

    python scripts/peers.py export weights|onnx|ncnn FOLDER [--arch NAME]    the network, for all of them
    python scripts/peers.py run ENGINE FOLDER [--arch NAME] [--batch N] [--runs N]
    python scripts/peers.py difference LOGITS FOLDER           of logits in a .npy file
    python scripts/peers.py pictures COUNT FOLDER              JPEGs that are no photographs

`scripts/compare.py` calls all of it, and writes FOLDER/input.npy, which is read here and tells the
size of pictures. Of the exports, `weights` comes first:

    network.safetensors, logits.npy    generated weights, and what PyTorch makes of the input
    tiny.safetensors                   a DenseNet that computes next to nothing

An engine's time is from numbers of the host to logits of the host. `first` is from before the
network is loaded to the first logits: Python and its imports are not in it. What fails ends with
status 1 and the reason as the last line.
"""

import argparse
import importlib
import json
import statistics
import subprocess
import time
from pathlib import Path

SEED = 0
CLASSES = 1000

# Warm runs are measured until there are so many and they took so long, as `densenet bench` does.
RUNS, SECONDS = 10, 2.0
WARM_RUNS, WARM_SECONDS = 2, 0.2

PICTURE = (640, 480)
JPEG_QUALITY = 90


# The network


def randomise(model):
    """Give batch norms statistics and factors as if they had been trained."""
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, 0, 0.1)
            torch.nn.init.normal_(module.bias, 0, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return model.eval()


def load_input(folder):
    """Return the input, [1, 3, H, W] of float32."""
    import numpy as np

    return np.load(folder / "input.npy")


def export_weights(folder, arch):
    """Write both networks' weights, and the logits of the larger one."""
    import numpy as np
    import torch
    from safetensors.torch import save_file
    from torchvision import models

    torch.manual_seed(SEED)
    model = randomise(models.get_model(arch, num_classes=CLASSES))
    tiny = models.DenseNet(
        growth_rate=1, block_config=(1, 1), num_init_features=2, bn_size=1, num_classes=10
    )
    with torch.inference_mode():
        logits = model(torch.from_numpy(load_input(folder)))
    save_file(model.state_dict(), folder / "network.safetensors")
    save_file(randomise(tiny).state_dict(), folder / "tiny.safetensors")
    np.save(folder / "logits.npy", logits.numpy())


def load_torch(folder, arch):
    """Return the network in PyTorch, without the time that initial weights would take."""
    import torch
    from safetensors.torch import load_file
    from torchvision import models

    with torch.device("meta"):
        model = models.get_model(arch, num_classes=CLASSES)
    model.load_state_dict(load_file(folder / "network.safetensors"), assign=True)
    return model.eval().requires_grad_(False)


def export_onnx(folder, arch):
    """Write the network for ONNX Runtime."""
    import torch

    torch.onnx.export(
        load_torch(folder, arch),
        (torch.from_numpy(load_input(folder)),),
        str(folder / "network.onnx"),
        input_names=["input"],
        output_names=["logits"],
        dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
        dynamo=False,
    )


def export_ncnn(folder, arch):
    """Write the network for ncnn."""
    import pnnx
    import torch

    images = torch.from_numpy(load_input(folder))
    traced = folder / "network.pt"
    torch.jit.trace(load_torch(folder, arch), images).save(str(traced))
    shape = ",".join(map(str, images.shape))
    command = [pnnx.EXEC_PATH, traced, f"inputshape=[{shape}]", "fp16=0"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


EXPORTS = {"weights": export_weights, "onnx": export_onnx, "ncnn": export_ncnn}


# The engines: each loads the network for a batch, and returns what runs it and where


def ncnn(folder, arch, batch):
    """Load ncnn, on its default Vulkan device."""
    import ncnn as engine
    import numpy as np

    if engine.get_gpu_count() == 0:
        raise RuntimeError("no Vulkan device")
    if batch > 1:
        raise RuntimeError("takes one picture at a time")
    net = engine.Net()
    net.opt.use_vulkan_compute = True
    for numbers in [
        "fp16_packed",
        "fp16_storage",
        "fp16_arithmetic",
        "bf16_packed",
        "bf16_storage",
    ]:
        if hasattr(net.opt, f"use_{numbers}"):
            setattr(net.opt, f"use_{numbers}", False)
    for load, ending in [(net.load_param, "param"), (net.load_model, "bin")]:
        if load(str(folder / f"network.ncnn.{ending}")) != 0:
            raise RuntimeError(f"network.ncnn.{ending} could not be loaded")

    def run(images):
        extractor = net.create_extractor()
        extractor.input("in0", engine.Mat(images[0]))
        status, logits = extractor.extract("out0")
        if status != 0:
            raise RuntimeError(f"a run ended with {status}")
        return np.array(logits)[None]

    return run, engine.get_gpu_info(engine.get_default_gpu_index()).device_name()


def onnxruntime(provider):
    """Return what loads ONNX Runtime with this provider."""

    def load(folder, arch, batch):
        import onnxruntime as engine

        options = engine.SessionOptions()
        options.add_free_dimension_override_by_name("batch", batch)
        options.log_severity_level = 3
        session = engine.InferenceSession(
            str(folder / "network.onnx"), options, providers=[provider]
        )
        if session.get_providers()[0] != provider:
            raise RuntimeError(f"no {provider}, only {', '.join(session.get_providers())}")
        return lambda images: session.run(None, {"input": images})[0], provider

    return load


def torch_cpu(channels_last=False, compiled=False):
    """Return what loads PyTorch for the processor: as it is, with channels last, or compiled."""

    def load(folder, arch, batch):
        import torch

        layout = torch.channels_last if channels_last else torch.contiguous_format
        model = load_torch(folder, arch).to(memory_format=layout)
        model = torch.compile(model) if compiled else model

        def run(images):
            return model(torch.from_numpy(images).to(memory_format=layout)).numpy()

        return run, f"{torch.get_num_threads()} threads"

    return load


def torch_cuda(compiled):
    """Return what loads PyTorch for CUDA: as it is, or compiled in 16 bits with channels last."""

    def load(folder, arch, batch):
        import torch

        if not torch.cuda.is_available():
            raise RuntimeError("no CUDA device")
        model, layout = load_torch(folder, arch).cuda(), {}
        if compiled:
            layout = {"dtype": torch.float16, "memory_format": torch.channels_last}
            model = torch.compile(model.to(**layout), mode="max-autotune")

        def run(images):
            # A compiled network's next run overwrites what it returns: that is copied before.
            return model(torch.from_numpy(images).cuda().to(**layout)).float().cpu().numpy()

        return run, torch.cuda.get_device_name()

    return load


# The modules whose import is not measured, the engine's own first, and what loads the engine.
ENGINES = {
    "ncnn": (["ncnn"], ncnn),
    "onnxruntime-webgpu": (["onnxruntime"], onnxruntime("WebGpuExecutionProvider")),
    "onnxruntime": (["onnxruntime"], onnxruntime("CPUExecutionProvider")),
    "torch": (["torch", "torchvision"], torch_cpu()),
    "torch-channels-last": (["torch", "torchvision"], torch_cpu(channels_last=True)),
    "torch-compiled": (["torch", "torchvision"], torch_cpu(channels_last=True, compiled=True)),
    "torch-cuda": (["torch", "torchvision"], torch_cuda(compiled=False)),
    "torch-cuda-compiled": (["torch", "torchvision"], torch_cuda(compiled=True)),
}


# Measuring


def repeat(run, least_runs, least_seconds):
    """Run until both are reached; return each run's seconds."""
    seconds = []
    while len(seconds) < least_runs or sum(seconds) < least_seconds:
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return seconds


def largest_difference(logits, expected):
    """Return the largest difference, of the largest expected magnitude."""
    return float(abs(logits - expected).max() / abs(expected).max())


def measure(name, folder, arch, batch, runs):
    """Return an engine's times in seconds, and how far its logits are from PyTorch's."""
    import numpy as np

    images = load_input(folder).repeat(batch, axis=0)
    expected = np.load(folder / "logits.npy")
    modules, load = ENGINES[name]
    version = [importlib.import_module(module).__version__ for module in modules][0]
    start = time.perf_counter()
    run, device = load(folder, arch, batch)
    logits = run(images)
    first = time.perf_counter() - start
    if logits.shape != (batch, CLASSES):
        raise RuntimeError(f"{logits.shape} logits")
    result = {
        "first": first,
        "difference": largest_difference(logits, expected),
        "device": device,
        "version": version,
    }
    if runs != 0:
        repeat(lambda: run(images), WARM_RUNS, WARM_SECONDS)
        seconds = repeat(lambda: run(images), runs or RUNS, 0 if runs else SECONDS)
        result["median"] = statistics.median(seconds)
    return result


# Pictures


def write_pictures(count, folder):
    """Write JPEGs with large shapes and fine grain, about as hard to decode as photographs."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(SEED)
    width, height = PICTURE
    for index in range(count):
        shapes = Image.fromarray(
            random.integers(0, 256, (height // 40, width // 40, 3), dtype=np.uint8)
        )
        smooth = np.asarray(shapes.resize(PICTURE, Image.Resampling.BICUBIC), dtype=np.float32)
        grain = random.normal(0, 6, (height, width, 1)).astype(np.float32)
        picture = Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8))
        picture.save(folder / f"{index:05}.jpg", quality=JPEG_QUALITY)


def main():
    """Do what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export")
    export.add_argument("what", choices=EXPORTS)
    run = commands.add_parser("run")
    run.add_argument("engine", choices=ENGINES)
    run.add_argument("--batch", type=int, default=1)
    run.add_argument(
        "--runs",
        type=int,
        help="0: only the first; default: as many as two seconds take, at least 10",
    )
    difference = commands.add_parser("difference")
    difference.add_argument("logits", type=Path)
    pictures = commands.add_parser("pictures")
    pictures.add_argument("count", type=int)
    for command in [export, run]:
        command.add_argument("--arch", default="densenet121", help="torchvision's name of it")
    for command in [export, run, difference, pictures]:
        command.add_argument("folder", type=Path)
    options = parser.parse_args()

    result = {}
    if options.command == "export":
        EXPORTS[options.what](options.folder, options.arch)
    elif options.command == "run":
        result = measure(
            options.engine, options.folder, options.arch, options.batch, options.runs
        )
    elif options.command == "difference":
        import numpy as np

        logits, expected = np.load(options.logits), np.load(options.folder / "logits.npy")
        result = {"difference": largest_difference(logits, expected)}
    else:
        write_pictures(options.count, options.folder)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
